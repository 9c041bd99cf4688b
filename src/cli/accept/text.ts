import { isSharedAcceptFile } from '../../kube/acceptance.ts';
import type { LocalAgent } from '../../observe/ask-doubts.ts';
import type { AgentDoubt } from '../../observe/doubt-fields.ts';
import type { FleetDoubt } from '../../observe/doubts.ts';
import { age } from '../../observe/times.ts';
import type { Taken } from './taken.ts';

interface Looked {
  /** True when the doubts are those of this server. */
  readonly here: boolean;
  /** Who did not answer. */
  readonly silent: readonly string[];
  readonly nowMs: number;
}

const named = 5;

/** The doubts for people: what, for how long, and the command that accepts it. */
export function renderDoubts(doubts: readonly FleetDoubt[], { here, silent, nowMs }: Looked): readonly string[] {
  const where = here ? 'on this server' : 'by agents that answer';
  return [
    ...(doubts.length === 0 ? [`nothing is in doubt ${where}`] : []),
    ...doubts.flatMap((doubt) => [
      `cluster ${doubt.cluster}: ${doubt.message} (${doubt.reason})`,
      `  for ${age(nowMs - doubt.sinceMs)}, by ${doubt.servers.join(', ')}`,
      ...objectLines(doubt),
      ...(doubt.untilMs === undefined ? [] : [`  takes effect by itself in ${age(doubt.untilMs - nowMs)}`]),
      ...(doubt.undo === undefined ? [] : [`  to take it back: ${doubt.undo}`]),
      ...commandLines(doubt, here),
    ]),
    ...silent.map((name) => `not known: ${name} does not answer`),
  ];
}

function commandLines({ fingerprint, servers }: FleetDoubt, here: boolean): readonly string[] {
  if (fingerprint === undefined) return ['  it cannot be accepted now; look again in some seconds'];
  if (here) return [`  if it is meant: tideline accept ${fingerprint} --yes`];
  return servers.map((server) => `  if it is meant, on ${server}: tideline accept ${fingerprint} --yes`);
}

function objectLines({ objects, count }: Pick<AgentDoubt, 'objects' | 'count'>): readonly string[] {
  const more = count - Math.min(named, objects.length);
  return [...objects.slice(0, named).map((name) => `  ${name}`), ...(more > 0 ? [`  and ${more} more`] : [])];
}

interface Done {
  readonly written: boolean;
  /** The agents that have not taken it. */
  readonly missing: readonly string[];
}

/** What an acceptance does, or did. */
export function renderPlan(
  fingerprint: string,
  wanted: readonly { readonly agent: LocalAgent; readonly doubt: AgentDoubt; readonly file: string }[],
  { written, missing }: Done,
): readonly string[] {
  return [
    `accept ${fingerprint}`,
    ...wanted.flatMap(({ agent, doubt, file }) => [
      `  ${agent.agent} agent of ${agent.server}: ${consequence(doubt)}`,
      ...objectLines(doubt).map((line) => `  ${line}`),
      `    by ${file}`,
      ...(isSharedAcceptFile(file) ? ['    every agent that reads this folder takes it, also on other servers'] : []),
    ]),
    '',
    ...(written ? verdict(missing) : ['nothing was written; add --yes to do it']),
  ];
}

/** What `tideline accept` says of a fingerprint that is in doubt no longer because agents have taken it. */
export function renderAlready(fingerprint: string, taken: readonly Taken[]): readonly string[] {
  return [
    `${fingerprint} is accepted already; nothing is to be done`,
    ...taken.map(({ server, atMs, by }) => {
      const at = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
      return `  taken by the agent of ${server} at ${at}${by === undefined ? '' : `, accepted by ${by}`}`;
    }),
  ];
}

function consequence({ reason, count, message }: AgentDoubt): string {
  if (reason === 'SourceImplausible') return `lets go of ${count} ${count === 1 ? 'object' : 'objects'}`;
  if (reason === 'SourceOfOtherCluster') return 'takes the other cluster for its own, with all that it has and lacks';
  if (reason === 'PoolEditWaits') return 'withdraws the VIP now';
  return `obeys the edit now (${message})`;
}

function verdict(missing: readonly string[]): readonly string[] {
  if (missing.length === 0) return ['taken'];
  return missing.map((name) => `written, but the ${name} has not taken it yet: look at its log`);
}
