import type { ApiError } from './client.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/** A server may ask for patience, but not for ever. */
const longestRetryAfterMs = 300_000;

/**
 * How long to wait after the nth failure in a row (from 1): full jitter below a doubling ceiling, so that a thousand
 * agents do not come back together; never less than what Retry-After asked for, spread over a quarter more.
 */
export function backoffMs(
  failures: number,
  retryAfterMs: number | undefined,
  random: () => number,
  { baseMs, capMs }: BackoffOptions,
): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(failures, 20));
  const jittered = Math.round(random() * ceiling);
  if (retryAfterMs === undefined) return jittered;
  const asked = Math.min(retryAfterMs, longestRetryAfterMs);
  return Math.max(jittered, Math.round(asked * (1 + random() / 4)));
}

/** Whether the server said that what we stand on is too old to go on from. */
export function isExpired(error: ApiError): boolean {
  return error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone';
}
