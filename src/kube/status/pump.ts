import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { KubeClient } from '../api/client.ts';
import type { ObjectReference } from '../objects/reference.ts';
import type { KubeReason } from '../reasons.ts';
import type { TokenBucket } from './bucket.ts';
import type { WriteMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import { Troubles } from './troubles.ts';

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
  readonly next: (nowMs: number) => DueWrite | number;
}

export interface DueWrite {
  /** The object whose namespace the write goes to. */
  readonly object: ObjectReference;
  readonly write: Write;
}

/** Sends one write, notes its outcome and resolves with it. Never rejects for an answer that an API can give. */
export type Write = (limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<Outcome>;

/** The limit for one write; and the least time for which writing must be allowed for one to begin. */
const mostMs = 5000;
const leastMs = 1000;
const pause = { firstMs: 1000, ceilingMs: 30_000, longestAskedMs: 300_000, jitter: [1, 1.2] } as const;
/** Several namespaces that fail are more likely the API's fault than theirs; as this is a guess, the pauses stay short. */
const guessedPause = { ...pause, ceilingMs: 5000 };

/**
 * Sends one write at a time, no faster than its bucket allows and only while writing is allowed. A failure is that of the object,
 * which the writers try again later, then of its namespace (`notBeforeMs`); only while the API as a whole is unavailable does
 * everything pause.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #loop: Loop;
  #abort = new AbortController();
  readonly #troubles = new Troubles();
  #pausedUntilMs = -Infinity;
  #pauses = 0;

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

  /** When the namespace of this object may be tried again; a write that is due earlier must wait until then. */
  notBeforeMs(object: ObjectReference): number {
    return this.#troubles.notBeforeMs(object);
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

  async #send(due: DueWrite, timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    const outcome = await this.#outcomeOf(due, timeoutMs);
    if (outcome.result !== 'unavailable') {
      this.#pauses = 0;
      this.#troubles.noteAnswer(due.object);
      return;
    }
    this.#noteFailure(due.object, outcome, { tookMs: clock.monotonic() - startedMs, timeoutMs });
  }

  async #outcomeOf({ write }: DueWrite, timeoutMs: number): Promise<Outcome> {
    try {
      return await write({ timeoutMs, signal: this.#abort.signal });
    } catch (error) {
      this.#options.log.error(
        { error: error instanceof Error ? error.stack : String(error) },
        'a write failed for an unknown reason',
      );
      return { result: 'unavailable', everywhere: false, message: String(error) };
    }
  }

  #noteFailure(
    object: ObjectReference,
    failure: Failure,
    time: { readonly tookMs: number; readonly timeoutMs: number },
  ) {
    const { clock, random, log } = this.#options;
    const { namespace = '' } = object;
    const { message, retryAfterMs } = failure;
    const now = clock.monotonic();
    if (this.#troubles.noteFailure(object, time.tookMs, now))
      log.warn(
        { reason: 'WriteFailing' satisfies KubeReason, namespace, error: message },
        'a namespace takes no writes',
      );
    // That a write ended with our own patience says nothing of the others: a webhook may hang.
    const everywhere = failure.everywhere && time.tookMs < 0.9 * time.timeoutMs;
    if (!everywhere && this.#troubles.spread < 2) return;
    this.#pauses += 1;
    this.#pausedUntilMs = now + backoffMs(this.#pauses, everywhere ? pause : guessedPause, { random, retryAfterMs });
    if (this.#pauses === 1) log.warn({ error: message }, 'the API takes no writes, pausing');
  }
}

type Failure = Extract<Outcome, { readonly result: 'unavailable' }>;
