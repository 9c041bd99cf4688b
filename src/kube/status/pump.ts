import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { KubeClient } from '../api/client.ts';
import type { TokenBucket } from './bucket.ts';
import type { WriteMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';

/** What every writer is handed. */
export interface WriterOptions {
  readonly client: KubeClient;
  readonly fieldManager: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: WriteMetrics;
  /** How long writes are allowed from now on (leadership, a live source); a write that cannot end by then is not begun. */
  readonly allowedForMs: () => number;
  /** Writes a second, and how many at once after a rest. */
  readonly perSecond?: number;
  readonly burst?: number;
}

export interface PumpOptions extends Pick<WriterOptions, 'clock' | 'random' | 'log' | 'allowedForMs'> {
  readonly bucket: TokenBucket;
  /** The next write that is due, or in how many ms one will be (Infinity: none until `wake`). */
  readonly next: (nowMs: number) => Write | number;
}

/** Sends it, notes what became of it, and says so; rejects never for what an API can answer. */
export type Write = (limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<Outcome>;

const mostMs = 5000;
const leastMs = 1000;
const backoffMs = 1000;
const backoffCeilingMs = 30_000;

/** Sends one write at a time, no faster than its bucket allows, only while that is allowed, and pauses with the API. */
export class Pump {
  readonly #options: PumpOptions;
  #timer: Timer | undefined;
  #flight: Promise<void> | undefined;
  #abort = new AbortController();
  #pausedUntilMs = -Infinity;
  #troubles = 0;
  #stopped = false;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Something may be due now. */
  wake(): void {
    if (this.#stopped || this.#flight !== undefined) return;
    this.#timer?.cancel();
    const { clock, bucket, allowedForMs, next } = this.#options;
    const now = clock.monotonic();
    const allowedMs = allowedForMs();
    if (allowedMs < leastMs) return;
    if (now < this.#pausedUntilMs) return this.#later(this.#pausedUntilMs - now);
    // First: `next` counts what it gives as sent.
    const emptyMs = bucket.waitMs(now);
    if (emptyMs > 0) return this.#later(emptyMs);
    const due = next(now);
    if (typeof due === 'number') return due === Infinity ? undefined : this.#later(due);
    bucket.take(now);
    this.#flight = this.#send(due, Math.min(mostMs, allowedMs)).finally(() => {
      this.#flight = undefined;
      this.wake();
    });
  }

  /** Until when the API is left alone, for people; undefined when it is not. */
  get pausedForMs(): number | undefined {
    const left = this.#pausedUntilMs - this.#options.clock.monotonic();
    return left > 0 ? left : undefined;
  }

  /** Gives up the write in flight. */
  cut(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** Resolves when no write is in flight. */
  async idle(): Promise<void> {
    await this.#flight;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#flight;
  }

  #later(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => this.wake(), Math.max(1, delayMs));
  }

  async #send(write: Write, timeoutMs: number): Promise<void> {
    const { clock, random, log } = this.#options;
    let outcome: Outcome;
    try {
      outcome = await write({ timeoutMs, signal: this.#abort.signal });
    } catch (error) {
      log.error({ error: error instanceof Error ? error.stack : String(error) }, 'a write failed in an unknown way');
      outcome = { result: 'unavailable', message: String(error) };
    }
    if (outcome.result !== 'unavailable') {
      this.#troubles = 0;
      return;
    }
    const ownMs = Math.min(backoffMs * 2 ** this.#troubles, backoffCeilingMs) * (1 + 0.2 * random());
    this.#pausedUntilMs = clock.monotonic() + Math.max(ownMs, outcome.retryAfterMs ?? 0);
    if (this.#troubles === 0) log.warn({ error: outcome.message }, 'the API takes no writes, pausing');
    this.#troubles = Math.min(this.#troubles + 1, 16);
  }
}
