import type { AgentDoubt, AgentDoubts } from '../../observe/doubt-fields.ts';
import type { Snapshot } from '../../observe/snapshot.ts';

/** What an agent said of its doubts and of the acceptances that it obeyed. */
export interface Heard extends AgentDoubts {
  /** The blade or node. */
  readonly server: string;
}

/** An acceptance that an agent has obeyed. */
export interface Taken {
  readonly server: string;
  readonly atMs: number;
  readonly by?: string | undefined;
}

/** What the agents of a snapshot said that answered. */
export function heardOf({ agents }: Pick<Snapshot, 'agents'>): readonly Heard[] {
  return agents.flatMap((part) => {
    if ('problem' in part) return [];
    const { doubts, accepted } = 'edge' in part ? part.edge : part.network;
    return [{ server: part.target.server, doubts, accepted }];
  });
}

/** Which agents have obeyed an acceptance of this fingerprint, each at its last time. */
export function takenAlready(fingerprint: string, agents: readonly Heard[]): readonly Taken[] {
  return agents.flatMap(({ server, accepted }) => {
    const last = accepted.findLast((one) => one.fingerprint === fingerprint);
    return last === undefined ? [] : [{ server, atMs: last.atMs, by: last.by }];
  });
}

/**
 * Whether an agent has taken what was written at a time, by what it says now. It has as well when another command for the same doubt,
 * as in a folder of manifests that several agents share, was a moment sooner. The clock is that of the same machine.
 */
export function isTaken({ accepted, doubts }: AgentDoubts, doubt: AgentDoubt, writtenMs: number): boolean {
  const last = accepted.findLast(({ fingerprint }) => fingerprint === doubt.fingerprint);
  if (last === undefined) return false;
  const isOver = doubts.every(({ fingerprint }) => fingerprint !== doubt.fingerprint);
  return last.atMs >= writtenMs || (isOver && last.atMs >= doubt.sinceMs);
}
