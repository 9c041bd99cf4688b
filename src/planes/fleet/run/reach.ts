import type { ComponentName } from '../compile/document.ts';

/**
 * The way to servers: a Salt master, or ssh where there is none. An answer has an entry for each server that was asked, and for no other.
 * A call rejects when nobody could be asked at all (no master, no right), or when it was aborted; what servers do then is not known.
 */
export interface Reach {
  /** Makes the documents of these servers come true; with `test` it is only said what would change. */
  apply(servers: readonly string[], options: ApplyOptions): Promise<ReadonlyMap<string, Applied>>;
  /** Runs one function of an execution module on these servers. */
  call(
    servers: readonly string[],
    fn: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Called>>;
}

export interface ApplyOptions {
  /** Only these; absent: all that the document has. */
  readonly components?: readonly ComponentName[];
  readonly test?: boolean;
  readonly signal: AbortSignal;
}

/** What became of the document on one server. */
export type Applied =
  /** The ids of states that changed something, or would. */
  | { readonly ok: true; readonly changes: readonly string[] }
  | { readonly ok: false; readonly failed: readonly FailedState[] }
  | Silent;

/** It did not answer: nobody knows what it did. */
export interface Silent {
  readonly silent: true;
  /** What is known of the reason. */
  readonly why?: string;
}

export interface FailedState {
  /** The id of the state; empty where the states could not be made. */
  readonly state: string;
  readonly comment: string;
}

export type Called = { readonly value: unknown } | { readonly error: string } | Silent;

/** Words about a server that did not answer, with what is known of the reason. */
export function ofSilent(words: string, silent: { readonly why?: string } | undefined): string {
  return silent?.why === undefined ? words : `${words}: ${silent.why}`;
}
