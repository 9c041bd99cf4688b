import {
  bladesOfDrain,
  type Left,
  type LeftCounts,
  type LeftPhase,
  leftOfBlade,
  leftOfWorker,
  leftTogether,
  silentServer,
} from '../model/platform/drain-left.ts';
import { isInForce } from '../model/platform/drains.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Following } from './drain-dns.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';

/** How far a Drain has come; `over`: it has expired. */
export type DrainPhase = 'over' | LeftPhase;

export interface DrainState {
  readonly name: string;
  readonly target: Drain['spec']['target'];
  readonly reason: string;
  readonly expires: string;
  readonly phase: DrainPhase;
  /** What is left, by server; servers with nothing left are not named. */
  readonly left: readonly string[];
  /** Absent when it is over, and while of one server it is not known. */
  readonly counts?: LeftCounts;
  /** DNS follows a Drain of a cluster or site when somebody applies the plan, which is made of the folder. */
  readonly dns: DrainDns;
  /** What the name servers answer at this moment to users who are to be led away; absent where they were not asked. */
  readonly answers?: string;
}

/**
 * The state of every Drain of the spec, those that end first before the others. `fromApis` are the keys of those that no folder has,
 * `answers` what name servers say, by the same keys.
 */
export function drainStates(
  platform: Platform,
  snapshot: Snapshot,
  fromApis: ReadonlySet<string> = new Set(),
  answers: ReadonlyMap<string, Following> = new Map(),
): readonly DrainState[] {
  return [...platform.drains]
    .toSorted(([, a], [, b]) => Date.parse(a.spec.expires) - Date.parse(b.spec.expires))
    .map(([key, drain]) => ({
      ...stateOf(platform, drain, snapshot),
      dns: dnsOf(drain, fromApis.has(key)),
      ...withoutUndefined({ answers: answers.get(key)?.text }),
    }));
}

/** How DNS follows a Drain. */
type DrainDns =
  | 'not concerned'
  | 'follows at the next apply'
  | 'follows by health checks alone; records follow a Drain in the folder';

export function dnsOf({ spec: { target } }: Drain, fromApi: boolean): DrainDns {
  if (target.kind !== 'Cluster' && target.kind !== 'Site') return 'not concerned';
  return fromApi ? 'follows by health checks alone; records follow a Drain in the folder' : 'follows at the next apply';
}

function stateOf(platform: Platform, drain: Drain, snapshot: Snapshot): Omit<DrainState, 'dns' | 'answers'> {
  const { target, reason, expires } = drain.spec;
  const shared = { name: drain.metadata.name, target, reason, expires };
  if (!isInForce(drain, snapshot.takenAtMs)) return { ...shared, phase: 'over', left: [] };
  return { ...shared, ...leftTogether(serversOf(platform, drain, snapshot).map(leftOf)) };
}

/** The agents that a Drain concerns. */
function serversOf(platform: Platform, drain: Drain, { agents, takenAtMs }: Snapshot): readonly AgentPart[] {
  const { kind, name } = drain.spec.target;
  if (kind === 'Worker') return agents.filter(({ target }) => target.plane === 'network' && target.server === name);
  const blades = bladesOfDrain(platform, drain, takenAtMs);
  return agents.filter(({ target }) => target.plane === 'edge' && blades.has(target.server));
}

function leftOf(part: AgentPart): Left {
  const { server } = part.target;
  if ('problem' in part) return silentServer(server, part.problem);
  return 'edge' in part ? leftOfBlade(server, part.edge) : leftOfWorker(server, part.network);
}
