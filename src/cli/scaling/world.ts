import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Observed } from '../../planes/scaling/compile/observed.ts';
import type { ScalingWorld } from '../../planes/scaling/compile/world.ts';
import type { Measured } from '../../planes/scaling/demand.ts';
import type { ScalingFinding } from '../../planes/scaling/reasons.ts';
import { type Trusted, trustOption } from '../agent/spec-sources.ts';
import { addOutputOption, type OutputArguments } from '../output.ts';
import { expectedDemand, type ForecastArguments } from './history.ts';

export interface WorldArguments extends OutputArguments, ForecastArguments {
  readonly demand?: string;
  readonly share: ReadonlyMap<string, number>;
  readonly offline?: true;
  readonly platformTrust?: readonly Trusted[];
}

/** The options of every command that computes with demand. */
export function addWorldOptions(command: Command): Command {
  command
    .addOption(
      new Option('--demand <file>', 'requests by country, as `tideline steering demand` measured them').env(
        'TIDELINE_DEMAND',
      ),
    )
    .option(
      '--history <path>',
      'instead of --demand: forecast the next quarter of an hour by this history, a folder or a file of time,country,requests per second',
    );
  addReckoningOptions(command).addOption(
    trustOption('read the platform spec in the API of this cluster as well, and believe it'),
  );
  return addOutputOption(command);
}

/** The options that say how what was measured is to be read. */
export function addReckoningOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--share <policy=share>',
        'which part of that is for the hosts of a policy, where there are several: video=0.8; repeated',
      )
        .argParser(parseShare)
        .default(new Map(), 'all of it, for a single policy'),
    )
    .addOption(
      new Option(
        '--margin <share>',
        'so much more may come than was measured, before anybody measures again; of a forecast, where its history is too short to know',
      )
        .argParser(parseMargin)
        .default(0.2),
    );
}

/** The option of commands that change nothing. */
export function addOfflineOption(command: Command): Command {
  return command.option(
    '--offline',
    'compute from the spec alone: ask no entry address whether it answers, and no cluster what is Ready',
  );
}

function parseShare(text: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [, policy = '', digits = ''] = /^([a-z0-9-]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const share = Number(digits);
  if (policy === '' || digits === '' || share > 1)
    throw new InvalidArgumentError('Expected POLICY=SHARE, with a share from 0 to 1.');
  if (before.has(policy)) throw new InvalidArgumentError(`The share of ${policy} is said twice.`);
  return new Map(before).set(policy, share);
}

function parseMargin(text: string): number {
  const margin = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || margin > 10) throw new InvalidArgumentError('Expected a number from 0 to 10.');
  return margin;
}

/** What was found before anything was computed, and what it is computed from. */
export interface Read {
  readonly world: ScalingWorld;
  readonly findings: readonly ScalingFinding[];
  /** By target; absent where its cluster was not asked. */
  readonly observed: ReadonlyMap<string, Observed>;
  readonly nowMs: number;
}

/** For each cluster; they are asked beside each other. */
const patienceMs = 10_000;

/** Reads spec, demand and the clusters of targets. Throws an InputError for what cannot be used. */
export async function readWorld(paths: readonly string[], options: WorldArguments): Promise<Read> {
  const { demandOf } = await import('../../planes/scaling/demand.ts');
  const { targetsOf } = await import('../../planes/scaling/compile/world.ts');
  const { steeredPlatform } = await import('../steering/spec.ts');
  const { answersNow, drainedAt } = await import('../../answers/answers.ts');
  const nowMs = Date.now();
  const platform = await steeredPlatform(paths, options.platformTrust ?? []);
  const measured = await measuredDemand(options, nowMs);
  const demand = demandOf(platform, { ...measured, shares: options.share }, nowMs);
  const answers = new Map(
    [...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, nowMs)] as const),
  );
  const isOffline = options.offline === true;
  const { presentHealth } = await import('./health.ts');
  const health = isOffline ? { down: new Set<string>() } : await presentHealth(platform);
  const world = { platform, answers, demand, drained: drainedAt(platform, nowMs), health };
  const { readFindings } = await import('../../planes/scaling/findings.ts');
  const observed = isOffline
    ? new Map<string, Observed>()
    : await observeTargets(
        world,
        targetsOf(platform).map(([name]) => name),
      );
  return { world, findings: readFindings(world, observed, isOffline), observed, nowMs };
}

async function measuredDemand(options: WorldArguments, nowMs: number): Promise<Omit<Measured, 'shares'>> {
  const { readDemandFile } = await import('../steering/demand-file.ts');
  const { demandMissing } = await import('../../planes/scaling/demand.ts');
  const { demand = '', history, at, margin } = options;
  // Each place of a forecast has a margin of its own.
  if (history !== undefined) return { ...(await expectedDemand(history, options, nowMs)), margin: 0 };
  if (at !== undefined || demand === '') throw demandMissing(at !== undefined);
  return { ...(await readDemandFile(demand, nowMs)), margin };
}

async function observeTargets(
  { platform }: ScalingWorld,
  names: readonly string[],
): Promise<ReadonlyMap<string, Observed>> {
  const { observe } = await import('../../planes/scaling/replicas.ts');
  const { readCluster } = await import('../cluster-read.ts');
  const { messageOf } = await import('../../model/values.ts');
  const observed = new Map<string, Observed>();
  const clusters = [...Map.groupBy(names, (name) => platform.scalingTargets.get(name)?.spec.cluster ?? '')];
  await Promise.all(
    clusters.map(async ([cluster, targets]) => {
      const all = async (client: Parameters<typeof observe>[0]): Promise<void> => {
        for (const name of targets) {
          const spec = platform.scalingTargets.get(name)?.spec;
          if (spec !== undefined) observed.set(name, await observe(client, spec, patienceMs));
        }
      };
      await readCluster(platform, cluster, { folder: async () => undefined, api: all }).catch((error: unknown) => {
        for (const name of targets) observed.set(name, { state: 'unread', why: messageOf(error) });
      });
    }),
  );
  return observed;
}
