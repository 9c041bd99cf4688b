import type { Account } from '../clients/ledger.ts';
import type { Tolerance } from './step.ts';

export interface Judgement {
  /** From the fault to the end of the last failed request; 0 when none failed; null for a step without a fault. */
  readonly recoveredAfterMs: number | null;
  /** Why the clients' account is not tolerable; absent when it is. */
  readonly complaint?: string;
}

/** Judges what the clients saw of a step by what they may see (pure). Times are ms since the epoch. */
export function judge(
  tolerance: Tolerance,
  account: Pick<Account, 'failed' | 'failures'>,
  times: { readonly fromMs: number; readonly faultAtMs: number | undefined },
): Judgement {
  const base = times.faultAtMs ?? times.fromMs;
  const lastFailureMs = Math.max(base, ...account.failures.map(({ atMs }) => atMs));
  const lateMs = Math.round(lastFailureMs - base);
  const recoveredAfterMs = times.faultAtMs === undefined ? null : lateMs;
  if (account.failed === 0) return { recoveredAfterMs };
  const reasons = [...new Set(account.failures.map(({ country, reason }) => `${country} ${reason}`))].slice(0, 5);
  if (tolerance.kind === 'nothing')
    return { recoveredAfterMs, complaint: `${account.failed} requests failed, none may (${reasons.join(', ')})` };
  if (lateMs <= tolerance.withinMs) return { recoveredAfterMs };
  const since = times.faultAtMs === undefined ? 'its begin' : 'the fault';
  const allowed = `${tolerance.withinMs} are allowed`;
  return {
    recoveredAfterMs,
    complaint: `requests failed until ${lateMs} ms after ${since}, ${allowed} (${reasons.join(', ')})`,
  };
}
