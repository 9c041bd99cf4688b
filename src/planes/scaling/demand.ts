import type { MeasuredRates } from '../../model/country-weights.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { unknownName } from '../../model/spec/unknown-name.ts';
import type { ScalingDemand } from './compile/world.ts';
import { badScaling, type ScalingFinding } from './reasons.ts';

/** Older figures say nothing of today. */
const longestMs = 7 * 24 * 3_600_000;

/** What somebody measured, and how it is to be read. */
export interface Measured {
  readonly rates: MeasuredRates;
  readonly unknownPerSecond: number;
  /** Blades that told nothing, and clusters of which no blade did. */
  readonly silent: readonly string[];
  readonly unmeasured: readonly string[];
  /** By policy, which part (0..1) is for its hosts; empty where a single policy has all. */
  readonly shares: ReadonlyMap<string, number>;
  /** So much more may come, as a part of what was measured. */
  readonly margin: number;
  /** Where the rates are a forecast: see ScalingDemand. */
  readonly basis?: string;
  readonly doubts?: readonly ScalingFinding[];
}

/** The demand that floors are computed from. Throws an InputError where there is nothing to compute, or something is missing for it. */
export function demandOf(platform: Platform, measured: Measured, nowMs: number): ScalingDemand {
  const { rates, unknownPerSecond, shares, margin, basis, doubts } = measured;
  if (platform.scalingTargets.size === 0)
    throw badScaling(
      'NoTarget',
      'there is no ScalingTarget in these files',
      'declare one for each workload that takes over for others: docs/operations/scaling.md',
    );
  if (nowMs - rates.measuredAtMs > longestMs)
    throw badScaling(
      'DemandTooOld',
      `the demand was measured at ${new Date(rates.measuredAtMs).toISOString()}, more than seven days ago`,
      'measure again: tideline steering demand FOLDER --out FILE',
    );
  const policies = [...platform.policies.keys()];
  for (const name of shares.keys())
    if (!policies.includes(name))
      throw new InputError({ ...unknownName('TrafficPolicy', name, policies), path: '--share' });
  return {
    rates,
    unknownPerSecond,
    unheard: unheardOf(platform, measured),
    shares: sharesOf(policies, shares),
    factor: 1 + margin,
    ...(basis === undefined ? {} : { basis }),
    ...(doubts === undefined ? {} : { doubts }),
  };
}

/** Nobody said how much is asked, or only how much is asked now. */
export function demandMissing(isForLater: boolean): InputError {
  return isForLater
    ? badScaling(
        'DemandMissing',
        'what was measured now does not tell another moment',
        'add --history PATH, or leave --at out',
      )
    : badScaling(
        'DemandMissing',
        'nobody says how much is asked',
        'add --demand FILE, which `tideline steering demand FOLDER --out FILE` writes, or --history PATH',
      );
}

/** A cluster without blades measures nothing and is not missed. */
function unheardOf(platform: Platform, { rates, silent, unmeasured }: Measured): readonly string[] {
  const missed = unmeasured.filter((name) => 'edgePool' in (platform.clusters.get(name)?.spec.entry ?? {}));
  return [
    ...(Object.keys(rates.requestsPerSecond).length === 0 ? ['no country was measured'] : []),
    ...(missed.length > 0 ? [`no blade of ${missed.join(', ')} told what it measured`] : []),
    ...(silent.length > 0 ? [`${silent.join(', ')} did not tell what was measured there`] : []),
  ];
}

function sharesOf(policies: readonly string[], given: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [only, ...others] = policies;
  if (only !== undefined && others.length === 0) return new Map([[only, given.get(only) ?? 1]]);
  const missing = policies.filter((name) => !given.has(name));
  if (missing.length === 0) return given;
  throw badScaling(
    'ShareMissing',
    `requests were measured for all policies together, and nobody says which part is for ${missing.join(', ')}`,
    `add ${missing.map((name) => `--share ${name}=…`).join(' ')}`,
  );
}

/** By policy, which part of the requests is for its hosts, as they were counted; empty where that cannot be told, or need not be. */
export function sharesByHosts({ policies }: Platform, hosts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  // Requests for hosts that nobody has are nobody's demand.
  const all = [...hosts].reduce((sum, [host, rate]) => (host === '(none)' ? sum : sum + rate), 0);
  if (policies.size < 2 || all === 0) return new Map();
  return new Map(
    [...policies].map(([name, { spec }]) => [
      name,
      spec.hosts.reduce((sum, host) => sum + (hosts.get(host) ?? 0), 0) / all,
    ]),
  );
}
