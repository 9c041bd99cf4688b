import { drainOfBlade, isInForce } from '../model/platform/drains.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { AgentPart, EdgePart, NetworkPart, Snapshot } from './snapshot.ts';

/**
 * How far a Drain has come. `over`: it has expired; `waiting`: an agent has not heard of it; `draining`: something is left;
 * `empty`: nothing is, so the machine may be switched off; `unknown`: an agent that matters does not answer.
 */
export type DrainPhase = 'over' | 'waiting' | 'draining' | 'empty' | 'unknown';

export interface DrainState {
  readonly name: string;
  readonly target: Drain['spec']['target'];
  readonly reason: string;
  readonly expires: string;
  readonly phase: DrainPhase;
  /** What is left, by server; servers with nothing left are not named. */
  readonly left: readonly string[];
  /** DNS follows a Drain of a cluster or site when somebody applies the plan. */
  readonly dns: 'not concerned' | 'follows at the next apply';
}

/** The state of every Drain of the spec, those that end first before the others. */
export function drainStates(platform: Platform, snapshot: Snapshot): readonly DrainState[] {
  return [...platform.drains.values()]
    .toSorted((a, b) => Date.parse(a.spec.expires) - Date.parse(b.spec.expires))
    .map((drain) => stateOf(platform, drain, snapshot));
}

/** What one server still does. */
interface Left {
  readonly phase: Exclude<DrainPhase, 'over'>;
  readonly text?: string;
}

function stateOf(platform: Platform, drain: Drain, snapshot: Snapshot): DrainState {
  const { target, reason, expires } = drain.spec;
  const shared = {
    name: drain.metadata.name,
    target,
    reason,
    expires,
    dns:
      target.kind === 'Cluster' || target.kind === 'Site'
        ? ('follows at the next apply' as const)
        : ('not concerned' as const),
  };
  if (!isInForce(drain, snapshot.takenAtMs)) return { ...shared, phase: 'over', left: [] };
  const servers = serversOf(platform, drain, snapshot).map(leftOf);
  return {
    ...shared,
    phase: worstOf(servers.map(({ phase }) => phase)),
    left: servers.flatMap(({ text }) => (text === undefined ? [] : [text])),
  };
}

const order = ['unknown', 'waiting', 'draining', 'empty'] as const;

/** A target of which no agent is known is in an unknown phase: nothing says that it is empty. */
function worstOf(phases: readonly Left['phase'][]): Left['phase'] {
  return order.find((phase) => phases.includes(phase)) ?? 'unknown';
}

/** The agents that a Drain concerns. Pods of a Site or Cluster stay reachable, so the agents of workers are not among them. */
function serversOf(platform: Platform, drain: Drain, { agents, takenAtMs }: Snapshot): readonly AgentPart[] {
  const { kind, name } = drain.spec.target;
  if (kind === 'Worker') return agents.filter(({ target }) => target.plane === 'network' && target.server === name);
  const alone: Platform = { ...platform, drains: new Map([[drain.metadata.name, drain]]) };
  const pools = [...platform.edgePools.values()];
  const blades = pools.flatMap((pool) =>
    pool.spec.blades.filter((blade) => drainOfBlade(alone, pool, blade.name, takenAtMs) !== undefined),
  );
  const names = new Set(blades.map((blade) => blade.name));
  return agents.filter(({ target }) => target.plane === 'edge' && names.has(target.server));
}

function leftOf(part: AgentPart): Left {
  const { server } = part.target;
  if ('problem' in part) return { phase: 'unknown', text: `${server} ${part.problem}` };
  return 'edge' in part ? leftOfBlade(server, part.edge) : leftOfWorker(server, part.network);
}

/** What is announced is known only while the relay has an ExaBGP that answers. */
function unheard(server: string, relay: string): Left | undefined {
  if (relay === 'synced') return undefined;
  return { phase: 'unknown', text: `${server} does not know what its ExaBGP announces (${relay})` };
}

function leftOfBlade(server: string, { draining, vips, nginx, bgp }: EdgePart): Left {
  if (!draining) return { phase: 'waiting', text: `${server} has not heard of it` };
  const unknown = unheard(server, bgp.relay);
  if (unknown !== undefined) return unknown;
  if (nginx === undefined) return { phase: 'unknown', text: `${server} does not know its connections` };
  const announced = vips.filter((vip) => vip.announced).map(({ address }) => address);
  const connections = nginx.activeConnections;
  if (announced.length === 0 && connections === 0) return { phase: 'empty' };
  const parts = [
    ...(announced.length === 0 ? [] : [`announces ${announced.join(', ')}`]),
    ...(connections === 0 ? [] : [`has ${connections} ${connections === 1 ? 'connection' : 'connections'} open`]),
  ];
  return { phase: 'draining', text: `${server} ${parts.join(' and ')}` };
}

function leftOfWorker(server: string, { action, reason, announced, notices, relay }: NetworkPart): Left {
  const waits = notices.find((notice) => notice.reason === 'DrainWaits');
  if (waits !== undefined) return { phase: 'draining', text: `${server}: ${waits.message}` };
  const pods = announced.filter(({ class: of }) => of === 'pods').length;
  if (reason !== 'NodeDrained')
    return { phase: 'waiting', text: `${server} has not heard of it (${reason ?? action})` };
  const unknown = unheard(server, relay);
  if (unknown !== undefined) return unknown;
  if (pods === 0) return { phase: 'empty' };
  return { phase: 'draining', text: `${server} announces ${pods} ${pods === 1 ? 'route' : 'routes'} of pods` };
}
