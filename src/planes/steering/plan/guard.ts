import { percent } from '../../../answers/distribution.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { dependentsOf } from '../records/neighbours.ts';
import type { Task } from '../records/scope.ts';
import { lostDepth } from './depth.ts';
import { type HostImpact, movedFromLiving, worstShare } from './impact.ts';
import type { Window } from './window.ts';

/** What a person approved. */
export interface Approval {
  /** Checksum of the plan that the person looked at. */
  readonly checksum: string;
  /** Share of traffic, 0..1, that may move whatever the guard allows; 0 when nobody was asked. */
  readonly share: number;
  /** The same for what moves while one cluster is down, and for choices that are lost. */
  readonly failoverShare: number;
  /** Hosts that may lose their answers. */
  readonly removals: readonly string[];
  /** Clusters to which users may be led although they are down. */
  readonly down: readonly string[];
  /** Names of others whose records may lead to nothing. */
  readonly broken: readonly string[];
}

/** Something about a host that its policy's guard does not allow, and that a person may approve. */
export type OverGuard =
  /** More traffic moves, in the present health or while everything is healthy. */
  | {
      readonly kind: 'moves';
      readonly host: string;
      readonly movedShare: number;
      readonly allowedShare: number;
      /** True when it is the present health in which more moves. */
      readonly now?: true;
    }
  /** More traffic is led to clusters that are down now than before. */
  | { readonly kind: 'down'; readonly host: string; readonly lostShare: number; readonly clusters: readonly string[] }
  /** More moves while a cluster is down than now and while everything is healthy. */
  | (FailureBeyond & { readonly kind: 'failover'; readonly host: string; readonly allowedShare: number })
  /** More users have fewer choices than before when clusters fail one after the other, than lose them when one fails. */
  | { readonly kind: 'depth'; readonly host: string; readonly movedShare: number; readonly allowedShare: number }
  /** More is answered otherwise than before the window of the guard, together with what was moved within it. */
  | {
      readonly kind: 'window';
      readonly host: string;
      readonly movedShare: number;
      readonly allowedShare: number;
      readonly window: Window;
    }
  /** The host loses its answer. */
  | { readonly kind: 'removal'; readonly host: string }
  /** Records of others at these names lead to the host that loses its answer. */
  | { readonly kind: 'broken'; readonly host: string; readonly names: readonly string[] };

/** A cluster whose failure lets more users be answered otherwise than move anyhow. */
export interface FailureBeyond {
  readonly cluster: string;
  readonly movedShare: number;
  /** How much more traffic is answered with the cluster although it is down. */
  readonly lostShare: number;
}

/** The same for a host that is released: without a policy everything that moves needs a person's word. */
function overGuardsOfRelease(
  policy: TrafficPolicy | undefined,
  impact: HostImpact,
  window?: Window,
): readonly OverGuard[] {
  const { host } = impact;
  const movedShare = worstShare(impact);
  if (policy !== undefined) return overGuardsOf(policy, impact, window);
  const moves = exceeds(movedShare, 0) ? [{ kind: 'moves' as const, host, movedShare, allowedShare: 0 }] : [];
  return [...ledToDown(impact), ...moves];
}

/**
 * What the guard of the host's policy does not allow: judged is the worse of the present health and of a world where everything is
 * healthy. A failure counts where still more moves, so that one change needs one approval. A host that no policy names any more always needs one.
 */
export function overGuardsOf(
  policy: TrafficPolicy | undefined,
  impact: HostImpact,
  window?: Window,
): readonly OverGuard[] {
  const { host } = impact;
  const movedShare = worstShare(impact);
  if (policy === undefined) return movedShare > 0 ? [{ kind: 'removal', host }] : [];
  const { maxTrafficShare: allowedShare, maxFailoverShare: allowedLater = allowedShare } = policy.spec.guard;
  const [failure] = failuresBeyond(impact);
  const lost = lostDepth(impact.depth);
  return [
    ...ledToDown(impact),
    ...(exceeds(movedShare, allowedShare)
      ? [{ kind: 'moves', host, movedShare, allowedShare, ...nowOf(impact) } as const]
      : []),
    ...(window !== undefined && isBeyond(window, movedShare, allowedShare)
      ? [{ kind: 'window', host, movedShare: window.displaced.after, allowedShare, window } as const]
      : []),
    ...(failure !== undefined && exceeds(failure.movedShare, allowedLater)
      ? [{ kind: 'failover', host, ...failure, allowedShare: allowedLater } as const]
      : []),
    ...(exceeds(lost, allowedLater) && exceeds(lost, failure?.movedShare ?? 0)
      ? [{ kind: 'depth', host, movedShare: lost, allowedShare: allowedLater } as const]
      : []),
  ];
}

/** The judge of what a plan for this task does to a host of a policy. */
export function guardOf(task: Task): typeof overGuardsOf {
  if (task.kind === 'release') return overGuardsOfRelease;
  if (task.kind !== 'everything' || task.holds === undefined) return overGuardsOf;
  return task.holds.word === 'hold' ? overGuardsOfHold : (_policy, impact) => ledToDown(impact);
}

/**
 * The same for a plan that only holds clusters back, which should move nobody: what counts is who is answered otherwise now. The order of what would
 * answer later changes on purpose. A return is paced by the policy, and no person is asked about it, unless it leads to what is down.
 */
function overGuardsOfHold(policy: TrafficPolicy | undefined, impact: HostImpact): readonly OverGuard[] {
  const { host, movedNow = impact.movedShare } = impact;
  const allowedShare = policy?.spec.guard.maxTrafficShare ?? 0;
  const moves = { kind: 'moves', host, movedShare: movedNow, allowedShare, now: true } as const;
  return [...ledToDown(impact), ...(exceeds(movedNow, allowedShare) ? [moves] : [])];
}

/** Any share, however small, needs a person's word. */
const ledToDown = ({ host, lostNow }: HostImpact): readonly OverGuard[] =>
  lostNow === undefined ? [] : [{ kind: 'down', host, lostShare: lostNow.share, clusters: lostNow.clusters }];

/** True when a plan leads more users away from where they were before the window than are so already, and than it moves by itself. */
const isBeyond = ({ displaced }: Window, movedShare: number, allowedShare: number): boolean =>
  exceeds(displaced.after, allowedShare) &&
  exceeds(displaced.after, displaced.before) &&
  exceeds(displaced.after, movedShare);

const nowOf = ({ movedShare, movedNow = 0 }: HostImpact): { readonly now?: true } =>
  exceeds(movedNow, movedShare) ? { now: true } : {};

/**
 * The failures in which more moves than now and while everything is healthy, the one in which most moves first; of each cluster that of the
 * family in which more moves. Who had no answer in that failure but that of the cluster, and gets another, is not counted.
 */
export function failuresBeyond(impact: HostImpact): readonly FailureBeyond[] {
  const movedShare = worstShare(impact);
  const sorted = impact.families
    .flatMap(({ whileDown }) => whileDown)
    .map((failure) => ({
      cluster: failure.cluster,
      movedShare: movedFromLiving(failure),
      lostShare: Math.max(0, failure.lost.after - failure.lost.before),
    }))
    .filter((failure) => exceeds(failure.movedShare, movedShare))
    .sort((a, b) => b.movedShare - a.movedShare);
  return sorted.filter(({ cluster }, index) => sorted.findIndex((other) => other.cluster === cluster) === index);
}

/** The clusters whose failure costs fewer users their answer than before, in the family for which that is more. */
export function gainsOf({
  families,
}: HostImpact): readonly { readonly cluster: string; readonly gainedShare: number }[] {
  const gains = families
    .flatMap(({ whileDown }) => whileDown)
    .map(({ cluster, lost }) => ({ cluster, gainedShare: lost.before - lost.after }))
    .filter(({ gainedShare }) => exceeds(gainedShare, 0))
    .sort((a, b) => b.gainedShare - a.gainedShare);
  return gains.filter(({ cluster }, index) => gains.findIndex((other) => other.cluster === cluster) === index);
}

/** The records of others that lead to a host of which no address is left, whatever else stands at its name. */
export function brokenBy(hosts: readonly string[], records: readonly RecordSet[]): readonly OverGuard[] {
  const answering = new Set(records.filter(({ type }) => addressing.has(type)).map(({ name }) => name));
  return hosts
    .filter((host) => !answering.has(host))
    .map((host) => ({ kind: 'broken' as const, host, names: dependentsOf(host, records) }))
    .filter(({ names }) => names.length > 0);
}

/** The types of records by which a name has addresses. */
const addressing: ReadonlySet<string> = new Set(['A', 'AAAA', 'CNAME', 'ALIAS', 'LUA']);

export function isApproved(over: OverGuard, approval: Approval): boolean {
  switch (over.kind) {
    case 'moves':
    case 'window':
      return !exceeds(over.movedShare, approval.share);
    case 'failover':
    case 'depth':
      return !exceeds(over.movedShare, approval.failoverShare);
    case 'down':
      return over.clusters.every((name) => approval.down.includes(name));
    case 'removal':
      return approval.removals.includes(over.host);
    case 'broken':
      return over.names.every((name) => approval.broken.includes(name));
  }
}

/** The options of `apply` that approve all of it. */
export function approvalsFor(over: readonly OverGuard[]): readonly string[] {
  const largest = (...kinds: readonly OverGuard['kind'][]): number =>
    Math.max(0, ...over.map((one) => ('movedShare' in one && kinds.includes(one.kind) ? one.movedShare : 0)));
  const share = (flag: string, moved: number): readonly string[] =>
    moved === 0 ? [] : [`${flag} ${Math.ceil(moved * 1000) / 1000}`];
  return [
    ...share('--approve-share', largest('moves', 'window')),
    ...share('--approve-failover', largest('failover', 'depth')),
    ...over.flatMap((one) => (one.kind === 'down' ? [`--approve-down ${one.clusters.join(' ')}`] : [])),
    ...over.flatMap((one) => (one.kind === 'removal' ? [`--approve-removal ${one.host}`] : [])),
    ...over.flatMap((one) => (one.kind === 'broken' ? [`--approve-broken ${one.names.join(' ')}`] : [])),
  ];
}

/** A sentence without its end. */
export function overGuardText(over: OverGuard): string {
  switch (over.kind) {
    case 'moves':
      return `${over.host} moves ${percent(over.movedShare)} of the traffic${over.now === true ? ' now' : ''}, the guard allows ${percent(over.allowedShare)}`;
    case 'down':
      return `${over.host} would lead ${percent(over.lostShare)} of the traffic to ${over.clusters.join(' and ')}, down now`;
    case 'failover':
      return `while ${over.cluster} is down ${over.host} would be answered otherwise for ${percent(over.movedShare)} of the traffic${lostText(over)}, the guard allows ${percent(over.allowedShare)}`;
    case 'depth':
      return `${over.host} leaves ${percent(over.movedShare)} of the traffic fewer choices when clusters fail one after the other, the guard allows ${percent(over.allowedShare)}`;
    case 'window':
      return `${over.host} would be answered otherwise for ${percent(over.movedShare)} of the traffic than ${over.window.minutes} minutes ago (${appliesText(over.window)}), the guard allows ${percent(over.allowedShare)}`;
    case 'removal':
      return `${over.host} loses its answer, because no policy names it any more`;
    case 'broken':
      return `${over.names.join(', ')} ${over.names.length === 1 ? 'leads' : 'lead'} to ${over.host} and would lead to nothing`;
  }
}

/** Which applies moved how much lately. Of many the largest are told. */
export function appliesText({ applies }: Window): string {
  const largest = new Set(applies.toSorted((a, b) => b.movedShare - a.movedShare).slice(0, mostTold));
  const told = applies
    .filter((apply) => largest.has(apply))
    .map(({ at, by, movedShare }) => `${percent(movedShare)} moved by ${by} at ${isoTime(Date.parse(at))}`);
  const less = applies.length - told.length;
  return [...told, ...(less > 0 ? [`${less} smaller`] : [])].join(', ');
}

const mostTold = 6;

/** A time to the second: `2026-11-27T16:00:00Z`. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What to add about users that nothing else is left for. */
export function lostText({ cluster, lostShare }: FailureBeyond): string {
  return exceeds(lostShare, 0) ? `, ${percent(lostShare)} with ${cluster} itself for want of another` : '';
}

/** True when a share is larger, beyond the rounding errors of floating point. */
/** Also true of what is no number, so that a guard never opens by a fault of a calculation. */
const exceeds = (share: number, other: number): boolean => !(share <= other + 1e-9);
