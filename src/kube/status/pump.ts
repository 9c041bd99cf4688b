import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { KubeClient } from '../api/client.ts';
import type { TokenBucket } from './bucket.ts';
import type { WriteMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';

/** The options of every writer. */
export interface WriterOptions {
  readonly client: KubeClient;
  readonly fieldManager: string;
  readonly clock: Clock;
  /** A random number in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: WriteMetrics;
  /** How long writes are allowed from now on (leadership, a live source); a write that cannot end by then is not begun. */
  readonly allowedForMs: () => number;
  /** How many writes a second are sent, and `burst` of them at once after a rest. */
  readonly perSecond?: number;
  readonly burst?: number;
}

export interface PumpOptions extends Pick<WriterOptions, 'clock' | 'random' | 'log' | 'allowedForMs'> {
  readonly bucket: TokenBucket;
  /** The next write that is due, or in how many ms one will be due (Infinity: none until `wake`). */
  readonly next: (nowMs: number) => Write | number;
}

/** Sends one write, notes its outcome and resolves with it. Never rejects for an answer that an API can give. */
export type Write = (limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<Outcome>;

/** The limit for one write; and the least time for which writing must be allowed for one to begin. */
const mostMs = 5000;
const leastMs = 1000;
const pause = { firstMs: 1000, ceilingMs: 30_000, jitter: [1, 1.2] } as const;

/**
 * Sends one write at a time, no faster than its bucket allows and only while writing is allowed, and pauses while the API
 * is unavailable.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #loop: Loop;
  #abort = new AbortController();
  #pausedUntilMs = -Infinity;
  #troubles = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#loop = new Loop({
      clock,
      run: () => this.#sendNext(),
      onError: (error) => log.error({ err: error }, 'choosing the next write failed'),
      retry: pause,
    });
  }

  /** To be called when a write may be due now. */
  wake(): void {
    this.#loop.trigger();
  }

  /** For how many ms the API is still left alone; undefined when it is not. */
  get pausedForMs(): number | undefined {
    const left = this.#pausedUntilMs - this.#options.clock.monotonic();
    return left > 0 ? left : undefined;
  }

  /** Gives up the write in flight. */
  abortWrite(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** Resolves when no write is in flight. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Sends the write that is due. Resolves with the number of ms after which the next one may be due, 0 after a write. */
  async #sendNext(): Promise<number> {
    const { clock, bucket, allowedForMs, next } = this.#options;
    const now = clock.monotonic();
    const allowedMs = allowedForMs();
    if (allowedMs < leastMs) return Infinity;
    if (now < this.#pausedUntilMs) return this.#pausedUntilMs - now;
    // The bucket is asked before `next`, because `next` counts the write that it gives as sent.
    const emptyMs = bucket.waitMs(now);
    if (emptyMs > 0) return emptyMs;
    const due = next(now);
    if (typeof due === 'number') return Math.max(1, due);
    bucket.take(now);
    await this.#send(due, Math.min(mostMs, allowedMs));
    return 0;
  }

  async #send(write: Write, timeoutMs: number): Promise<void> {
    const { clock, random, log } = this.#options;
    let outcome: Outcome;
    try {
      outcome = await write({ timeoutMs, signal: this.#abort.signal });
    } catch (error) {
      log.error(
        { error: error instanceof Error ? error.stack : String(error) },
        'a write failed for an unknown reason',
      );
      outcome = { result: 'unavailable', message: String(error) };
    }
    if (outcome.result !== 'unavailable') {
      this.#troubles = 0;
      return;
    }
    this.#troubles += 1;
    const { message, retryAfterMs } = outcome;
    this.#pausedUntilMs = clock.monotonic() + backoffMs(this.#troubles, pause, { random, retryAfterMs });
    if (this.#troubles === 1) log.warn({ error: message }, 'the API takes no writes, pausing');
  }
}
