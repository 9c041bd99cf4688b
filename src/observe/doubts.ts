import type { AgentDoubt } from './doubt-fields.ts';
import type { Snapshot } from './snapshot.ts';
import { age } from './times.ts';

/** One doubt of the platform: several agents may have it. */
export interface FleetDoubt extends Omit<AgentDoubt, 'acceptFile' | 'former'> {
  readonly cluster: string;
  /** The servers where it is accepted, each for itself. */
  readonly servers: readonly string[];
}

/** What one server doubts. */
interface ServerDoubts {
  readonly server: string;
  readonly cluster: string;
  readonly doubts: readonly AgentDoubt[];
}

/** What the agents that answered doubt. */
export function doubtsOf({ agents }: Pick<Snapshot, 'agents'>): readonly FleetDoubt[] {
  return joinDoubts(
    agents.flatMap((part) => {
      if ('problem' in part) return [];
      const { server, cluster } = part.target;
      return [{ server, cluster, doubts: ('edge' in part ? part.edge : part.network).doubts }];
    }),
  );
}

/**
 * The same doubt of several servers of a cluster is one, as old as the oldest, and due when the first server does it. What takes effect
 * by itself comes first, the nearest first; then the oldest.
 */
export function joinDoubts(servers: readonly ServerDoubts[]): readonly FleetDoubt[] {
  const all = servers.flatMap(({ server, cluster, doubts }) => doubts.map((doubt) => ({ server, cluster, doubt })));
  const groups = Map.groupBy(all, ({ cluster, doubt }) =>
    JSON.stringify([cluster, doubt.reason, doubt.fingerprint ?? doubt.message]),
  );
  return [...groups.values()].flatMap(joined).toSorted((a, b) => dueMs(a) - dueMs(b) || a.sinceMs - b.sinceMs);
}

/** A number for every doubt, so that two of them can be subtracted. */
function dueMs({ untilMs = Number.MAX_SAFE_INTEGER }: Pick<FleetDoubt, 'untilMs'>): number {
  return untilMs;
}

function joined(
  group: readonly { readonly server: string; readonly cluster: string; readonly doubt: AgentDoubt }[],
): readonly FleetDoubt[] {
  const [first] = group;
  if (first === undefined) return [];
  const { acceptFile: _, former: __, ...doubt } = first.doubt;
  const sinceMs = Math.min(...group.map((one) => one.doubt.sinceMs));
  const dues = group.flatMap((one) => one.doubt.untilMs ?? []);
  const due = dues.length === 0 ? {} : { untilMs: Math.min(...dues) };
  const servers = [...new Set(group.map(({ server }) => server))];
  return [{ ...doubt, ...due, cluster: first.cluster, sinceMs, servers }];
}

/** The edits that take effect by themselves, unless the platform is frozen. */
const waits: ReadonlySet<string> = new Set(['PoolEditWaits', 'SiteEditWaits', 'ExportBanWaits']);

/** What to know of a doubt, a clause each: when it takes effect and what takes it back, then how it is accepted. */
export function whatToDo(doubt: FleetDoubt, nowMs: number): readonly string[] {
  const facts = [whenDone(doubt, nowMs), doubt.undo].filter((text) => text !== undefined);
  return [...(facts.length === 0 ? [] : [facts.join(': ')]), howToAccept(doubt)];
}

/** When an edit takes effect by itself; undefined for what never does. */
function whenDone({ reason, untilMs }: Pick<FleetDoubt, 'reason' | 'untilMs'>, nowMs: number): string | undefined {
  const isVip = reason === 'PoolEditWaits';
  if (untilMs !== undefined) {
    const at = `${new Date(untilMs).toISOString().slice(0, 19)}Z, in ${age(untilMs - nowMs)}`;
    return isVip
      ? `the VIP is withdrawn at ${at}, unless it is put back`
      : `the edit takes effect at ${at}, unless it is taken back`;
  }
  if (!waits.has(reason)) return undefined;
  return `${isVip ? 'the VIP is not withdrawn' : 'the edit takes no effect'} while the platform is frozen`;
}

/** How a person accepts a doubt: a clause for the end of a sentence. */
function howToAccept({ fingerprint, servers }: Pick<FleetDoubt, 'fingerprint' | 'servers'>): string {
  if (fingerprint === undefined) return 'it cannot be accepted now';
  const more = servers.length > 3 ? ` and ${servers.length - 3} more` : '';
  const each = servers.length > 1 ? 'on each of' : 'on';
  return `if it is meant: tideline accept ${fingerprint} ${each} ${servers.slice(0, 3).join(', ')}${more}`;
}

/** When a thawed edit takes effect: as soon as it has waited as long as its agent lets edits wait. */
function whenThawed({ sinceMs, waitsMs }: Pick<FleetDoubt, 'sinceMs' | 'waitsMs'>, nowMs: number): string {
  if (waitsMs === undefined)
    return `when its wait is over, of which its agent does not say how long it is; it has waited for ${age(nowMs - sinceMs)}`;
  const leftMs = sinceMs + waitsMs - nowMs;
  return leftMs <= 0 ? 'at once when agents read this' : `in ${age(leftMs)}`;
}

/** What takes effect by a thaw, the oldest first, as far as agents answer; and who does not. */
export function doneByThaw({
  agents,
  clusters,
  takenAtMs,
}: Pick<Snapshot, 'agents' | 'clusters' | 'takenAtMs'>): readonly string[] {
  const waiting = doubtsOf({ agents }).filter(({ reason, untilMs }) => waits.has(reason) && untilMs === undefined);
  const silent = agents.filter((part) => 'problem' in part).map(({ target }) => target.server);
  const more = silent.length > 3 ? ` and ${silent.length - 3} more` : '';
  return [
    ...waiting.map(({ message, reason, undo, ...doubt }) => {
      const when = whenThawed(doubt, takenAtMs);
      const back = undo === undefined ? '' : `; to keep what is: ${undo}`;
      return `takes effect ${when}: ${message} (${reason})${back}`;
    }),
    ...(silent.length === 0 ? [] : [`not known: what waits at ${silent.slice(0, 3).join(', ')}${more}: no answer`]),
    ...clusters.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`not known: what waits at the workers of cluster ${name}: ${problem}`],
    ),
  ];
}

/** What every screen says before anything else: that the platform is frozen, and what is doubted. */
export function firstLines(snapshot: Pick<Snapshot, 'agents' | 'frozen' | 'takenAtMs'>): readonly string[] {
  return [...frozenLines(snapshot), ...doubtLines(snapshot)];
}

/** That the platform is frozen, and who has not heard of it. */
export function frozenLines({ frozen }: Pick<Snapshot, 'frozen'>): readonly string[] {
  if (frozen === undefined) return [];
  const { line, unheard } = frozen;
  const more = unheard.length > 3 ? ` and ${unheard.length - 3} more` : '';
  return [line, ...(unheard.length === 0 ? [] : [`  not heard of by ${unheard.slice(0, 3).join(', ')}${more}`])];
}

function doubtLines(snapshot: Pick<Snapshot, 'agents' | 'takenAtMs'>): readonly string[] {
  const doubts = doubtsOf(snapshot);
  const lines = doubts
    .slice(0, 3)
    .flatMap((doubt) => [
      `DOUBT: cluster ${doubt.cluster}: ${doubt.message} (${doubt.reason})`,
      ...whatToDo(doubt, snapshot.takenAtMs).map((text) => `  ${text}`),
    ]);
  return doubts.length <= 3 ? lines : [...lines, `  and ${doubts.length - 3} more doubts: tideline accept FOLDER`];
}
