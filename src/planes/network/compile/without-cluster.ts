import type { Route } from '../../../bgp/route.ts';
import type { SpeakerStatus } from '../../../bgp/speaker.ts';
import { comparePrefixes, type Prefix } from '../../../model/address.ts';
import { blackholesOf, type NetworkPlan, type NetworkRefusal } from '../plan.ts';

/** What is in force before the cluster was read. */
export interface InForce {
  /** What ExaBGP holds. */
  readonly announced: readonly Route[];
  /** Our blackholes in the kernel. */
  readonly installed: readonly Prefix[];
}

/**
 * The plan of a node whose cluster was not read since its agent started, made from `plan`, which was compiled from the last-good
 * state. It may add what is missing, because ExaBGP or the server may have started anew; it takes nothing away, because an old
 * state is no reason for that. A Drain is one: it does not come from the cluster.
 */
export function fromLastGood(plan: NetworkPlan, { announced, installed }: InForce, savedAt: string): NetworkPlan {
  if (plan.action === 'hold' || plan.withdrawn === 'NodeDrained') return plan;
  if (plan.withdrawn === 'NodeDeleted') return { action: 'hold', reason: 'NotSynced', refusals: plan.refusals };
  const planned = new Set(plan.routes.map(({ prefix }) => prefix.text));
  const old = announced.filter((route) => route.class === 'pods' && !planned.has(route.prefix.text));
  const needed = new Set(blackholesOf(plan).map(({ text }) => text));
  const kept = installed.filter(({ text }) => !needed.has(text)).map((prefix) => [prefix.text, [prefix]] as const);
  const message = `the cluster was not read since this agent started: what was known at ${savedAt} is announced, and nothing is withdrawn`;
  return {
    ...plan,
    routes: [...plan.routes, ...old].toSorted((one, other) => comparePrefixes(one.prefix, other.prefix)),
    // A blackhole that no block of the plan needs stands for itself.
    covers: new Map([...kept, ...plan.covers]),
    notices: [...plan.notices, { subject: 'cluster', reason: 'ServingSnapshot', message }],
    beyond: [...plan.beyond, ...old.map(({ prefix }) => prefix)],
    brakes: [],
    disproved: new Set(),
  };
}

/** FRR keeps the routes of a speaker that came back without saying what it announces for this long, by default. */
const staleRoutesMs = 360_000;

/**
 * The refusal that counts down how long the routers keep what a former ExaBGP announced, when the present one has no route of pods
 * to announce and nothing is known of the cluster; undefined while nothing runs out.
 */
export function runsOut(
  speaker: SpeakerStatus,
  installed: readonly Prefix[],
  nowMs: number,
): NetworkRefusal | undefined {
  // The blackholes, which outlive ExaBGP, tell that this server had blocks.
  if (installed.length === 0 || speaker.relay !== 'synced') return undefined;
  if (speaker.announced.some((route) => route.class === 'pods')) return undefined;
  const since = speaker.neighbors.flatMap(({ up, changedAtMs }) =>
    up && changedAtMs !== undefined ? [changedAtMs] : [],
  );
  if (since.length === 0) return undefined;
  const leftMs = Math.max(0, Math.min(...since) + staleRoutesMs - nowMs);
  const message = `nothing is known of the cluster, and this ExaBGP announces no pods: routers drop what the former one announced, FRR in ${Math.ceil(leftMs / 1000)} s`;
  return { subject: 'cluster', reason: 'RoutesRunOut', message };
}
