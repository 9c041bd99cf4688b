import { GetHealthCheckStatusCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { sleep } from '../../../../runtime/clock.ts';
import type { HealthCheck } from '../../compile/entries.ts';
import { SteeringError } from '../../reasons.ts';
import type { UnprovenCheck } from '../../records/checks.ts';
import { HealthWatch, looksHealthy, type Report, reportsOf } from './health.ts';
import { asSteeringError, errorName, type RetryOptions, retrying } from './retry.ts';

export interface ObserveOptions extends RetryOptions {
  /** Pause before asking again for the status of the same check. */
  readonly pollMs: number;
  /** Pause between two questions for the status of checks, after the first four. */
  readonly statusMs: number;
  readonly onWait?: (line: string) => void;
}

type Observed = UnprovenCheck & { readonly id: string };

/** Time for a new check to reach the checkers. */
const propagationMs = 120_000;
/** Pause between two lines about the wait. */
const progressMs = 10_000;
/** GetHealthCheckStatus may be called so often at once, and then once for each `statusMs`. */
const statusBurst = 4;

/**
 * Resolves when the checkers know every one of these checks. Throws HealthUnknown when they do not in time, and HealthDisagrees
 * when a check fails and one that it replaces succeeds.
 */
export async function awaitHealth(
  client: Route53Client,
  options: ObserveOptions,
  observed: readonly Observed[],
): Promise<void> {
  if (observed.length === 0) return;
  const { clock } = options;
  const ask = askerOf(client, options);
  const watched = observed.map((one) => ({ ...one, watch: new HealthWatch(one.check.failureThreshold) }));
  const deadline = clock.monotonic() + limitOf(observed, options);
  let saidAt = -progressMs;
  for (;;) {
    const open = watched.filter(({ watch }) => watch.verdict() === 'unknown');
    for (const { id, watch } of open) watch.add((await ask(id)) ?? deletedMeanwhile(id));
    const [first, ...others] = open.filter(({ watch }) => watch.verdict() === 'unknown');
    if (first === undefined) break;
    const which = `${textOf(first.check)}${others.length === 0 ? '' : ` and ${others.length} more`}`;
    if (clock.monotonic() > deadline) throw unknownHealth(which);
    if (clock.monotonic() - saidAt >= progressMs) {
      saidAt = clock.monotonic();
      options.onWait?.(
        `Route 53 does not know the health of ${others.length + 1} of ${observed.length} new checks yet (${which}); no record uses them before`,
      );
    }
    await sleep(clock, options.pollMs);
  }
  for (const { check, replaces, watch } of watched) {
    if (watch.verdict() === 'unhealthy') await refuseDisagreement(check, replaces, ask);
  }
}

/** Time in which every checker can have probed often enough, also when many checks share the rate of questions. */
function limitOf(observed: readonly Observed[], { statusMs }: ObserveOptions): number {
  const rounds = observed.map(
    ({ check }) => (check.failureThreshold + 3) * Math.max(check.intervalSeconds * 1000, observed.length * statusMs),
  );
  return propagationMs + Math.max(...rounds);
}

function unknownHealth(which: string): SteeringError {
  return new SteeringError(
    'HealthUnknown',
    `Route 53 does not say whether the new health check of ${which} succeeds, so no record was changed; apply again, the check goes on meanwhile`,
  );
}

/** Resolves with undefined when there is no such check. */
type Ask = (id: string) => Promise<readonly Report[] | undefined>;

async function refuseDisagreement(check: HealthCheck, replaces: readonly string[], ask: Ask): Promise<void> {
  for (const id of replaces) {
    // One that somebody deleted at the provider says nothing, and what it said before does not count.
    if (!looksHealthy((await ask(id)) ?? [])) continue;
    throw new SteeringError(
      'HealthDisagrees',
      `the new health check of ${textOf(check)} fails while the one in use succeeds, so no record was changed; make the endpoint answer there, or put spec.healthCheck of its Cluster back`,
    );
  }
}

/** Asks for the last reports of a check's checkers, no faster than Route 53 allows. */
function askerOf(client: Route53Client, options: ObserveOptions): Ask {
  let asked = 0;
  return async (HealthCheckId) => {
    asked += 1;
    if (asked > statusBurst) await sleep(options.clock, options.statusMs);
    try {
      const command = new GetHealthCheckStatusCommand({ HealthCheckId });
      const { HealthCheckObservations = [] } = await retrying(options, () => client.send(command));
      return reportsOf(HealthCheckObservations);
    } catch (error) {
      if (errorName(error) === 'NoSuchHealthCheck') return undefined;
      throw asSteeringError(error, 'say the status of a health check');
    }
  };
}

/** Another writer retired and deleted the check, because no record uses it yet: its plan is the newer one. */
function deletedMeanwhile(id: string): never {
  throw new SteeringError('StaleGeneration', `the new health check ${id} was deleted since; plan again`);
}

function textOf({ protocol, address, port, path, searchString }: HealthCheck): string {
  const search = searchString === undefined ? '' : ` with ${JSON.stringify(searchString)} in the answer`;
  return `${protocol} ${address} port ${port} ${path}${search}`;
}
