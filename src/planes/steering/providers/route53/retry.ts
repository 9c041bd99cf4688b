import { messageOf } from '../../../../model/values.ts';
import { type BackoffOptions, backoffMs } from '../../../../runtime/backoff.ts';
import { type Clock, sleep } from '../../../../runtime/clock.ts';
import { SteeringError } from '../../reasons.ts';

export interface RetryOptions extends Pick<BackoffOptions, 'firstMs' | 'ceilingMs'> {
  readonly clock: Clock;
  /** Returns a random number in [0, 1); it spreads writers that were refused at the same moment. */
  readonly random: () => number;
  /** Time after which no further attempt is made. */
  readonly limitMs: number;
  /** Is told, as one line for people, each time that a call is to be repeated, and why. */
  readonly onRetry?: (line: string) => void;
}

/** Names of refusals of a call as one too many. */
const throttling: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
]);

export const isThrottling = (error: unknown): boolean => throttling.has(errorName(error));

/** Names of refusals that ask to come back later; Route 53 has then done nothing. */
const retryLater: ReadonlySet<string> = new Set([...throttling, 'PriorRequestNotComplete', 'ServiceUnavailable']);

/**
 * Repeats `call` while the provider asks to come back later. `onUnknown` is called when a request was sent and no answer
 * came: the provider may or may not have carried it out, and the request is repeated as well.
 */
export async function retrying<T>(options: RetryOptions, call: () => Promise<T>, onUnknown?: () => void): Promise<T> {
  const deadline = options.clock.monotonic() + options.limitMs;
  const { random } = options;
  for (let failures = 1; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof SteeringError) throw error;
      const name = errorName(error);
      const unanswered = statusOf(error) === undefined || (statusOf(error) ?? 0) >= 500;
      if (!retryLater.has(name) && !unanswered) throw error;
      if (unanswered) onUnknown?.();
      const waitMs = backoffMs(failures, { ...options, jitter: [0.5, 1] }, { random });
      if (options.clock.monotonic() + waitMs > deadline) throw error;
      const what = unanswered && statusOf(error) === undefined ? 'does not answer' : 'asks to come back later';
      options.onRetry?.(
        `Route 53 ${what} (${messageOf(error)}); trying again in ${(waitMs / 1000).toFixed(1)} s, for ${Math.ceil((deadline - options.clock.monotonic()) / 1000)} s at the most`,
      );
      await sleep(options.clock, waitMs);
    }
  }
}

export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The HTTP status of the provider's answer; undefined when there was no answer. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata as { readonly httpStatusCode?: number };
  return metadata.httpStatusCode;
}

/** The SteeringError for an error of the SDK. */
export function asSteeringError(error: unknown, what: string): SteeringError {
  if (error instanceof SteeringError) return error;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (statusOf(error) === undefined) {
    return new SteeringError('ProviderUnreachable', `Route 53 did not answer to ${what}: ${why}`, { cause: error });
  }
  if (errorName(error) === 'TooManyHealthChecks') return new SteeringError('HealthCheckQuota', why, { cause: error });
  if (errorName(error) === 'NoSuchHostedZone') return new SteeringError('ZoneMissing', why, { cause: error });
  return new SteeringError('ProviderRefused', `Route 53 refused to ${what}: ${why}`, { cause: error });
}
