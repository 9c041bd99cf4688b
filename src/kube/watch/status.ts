import type { Kind } from '../kinds.ts';
import type { SourceStatus } from '../source.ts';
import type { Machine } from './machine.ts';

export interface StatusInput {
  readonly before: SourceStatus;
  /** A first snapshot is out. */
  readonly published: boolean;
  /** Everything has been read, and there is nothing. */
  readonly empty: boolean;
  readonly watches: readonly {
    readonly kind: Kind;
    readonly machine: Pick<Machine, 'trouble'>;
    readonly heardMs: number | undefined;
  }[];
  /** What is kept although the server does not have it any more. */
  readonly doubt: string | undefined;
  readonly staleAfterMs: number;
  /** Monotonic. */
  readonly nowMs: number;
  /** Since the epoch. */
  readonly wallMs: number;
}

/** How far the source can be trusted, and after which time that may be another answer without anything happening. */
export function judgeStatus(input: StatusInput): { readonly status: SourceStatus; readonly recheckMs?: number } {
  const { before, nowMs, wallMs, staleAfterMs } = input;
  const troubled = input.watches
    .filter(({ machine }) => machine.trouble !== undefined)
    .toSorted((a, b) => (a.machine.trouble?.sinceMs ?? 0) - (b.machine.trouble?.sinceMs ?? 0));
  const [first] = troubled;
  const trouble = first?.machine.trouble;
  if (!input.published) return { status: syncing(input, first?.kind) };
  const sinceMs =
    before.phase === 'stale' ? before.sinceMs : Math.min(wallMs, ...troubled.map((watch) => watch.heardMs ?? wallMs));
  if (input.doubt !== undefined)
    return { status: { phase: 'stale', sinceMs, reason: 'SourceImplausible', message: input.doubt } };
  if (first === undefined || trouble === undefined)
    return { status: before.phase === 'live' ? before : { phase: 'live', sinceMs: wallMs } };
  const restMs = trouble.sinceMs + staleAfterMs - nowMs;
  // Once stale, stale until nothing is wrong: the reason may change on the way back.
  if (restMs > 0 && before.phase !== 'stale')
    return { status: before.phase === 'live' ? before : { phase: 'live', sinceMs: wallMs }, recheckMs: restMs };
  return { status: { phase: 'stale', sinceMs, reason: trouble.reason, message: `${first.kind}: ${trouble.message}` } };
}

/** The first failure is said at once: an agent that has a snapshot on disk need not wait for us. */
function syncing({ watches, empty }: StatusInput, kind: Kind | undefined): SourceStatus {
  const trouble = watches.find((watch) => watch.kind === kind)?.machine.trouble;
  if (trouble !== undefined)
    return { phase: 'syncing', reason: trouble.reason, message: `${kind}: ${trouble.message}` };
  return empty ? { phase: 'syncing', reason: 'SourceEmpty' } : { phase: 'syncing' };
}
