import { GetHealthCheckStatusCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { sleep } from '../../../../runtime/clock.ts';
import { looksHealthy, reportsOf } from './health.ts';
import { type RetryOptions, retrying } from './retry.ts';

/** Route 53 takes four questions for a status at once, then one a second. */
const burst = 4;
const everyMs = 1000;
/** The status of more checks would take longer than a person waits for a plan. */
const mostChecks = 40;
/** A status that is not told within this time is not known. */
const limitMs = 10_000;

/** Asks for the status of health checks, at the pace that Route 53 allows. */
export class StatusReader {
  readonly #client: Route53Client;
  readonly #retry: RetryOptions;
  /** When the next question is due if none is sent ahead of its time. */
  #dueMs: number;

  constructor(client: Route53Client, retry: RetryOptions) {
    this.#client = client;
    this.#retry = retry;
    this.#dueMs = retry.clock.monotonic();
  }

  /** The health of checks by key; `ids` are their identifiers. The first check that is not answered ends the questions. */
  async read(ids: ReadonlyMap<string, string>, keys: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
    const health = new Map<string, boolean>();
    try {
      for (const key of keys.slice(0, mostChecks)) {
        const id = ids.get(key);
        const healthy = id === undefined ? undefined : await this.#ask(id);
        if (healthy !== undefined) health.set(key, healthy);
      }
    } catch {
      // Without the permission, or without an answer, the health is not known, and a plan says so.
    }
    return health;
  }

  async #ask(HealthCheckId: string): Promise<boolean | undefined> {
    const { clock } = this.#retry;
    const aheadMs = this.#dueMs - clock.monotonic() - (burst - 1) * everyMs;
    if (aheadMs > 0) await sleep(clock, aheadMs);
    this.#dueMs = Math.max(this.#dueMs, clock.monotonic()) + everyMs;
    const command = new GetHealthCheckStatusCommand({ HealthCheckId });
    const { HealthCheckObservations } = await retrying({ ...this.#retry, limitMs }, () => this.#client.send(command));
    const reports = reportsOf(HealthCheckObservations ?? []);
    return reports.length === 0 ? undefined : looksHealthy(reports);
  }
}
