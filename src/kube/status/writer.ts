import { withoutUndefined } from '../../model/values.ts';
import type { ObjectReference } from '../objects/reference.ts';
import type { KubeReason } from '../reasons.ts';
import { TokenBucket } from './bucket.ts';
import { Contest, type StatusWish } from './contest.ts';
import { nameOf, pathOf } from './object.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { type DueWrite, Pump, type Write, type WriterOptions } from './pump.ts';

/** The defaults of `perSecond` and `burst` are 10 and 50. */
export interface StatusWriterOptions extends WriterOptions {
  /** The manager under which earlier releases wrote: what it owns is ours. */
  readonly formerFieldManager?: string;
  /** Called when another manager is found to own a field that we would write; once until it lets go. */
  readonly onOwnedByOther?: (object: ObjectReference, message: string) => void;
}

/**
 * Keeps the status of objects as it should be, by server-side apply without force. `set` takes every status that should stand.
 * Only those that differ are written, with the newest wish of each object, no faster than the bucket allows.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #pump: Pump;
  #contests = new Map<string, Contest>();
  /** Names of the objects whose status differs, in the order in which they are written. */
  readonly #waiting = new Set<string>();
  /** Until when a kind that we may not write is left alone. */
  readonly #forbiddenUntilMs = new Map<string, number>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { perSecond = 10, burst = 50 } = options;
    const bucket = new TokenBucket({ perSecond, burst });
    this.#pump = new Pump({ ...options, bucket, next: (nowMs) => this.#next(nowMs) });
  }

  /** Takes the wishes for all objects. A wish that is the identical object as before counts as unchanged. */
  set(wishes: readonly StatusWish[]): void {
    const { clock, metrics, log } = this.#options;
    const now = clock.monotonic();
    const contests = new Map<string, Contest>();
    for (const wish of wishes) {
      const name = nameOf(wish.object);
      const known = this.#contests.get(name);
      if (known?.wish === wish) {
        contests.set(name, known);
        continue;
      }
      const contest = known ?? new Contest(wish);
      if (contest.update(wish, now)) {
        metrics.undone.inc();
        log.warn({ reason: 'StatusUndone' satisfies KubeReason, object: name }, 'somebody undid our status');
      }
      contests.set(name, contest);
      if (contest.dueMs === Infinity) this.#waiting.delete(name);
      else this.#waiting.add(name);
    }
    for (const name of this.#waiting) if (!contests.has(name)) this.#waiting.delete(name);
    this.#contests = contests;
    this.#updateMetrics();
    this.#pump.wake();
  }

  /** To be called when writing may be allowed now. */
  wake(): void {
    this.#pump.wake();
  }

  /** For `/status`. */
  status(): { readonly waiting: number; readonly ownedByOther: readonly string[]; readonly pausedForMs?: number } {
    const { pausedForMs } = this.#pump;
    const owned = [...this.#contests].filter(([, contest]) => contest.ownedByOther).map(([name]) => name);
    return {
      waiting: this.#waiting.size,
      ownedByOther: owned.slice(0, 100),
      ...withoutUndefined({ pausedForMs }),
    };
  }

  /** Gives up the write in flight: leadership is over. */
  abortWrite(): void {
    this.#pump.abortWrite();
  }

  idle(): Promise<void> {
    return this.#pump.idle();
  }

  stop(): Promise<void> {
    return this.#pump.stop();
  }

  #next(nowMs: number): DueWrite | number {
    let soonestMs = Infinity;
    for (const name of this.#waiting) {
      const contest = this.#contests.get(name);
      if (contest === undefined) continue;
      const { object } = contest.wish;
      const kindMs = this.#forbiddenUntilMs.get(object.kind) ?? -Infinity;
      const dueMs = Math.max(contest.dueMs, kindMs, this.#pump.notBeforeMs(object));
      if (dueMs <= nowMs) return { object, write: (limits) => this.#write(name, contest, limits) };
      soonestMs = Math.min(soonestMs, dueMs);
    }
    return soonestMs - nowMs;
  }

  async #write(name: string, contest: Contest, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { clock, metrics } = this.#options;
    const { wish } = contest;
    const owned = contest.ownedByOther;
    const outcome = await this.#apply(wish, limits);
    contest.noteOutcome(outcome, wish, clock.monotonic());
    metrics.writes.inc({ kind: wish.object.kind, result: outcome.result });
    // The object moves to the end of the queue.
    this.#waiting.delete(name);
    if (this.#contests.get(name) === contest && contest.dueMs !== Infinity) this.#waiting.add(name);
    this.#reportOutcome(name, wish, outcome, owned);
    this.#updateMetrics();
    return outcome;
  }

  /** Applies the wish. What stands there under our former name is taken over, and taken back with ours. */
  async #apply(wish: StatusWish, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { fieldManager, formerFieldManager: former } = this.#options;
    const outcome = await this.#send(wish, { fieldManager, force: false }, limits);
    if (former === undefined) return outcome;
    if (
      outcome.result === 'owned-by-other' &&
      outcome.owners.length > 0 &&
      outcome.owners.every((owner) => owner === former)
    )
      return this.#send(wish, { fieldManager, force: true }, limits);
    if (outcome.result === 'written' && wish.wanted === undefined)
      return this.#send(wish, { fieldManager: former, force: false }, limits);
    return outcome;
  }

  async #send(
    { object, wanted }: StatusWish,
    manager: { readonly fieldManager: string; readonly force: boolean },
    limits: Parameters<Write>[0],
  ): Promise<Outcome> {
    const { apiVersion, kind, name, namespace } = object;
    const metadata = { name, ...withoutUndefined({ namespace }) };
    try {
      await this.#options.client.request({
        method: 'PATCH',
        path: `${pathOf(object)}/status`,
        // The server must give up in time too: a write that waits there must not be done when another agent leads.
        query: { ...manager, timeout: `${Math.floor(limits.timeoutMs)}ms` },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion, kind, metadata, ...withoutUndefined({ status: wanted }) },
        ...limits,
      });
      return { result: 'written' };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  #reportOutcome(name: string, { object }: StatusWish, outcome: Outcome, ownedBefore: boolean): void {
    const { log, onOwnedByOther, clock } = this.#options;
    if (outcome.result === 'owned-by-other' && !ownedBefore) {
      const reason = 'OwnedByOther' satisfies KubeReason;
      log.warn({ reason, object: name, error: outcome.message }, 'another manager owns the status, leaving it');
      onOwnedByOther?.(object, outcome.message);
    } else if (outcome.result === 'forbidden' || outcome.result === 'refused')
      log.warn({ reason: outcome.reason, object: name, error: outcome.message }, 'the API refuses our status');
    if (outcome.result === 'forbidden') this.#forbiddenUntilMs.set(object.kind, clock.monotonic() + 60_000);
  }

  #updateMetrics(): void {
    const { metrics } = this.#options;
    metrics.waiting.set(this.#waiting.size);
    let owned = 0;
    for (const contest of this.#contests.values()) if (contest.ownedByOther) owned += 1;
    metrics.ownedByOther.set(owned);
  }
}
