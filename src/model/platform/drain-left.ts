import type { Drain } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';
import { drainOfBlade } from './drains.ts';

/**
 * How far a Drain has come, the same for whoever says it: the command that asks every agent, and the agent that writes the status of
 * the object. `waiting`: an agent has not heard of it; `draining`: something is left; `empty`: nothing is, so the machine may be
 * switched off; `unknown`: an agent that matters does not say.
 */
export type LeftPhase = 'waiting' | 'draining' | 'empty' | 'unknown';

/** What is left. */
export interface LeftCounts {
  /** VIPs that blades announce. */
  readonly vips: number;
  /** Open connections of clients. */
  readonly connections: number;
  readonly requestsPerSecond: number;
  /** Pods of a worker that are Ready, or of which nobody knows that they are not. */
  readonly pods: number;
}

/** What one server still does. */
export interface Left {
  readonly phase: LeftPhase;
  /** A sentence without a full stop that begins with the server; absent where nothing is left. */
  readonly text?: string;
  /** Absent where it is not known. */
  readonly counts?: Partial<LeftCounts>;
  /** Nothing is left but VIPs that it announces because no other blade can. */
  readonly onlyKept?: true;
}

/** What all servers that a Drain concerns still do. */
export interface LeftTogether {
  readonly phase: LeftPhase;
  /** By server; servers with nothing left are not named. */
  readonly left: readonly string[];
  /** Absent while of one server it is not known what it still does: the others alone would look like all. */
  readonly counts?: LeftCounts;
  /** Nothing is left but VIPs that blades keep because no other blade can have them: users come there as long as DNS leads them there. */
  readonly onlyKept?: true;
}

/** The part of a blade's status by which it is judged. */
export interface BladeFacts {
  readonly draining: boolean;
  readonly vips: readonly {
    readonly address: string;
    readonly announced: boolean;
    readonly reasons?: readonly string[] | undefined;
  }[];
  readonly nginx?: { readonly activeConnections: number } | undefined;
  /** An older agent does not say it. */
  readonly requestsPerSecond?: number | undefined;
  readonly bgp: { readonly relay: string };
}

/** The part of a worker's status by which it is judged. */
export interface WorkerFacts {
  readonly action: string;
  readonly reason?: string | undefined;
  readonly announced: readonly { readonly class?: string | undefined }[];
  readonly notices: readonly {
    readonly reason: string;
    readonly message: string;
    readonly count?: number | undefined;
  }[];
  readonly relay: string;
}

/** The blades that a Drain takes out of service; of a Worker none. Pods of a Site or Cluster stay reachable, so its workers do not count. */
export function bladesOfDrain(platform: Platform, drain: Drain, nowMs: number): ReadonlySet<string> {
  const alone: Platform = { ...platform, drains: new Map([[drain.metadata.name, drain]]) };
  const pools = [...platform.edgePools.values()];
  const blades = pools.flatMap((pool) =>
    pool.spec.blades.filter((blade) => drainOfBlade(alone, pool, blade.name, nowMs) !== undefined),
  );
  return new Set(blades.map((blade) => blade.name));
}

const order = ['unknown', 'waiting', 'draining', 'empty'] as const;

/** A target of which no agent is known is in an unknown phase: nothing says that it is empty. */
export function leftTogether(servers: readonly Left[]): LeftTogether {
  const known = servers.flatMap(({ counts }) => (counts === undefined ? [] : [counts]));
  const sum = (of: keyof LeftCounts): number => known.reduce((total, counts) => total + (counts[of] ?? 0), 0);
  const counts = {
    vips: sum('vips'),
    connections: sum('connections'),
    requestsPerSecond: sum('requestsPerSecond'),
    pods: sum('pods'),
  };
  const phase = order.find((one) => servers.some((server) => server.phase === one)) ?? 'unknown';
  const onlyKept = servers.every((server) => server.phase === 'empty' || server.onlyKept === true);
  return {
    phase,
    left: servers.flatMap(({ text }) => (text === undefined ? [] : [text])),
    ...(servers.length > 0 && known.length === servers.length ? { counts } : {}),
    ...(phase === 'draining' && onlyKept ? { onlyKept } : {}),
  };
}

/** Of a server whose agent gives no answer, with the cause as a clause that goes on after its name. */
export function silentServer(server: string, problem: string): Left {
  return { phase: 'unknown', text: `${server} ${problem}` };
}

export function leftOfBlade(server: string, { draining, vips, nginx, bgp, requestsPerSecond = 0 }: BladeFacts): Left {
  const { kept = [], others = [] } = Object.groupBy(
    vips.filter((vip) => vip.announced),
    ({ reasons = [] }) => (reasons.includes('LastAnnouncer') ? 'kept' : 'others'),
  );
  const announced = kept.length + others.length;
  const unknown = unheard(server, bgp.relay);
  const connections = nginx?.activeConnections;
  const counts =
    unknown === undefined && connections !== undefined
      ? { counts: { vips: announced, connections, requestsPerSecond: Math.round(requestsPerSecond) } }
      : {};
  if (!draining) return { phase: 'waiting', text: `${server} has not heard of it`, ...counts };
  if (unknown !== undefined) return unknown;
  if (connections === undefined) return { phase: 'unknown', text: `${server} does not know its connections` };
  if (announced === 0 && connections === 0) return nothingLeft;
  const rate = requestsPerSecond >= 1 ? ` (${Math.round(requestsPerSecond)} requests a second)` : '';
  const parts = [
    ...(others.length === 0 ? [] : [`announces ${listOf(others)}`]),
    ...(kept.length === 0 ? [] : [`keeps ${listOf(kept)} as the last blade`]),
    ...(connections === 0
      ? []
      : [`has ${connections} ${connections === 1 ? 'connection' : 'connections'} open${rate}`]),
  ];
  const onlyKept = others.length === 0 && connections === 0;
  return {
    phase: 'draining',
    text: `${server} ${parts.join(' and ')}`,
    ...counts,
    ...(onlyKept ? { onlyKept } : {}),
  };
}

function listOf(vips: readonly { readonly address: string }[]): string {
  return vips.map(({ address }) => address).join(', ');
}

const nothingLeft: Left = { phase: 'empty', counts: {} };

export function leftOfWorker(server: string, { action, reason, announced, notices, relay }: WorkerFacts): Left {
  const waits = notices.find((notice) => notice.reason === 'DrainWaits');
  if (waits !== undefined)
    return {
      phase: 'draining',
      text: `${server}: ${waits.message}`,
      ...(waits.count === undefined ? {} : { counts: { pods: waits.count } }),
    };
  const pods = announced.filter(({ class: of }) => of === 'pods').length;
  if (reason !== 'NodeDrained')
    return { phase: 'waiting', text: `${server} has not heard of it (${reason ?? action})` };
  const unknown = unheard(server, relay);
  if (unknown !== undefined) return unknown;
  if (pods === 0) return nothingLeft;
  return { phase: 'draining', text: `${server} announces ${pods} ${pods === 1 ? 'route' : 'routes'} of pods` };
}

/** What is announced is known only while the relay has an ExaBGP that answers. */
function unheard(server: string, relay: string): Left | undefined {
  if (relay === 'synced') return undefined;
  return { phase: 'unknown', text: `${server} does not know what its ExaBGP announces (${relay})` };
}
