import type { Demand, LastMinute } from '../../../model/demand.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { RequestCounts } from './counts.ts';
import { DemandWindow } from './demand.ts';
import { LastMinuteWindow } from './last-minute.ts';
import { type RequestMetrics, setRequestMetrics } from './metrics.ts';

export interface RequestReaderOptions {
  readonly read: () => Promise<RequestCounts>;
  readonly pool: () => string;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
}

/** Reading is cheap for nginx, but not free: with 200 busy hosts some milliseconds, which it divides. */
const everyMs = 5000;

/**
 * Reads what nginx counted of requests, for the metrics and for the demand. While nginx does not answer, or is of an older version, the
 * last values stay: what is wrong with nginx is told elsewhere.
 */
export class RequestReader {
  readonly #options: RequestReaderOptions;
  readonly #window = new DemandWindow();
  readonly #lastMinute = new LastMinuteWindow();
  #countryData: string | undefined;
  #countryDataBuilt: string | undefined;
  #timer: Timer | undefined;
  #reading: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: RequestReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#reading = this.#read().then(() => {
      if (!this.#stopped) this.#timer = this.#options.clock.setTimeout(() => this.start(), everyMs);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#reading;
  }

  get demand(): Demand | undefined {
    return this.#window.demand;
  }

  get lastMinute(): LastMinute | undefined {
    return this.#lastMinute.lastMinute;
  }

  get requestsPerSecond(): number | undefined {
    return this.#window.requestsPerSecond;
  }

  /** Whether nginx knows the countries of addresses: `ready`, or why not; undefined before it answered. */
  get countryData(): string | undefined {
    return this.#countryData;
  }

  /** When that data was made, as an ISO date; undefined where it does not say. */
  get countryDataBuilt(): string | undefined {
    return this.#countryDataBuilt;
  }

  async #read(): Promise<void> {
    const { read, metrics, pool, clock } = this.#options;
    const counts = await read().catch(() => undefined);
    if (counts === undefined) return;
    this.#countryData = counts.countryData;
    const { countryDataBuilt: built } = counts;
    this.#countryDataBuilt = built === undefined ? undefined : new Date(1000 * built).toISOString();
    this.#window.read(counts, clock.now());
    this.#lastMinute.read(counts, clock.now());
    setRequestMetrics(metrics, counts, pool());
  }
}
