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
  /** Whether a manager is one of ours, of another pool: nothing is ever taken from it. */
  readonly isSibling?: (manager: string) => boolean;
  /** Called when another manager owns what we would write: once until it lets go, and for each time that it was taken from it. */
  readonly onDispute?: (dispute: Dispute) => void;
}

/** What came of a field that another manager owns. */
export interface Dispute {
  readonly object: ObjectReference;
  readonly reason: Extract<KubeReason, 'OwnedByOther' | 'StatusTakenOver' | 'StatusContested'>;
  readonly message: string;
}

interface StatusWriterStatus {
  readonly waiting: number;
  /** At most a hundred objects of which another manager owns what we would write; `contested` are those of them that it took back. */
  readonly ownedByOther: readonly string[];
  readonly contested: readonly string[];
  readonly pausedForMs?: number;
}

/**
 * Keeps the status of objects as it should be, by server-side apply; by force only where the wish is exclusive. `set` takes every status that should stand.
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
  status(): StatusWriterStatus {
    const { pausedForMs } = this.#pump;
    const owned = [...this.#contests].filter(([, contest]) => contest.ownedByOther);
    const contested = owned.filter(([, contest]) => contest.contested);
    return {
      waiting: this.#waiting.size,
      ownedByOther: owned.slice(0, 100).map(([name]) => name),
      contested: contested.slice(0, 100).map(([name]) => name),
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
    const outcome = await this.#apply(contest, limits);
    contest.noteOutcome(outcome, wish, clock.monotonic());
    metrics.writes.inc({ kind: wish.object.kind, result: outcome.result });
    // The object moves to the end of the queue.
    this.#waiting.delete(name);
    if (this.#contests.get(name) === contest && contest.dueMs !== Infinity) this.#waiting.add(name);
    this.#reportOutcome(name, contest, outcome, owned);
    this.#updateMetrics();
    return outcome;
  }

  /**
   * Applies the wish. What stands there under our former name is ours, and is taken back with ours; what is left over of a manager
   * that may not write it any more is taken over.
   */
  async #apply(contest: Contest, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { fieldManager, formerFieldManager: former, isSibling = () => false } = this.#options;
    const { wish, mayTake } = contest;
    const outcome = await this.#send(wish, { fieldManager, force: false }, limits);
    if (outcome.result === 'owned-by-other' && outcome.owners.length > 0) {
      const strangers = outcome.owners.filter((owner) => owner !== former);
      if (strangers.length === 0) return this.#send(wish, { fieldManager, force: true }, limits);
      if (!mayTake || strangers.some(isSibling)) return outcome;
      const taken = await this.#send(wish, { fieldManager, force: true }, limits);
      return taken.result === 'written' ? { ...taken, takenFrom: strangers } : taken;
    }
    if (former !== undefined && outcome.result === 'written' && wish.wanted === undefined)
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

  #reportOutcome(name: string, contest: Contest, outcome: Outcome, ownedBefore: boolean): void {
    const { log, onDispute, clock } = this.#options;
    const { object } = contest.wish;
    const dispute = disputeOf(contest, outcome, ownedBefore);
    if (dispute !== undefined) {
      log.warn({ reason: dispute.reason, object: name, error: dispute.message }, 'another manager wrote this status');
      onDispute?.({ object, ...dispute });
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

/** What is to be said of a write that met another manager; undefined when it did not, or when that was said before. */
function disputeOf(contest: Contest, outcome: Outcome, ownedBefore: boolean): Omit<Dispute, 'object'> | undefined {
  if (outcome.result === 'written' && outcome.takenFrom !== undefined)
    return { reason: 'StatusTakenOver', message: `It was left over of ${outcome.takenFrom.join(', ')}` };
  if (outcome.result !== 'owned-by-other' || ownedBefore) return undefined;
  return contest.contested
    ? {
        reason: 'StatusContested',
        message: `${outcome.message}. It was taken from there before, and written back each time`,
      }
    : { reason: 'OwnedByOther', message: `${outcome.message}. It is left alone` };
}
