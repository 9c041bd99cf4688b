import type { Kind } from '../kinds.ts';
import type { SourceStatus } from '../source.ts';
import type { Machine, Trouble } from './machine.ts';

export interface StatusInput {
  readonly before: SourceStatus;
  /** True when a first snapshot has been published. */
  readonly published: boolean;
  /** True when every kind has been listed and there is no object. */
  readonly empty: boolean;
  readonly watches: readonly {
    readonly kind: Kind;
    readonly machine: Pick<Machine, 'trouble'>;
    readonly heardMs: number | undefined;
  }[];
  /** Describes the objects that are kept although the server does not have them any more. */
  readonly doubt: { readonly message: string; readonly sinceMs: number } | undefined;
  /** How a person accepts the other cluster that answers; empty when none does. */
  readonly howToAccept: string;
  readonly staleAfterMs: number;
  /** The time of the monotonic clock. */
  readonly nowMs: number;
  /** The time since the epoch. */
  readonly wallMs: number;
}

/** The status of the source, and the time after which it may be another one although nothing happens. */
export function judgeStatus(input: StatusInput): { readonly status: SourceStatus; readonly recheckMs?: number } {
  const { before, nowMs, wallMs, staleAfterMs } = input;
  const troubled = input.watches
    .filter(({ machine }) => machine.trouble !== undefined)
    .toSorted((a, b) => (a.machine.trouble?.sinceMs ?? 0) - (b.machine.trouble?.sinceMs ?? 0));
  const [first] = troubled;
  const trouble = first?.machine.trouble;
  if (!input.published) return { status: syncing(input, first?.kind) };
  const { doubt } = input;
  const heardMs = troubled.map((watch) => watch.heardMs ?? wallMs);
  const sinceMs = before.phase === 'stale' ? before.sinceMs : Math.min(wallMs, doubt?.sinceMs ?? wallMs, ...heardMs);
  if (doubt !== undefined)
    return { status: { phase: 'stale', sinceMs, reason: 'SourceImplausible', message: doubt.message } };
  if (first === undefined || trouble === undefined)
    return { status: before.phase === 'live' ? before : { phase: 'live', sinceMs: wallMs } };
  // Another cluster is no failure that may pass: whoever writes to the cluster must stop at once.
  const graceMs = trouble.reason === 'SourceOfOtherCluster' ? 0 : staleAfterMs;
  const restMs = trouble.sinceMs + graceMs - nowMs;
  // A stale source stays stale until no kind is in trouble; its reason may change on the way.
  if (restMs > 0 && before.phase !== 'stale')
    return { status: before.phase === 'live' ? before : { phase: 'live', sinceMs: wallMs }, recheckMs: restMs };
  return {
    status: { phase: 'stale', sinceMs, reason: trouble.reason, message: messageOf(input, first.kind, trouble) },
  };
}

function messageOf({ howToAccept }: StatusInput, kind: Kind, { reason, message }: Trouble): string {
  return `${kind}: ${message}${reason === 'SourceOfOtherCluster' ? howToAccept : ''}`;
}

/**
 * The status before the first snapshot. A failure shows at once, so that an agent that has a snapshot on disk need not wait
 * for the source.
 */
function syncing(input: StatusInput, kind: Kind | undefined): SourceStatus {
  const { watches, empty } = input;
  const trouble = watches.find((watch) => watch.kind === kind)?.machine.trouble;
  if (kind !== undefined && trouble !== undefined)
    return { phase: 'syncing', reason: trouble.reason, message: messageOf(input, kind, trouble) };
  return empty ? { phase: 'syncing', reason: 'SourceEmpty' } : { phase: 'syncing' };
}
