import {
  answersOfDrain,
  answersText,
  type DrainAnswers,
  dnsOfDrain,
  dnsUnknown,
  leftWithAnswers,
  policiesOfDrain,
} from '../model/platform/drain-answers.ts';
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
import type { DrainedView, ZoneView } from '../model/steering-status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Following } from './drain-dns.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';
import type { DrainedSeen } from './steering-part.ts';
import { joinedZones } from './steering-zones.ts';

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
  /** How much DNS still leads there, as the steering agents that lead say it, or else its status in an API; absent where nobody says it. */
  readonly inDns?: DrainAnswers;
  /** Its servers are known, and nothing else keeps it from being called empty. */
  readonly onlyDnsUnknown?: true;
}

/** What others than agents say of Drains, by their keys in the platform. */
export interface SaidOfDrains {
  /** The Drains that no folder has. */
  readonly fromApis?: ReadonlySet<string>;
  /** What name servers answer. */
  readonly following?: ReadonlyMap<string, Following>;
  /** What stands of DNS in the status of Drains in APIs. */
  readonly inStatus?: ReadonlyMap<string, DrainAnswers>;
}

/** The state of every Drain of the spec, those that end first before the others. */
export function drainStates(platform: Platform, snapshot: Snapshot, said: SaidOfDrains = {}): readonly DrainState[] {
  return [...platform.drains]
    .toSorted(([, a], [, b]) => Date.parse(a.spec.expires) - Date.parse(b.spec.expires))
    .map(([key, drain]) => {
      const following = said.following?.get(key);
      return {
        ...stateOf(platform, drain, snapshot, { following, inStatus: said.inStatus?.get(key) }),
        dns: dnsOf(drain, said.fromApis?.has(key) === true),
        ...withoutUndefined({ answers: following?.text }),
      };
    });
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

interface SaidOfDrain {
  readonly following: Following | undefined;
  readonly inStatus: DrainAnswers | undefined;
}

function stateOf(
  platform: Platform,
  drain: Drain,
  snapshot: Snapshot,
  { following, inStatus }: SaidOfDrain,
): Omit<DrainState, 'dns' | 'answers'> {
  const { target, reason, expires } = drain.spec;
  const { takenAtMs } = snapshot;
  const shared = { name: drain.metadata.name, target, reason, expires };
  if (!isInForce(drain, takenAtMs)) return { ...shared, phase: 'over', left: [] };
  const servers = leftTogether(serversOf(platform, drain, snapshot).map(leftOf));
  const asked = dnsOfDrain(drain, policiesOfDrain(platform, drain, takenAtMs), zonesSeen(snapshot));
  const dns = asked === 'unknown' ? (inStatus ?? asked) : asked;
  const left = leftWithAnswers(servers, dns, takenAtMs);
  // One name server may answer as before although the records lead elsewhere.
  const phase = left.phase === 'empty' && following?.still === true ? 'draining' : left.phase;
  const onlyDns = phase === 'unknown' && servers.phase !== 'unknown';
  return {
    ...shared,
    ...withoutUndefined({ counts: left.counts }),
    phase,
    left: left.left.map((text) => (text === dnsUnknown ? `${text} (${whyUnknown(snapshot)})` : text)),
    ...(typeof dns === 'object' ? { inDns: dns } : {}),
    ...(onlyDns ? { onlyDnsUnknown: true } : {}),
  };
}

/** Why nobody knows what DNS answers, as a clause. */
function whyUnknown({ steering }: Snapshot): string {
  if (steering === undefined) return 'name a steering agent with --steering HOST:PORT; no API says it either';
  return 'no steering agent that leads and was asked says it of every zone';
}

/** How much DNS still leads to what a Drain takes out of service, as far as steering agents were asked. */
function drainInDns(name: string, { steering = [] }: Pick<Snapshot, 'steering'>): DrainAnswers | undefined {
  return answersOfDrain(name, zonesSeen({ steering }));
}

/** What the agents that lead say of zones. */
function zonesSeen({
  steering = [],
}: Pick<Snapshot, 'steering'>): readonly Pick<ZoneView, 'provider' | 'zone' | 'drains'>[] {
  return joinedZones(steering).flatMap(({ views }) =>
    views.map(({ zone: { provider, zone, drains } }) => ({
      provider,
      zone,
      ...(drains === undefined ? {} : { drains: drains.map(seenOf) }),
    })),
  );
}

/** As an agent says it; a schema knows absent fields as undefined ones. */
function seenOf({ byFamily, emptyAtMs, ...view }: DrainedSeen): DrainedView {
  return { ...view, byFamily: withoutUndefined(byFamily), ...withoutUndefined({ emptyAtMs }) };
}

/** The same for a note of one line; undefined where nothing is to be said. */
export function drainInDnsText(name: string, snapshot: Pick<Snapshot, 'steering' | 'takenAtMs'>): string | undefined {
  const answers = drainInDns(name, snapshot);
  if (answers === undefined) return undefined;
  return answersText(answers, snapshot.takenAtMs) ?? 'DNS leads nobody there';
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
