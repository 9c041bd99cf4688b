import { backoffMs } from '../../runtime/backoff.ts';
import type { KubeRequest } from '../api/client.ts';
import { TokenBucket } from './bucket.ts';
import { type EventWish, eventBody, eventName, eventsPath, type Reporter, seriesBody } from './event.ts';
import { nameOf } from './object.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { type DueWrite, Pump, type Write, type WriterOptions } from './pump.ts';

/** The defaults of `perSecond` and `burst` are 5 and 25, for all objects together. */
export interface EventWriterOptions extends WriterOptions {
  readonly reporter: Reporter;
}

interface TrackedEvent {
  wish: EventWish;
  /** True while `set` names the Event. One that is false is kept until it is written and then until it is forgotten. */
  standing: boolean;
  /** How often it began. */
  count: number;
  /** The count that the cluster knows; 0 when the Event does not exist there. */
  sent: number;
  sentMs: number;
  endedMs: number;
  /** How often in a row it was not answered with a verdict, and when it may be tried again after that. */
  failures: number;
  notBeforeMs: number;
}

const minute = 60_000;
/** The count of an Event that began again is raised at most this often. */
const recountEveryMs = 10 * minute;
/** Events that still hold are renewed this often, because the API server forgets Events after an hour. */
const renewEveryMs = 30 * minute;
const forgetAfterMs = 60 * minute;
const mostEvents = 10_000;
const failurePause = { firstMs: 1000, ceilingMs: minute };
const perObject = { perSecond: 1 / 60, burst: 10 };

/**
 * Writes Events about objects. `set` takes every Event that holds now; each is created once and then counted in its
 * series. `record` adds an Event that happened once. The name of an Event is a hash of its content, so the next leader does not
 * create it again.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #pump: Pump;
  readonly #tracked = new Map<string, TrackedEvent>();
  readonly #buckets = new Map<string, TokenBucket>();
  #forbiddenUntilMs = -Infinity;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    const { perSecond = 5, burst = 25 } = options;
    const bucket = new TokenBucket({ perSecond, burst });
    this.#pump = new Pump({ ...options, bucket, next: (nowMs) => this.#next(nowMs) });
  }

  /** Takes all Events that hold now; all others have ended. */
  set(wishes: readonly EventWish[]): void {
    const now = this.#options.clock.monotonic();
    const keys = new Set<string>();
    for (const wish of wishes) {
      const key = keyOf(wish);
      keys.add(key);
      const tracked = this.#tracked.get(key);
      if (tracked?.standing !== true) this.#begin(key, wish, true);
    }
    for (const [key, tracked] of this.#tracked)
      if (tracked.standing && !keys.has(key)) {
        tracked.standing = false;
        tracked.endedMs = now;
        // The Event ended before it was written.
        if (tracked.sent === 0) this.#tracked.delete(key);
      }
    this.#prune(now);
    this.#pump.wake();
  }

  /** Adds an Event for something that happened just now. */
  record(wish: EventWish): void {
    this.#begin(keyOf(wish), wish, false);
    this.#pump.wake();
  }

  wake(): void {
    this.#pump.wake();
  }

  get waiting(): number {
    let waiting = 0;
    for (const { sent } of this.#tracked.values()) if (sent === 0) waiting += 1;
    return waiting;
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

  #begin(key: string, wish: EventWish, standing: boolean): void {
    const { clock, metrics } = this.#options;
    const tracked = this.#tracked.get(key);
    if (tracked !== undefined) {
      tracked.count += 1;
      tracked.standing = standing;
      tracked.endedMs = clock.monotonic();
    } else if (this.#tracked.size < mostEvents) {
      const unsent = { count: 1, sent: 0, sentMs: -Infinity, failures: 0, notBeforeMs: -Infinity };
      this.#tracked.set(key, { wish, standing, endedMs: clock.monotonic(), ...unsent });
    } else metrics.events.inc({ result: 'dropped' });
  }

  #next(nowMs: number): DueWrite | number {
    let soonestMs = Infinity;
    for (const [key, tracked] of this.#tracked) {
      const { object } = tracked.wish;
      let dueMs = Math.max(dueOf(tracked), this.#forbiddenUntilMs, this.#pump.notBeforeMs(object));
      if (dueMs <= nowMs) {
        const bucket = this.#bucketOf(tracked);
        if (bucket.take(nowMs)) return { object, write: (limits) => this.#write(key, tracked, limits) };
        dueMs = nowMs + bucket.waitMs(nowMs);
      }
      soonestMs = Math.min(soonestMs, dueMs);
    }
    return soonestMs - nowMs;
  }

  #bucketOf({ wish }: TrackedEvent): TokenBucket {
    const name = nameOf(wish.object);
    const bucket = this.#buckets.get(name) ?? new TokenBucket(perObject);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  async #write(key: string, tracked: TrackedEvent, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { clock, metrics, log } = this.#options;
    // An Event that still holds gets a higher count when it is renewed.
    const count = tracked.sent === 0 ? tracked.count : Math.max(tracked.count, tracked.sent + 1);
    const outcome = await this.#send(tracked, count, limits);
    const now = clock.monotonic();
    metrics.events.inc({ result: outcome.result });
    tracked.failures = outcome.result === 'unavailable' ? tracked.failures + 1 : 0;
    tracked.notBeforeMs = tracked.failures === 0 ? -Infinity : now + backoffMs(tracked.failures, failurePause);
    if (outcome.result === 'written' || outcome.result === 'exists') {
      tracked.sent = count;
      tracked.count = Math.max(tracked.count, count);
      // An Event that exists was written by a former leader at an unknown time, so it is renewed soon.
      tracked.sentMs = outcome.result === 'written' ? now : now - renewEveryMs + recountEveryMs;
    } else if (outcome.result === 'forbidden') {
      this.#forbiddenUntilMs = now + minute;
      log.warn({ reason: outcome.reason, error: outcome.message }, 'the API refuses our events');
    } else if (tracked.sent > 0 && (outcome.result === 'gone' || outcome.result === 'refused')) {
      // The API server has forgotten the Event. It must be created again: a series cannot be applied to an Event that is not there.
      tracked.sent = 0;
    } else if (outcome.result !== 'unavailable') {
      if (outcome.result === 'refused')
        log.warn({ reason: outcome.reason, error: outcome.message }, 'the API refuses our event');
      // The namespace is gone, or the server does not accept this Event: it is sent again when it begins again.
      this.#tracked.delete(key);
    }
    metrics.eventsWaiting.set(this.waiting);
    return outcome;
  }

  async #send({ wish, sent }: TrackedEvent, count: number, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { client, fieldManager, reporter, clock } = this.#options;
    const query = { fieldManager };
    const request: KubeRequest =
      sent === 0
        ? { method: 'POST', path: eventsPath(wish.object), query, body: eventBody(wish, reporter, clock.now()) }
        : {
            method: 'PATCH',
            path: `${eventsPath(wish.object)}/${eventName(wish)}`,
            query,
            contentType: 'application/apply-patch+yaml',
            body: seriesBody(wish, count, clock.now()),
          };
    try {
      await client.request({ ...request, ...limits });
      return { result: 'written' };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  #prune(nowMs: number): void {
    for (const [key, tracked] of this.#tracked)
      if (!tracked.standing && nowMs - tracked.endedMs > forgetAfterMs) this.#tracked.delete(key);
    for (const [name, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(name);
  }
}

function keyOf(wish: EventWish): string {
  return `${wish.object.namespace ?? ''}/${eventName(wish)}`;
}

/** When the Event is to be sent; Infinity when it is not. */
function dueOf({ standing, count, sent, sentMs, notBeforeMs }: TrackedEvent): number {
  if (sent === 0) return notBeforeMs;
  if (count > sent) return Math.max(notBeforeMs, sentMs + recountEveryMs);
  return standing ? Math.max(notBeforeMs, sentMs + renewEveryMs) : Infinity;
}
