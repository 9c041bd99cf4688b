import type { KubeRequest } from '../api/client.ts';
import { TokenBucket } from './bucket.ts';
import { type EventWish, eventBody, eventName, eventsPath, type Reporter, seriesBody } from './event.ts';
import { nameOf } from './object.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { Pump, type Write, type WriterOptions } from './pump.ts';

/** 5 a second, 25 at once, of all objects together, unless told. */
export interface EventWriterOptions extends WriterOptions {
  readonly reporter: Reporter;
}

interface Told {
  wish: EventWish;
  /** It holds now, or was said just now; else it only waits to be forgotten. */
  standing: boolean;
  /** Times that it began. */
  count: number;
  /** The count that the cluster knows; 0: the Event does not exist. */
  sent: number;
  sentMs: number;
  endedMs: number;
}

const minute = 60_000;
/** An Event that began again is counted up at most this often. */
const againEveryMs = 10 * minute;
/** The API server forgets Events after an hour: those that still hold are renewed. */
const renewEveryMs = 30 * minute;
const forgetAfterMs = 60 * minute;
const mostEvents = 10_000;
const perObject = { perSecond: 1 / 60, burst: 10 };

/**
 * Tells people about objects. `set` names every event that holds now; each is created once and then counted in its
 * series, and `say` tells what happens once. The name of an event is made of what it says: whoever leads next does not
 * tell it again.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #pump: Pump;
  readonly #told = new Map<string, Told>();
  readonly #buckets = new Map<string, TokenBucket>();
  #forbiddenUntilMs = -Infinity;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    const { perSecond = 5, burst = 25 } = options;
    const bucket = new TokenBucket({ perSecond, burst });
    this.#pump = new Pump({ ...options, bucket, next: (nowMs) => this.#next(nowMs) });
  }

  /** All events that hold now; the others are over. */
  set(wishes: readonly EventWish[]): void {
    const now = this.#options.clock.monotonic();
    const keys = new Set<string>();
    for (const wish of wishes) {
      const key = keyOf(wish);
      keys.add(key);
      const told = this.#told.get(key);
      if (told?.standing !== true) this.#begin(key, wish, true);
    }
    for (const [key, told] of this.#told)
      if (told.standing && !keys.has(key)) {
        told.standing = false;
        told.endedMs = now;
        // Over before anybody was told.
        if (told.sent === 0) this.#told.delete(key);
      }
    this.#prune(now);
    this.#pump.wake();
  }

  /** Something that happened in this moment. */
  say(wish: EventWish): void {
    this.#begin(keyOf(wish), wish, false);
    this.#pump.wake();
  }

  wake(): void {
    this.#pump.wake();
  }

  get waiting(): number {
    let waiting = 0;
    for (const { sent } of this.#told.values()) if (sent === 0) waiting += 1;
    return waiting;
  }

  cut(): void {
    this.#pump.cut();
  }

  idle(): Promise<void> {
    return this.#pump.idle();
  }

  stop(): Promise<void> {
    return this.#pump.stop();
  }

  #begin(key: string, wish: EventWish, standing: boolean): void {
    const { clock, metrics } = this.#options;
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.count += 1;
      told.standing = standing;
      told.endedMs = clock.monotonic();
    } else if (this.#told.size < mostEvents)
      this.#told.set(key, { wish, standing, count: 1, sent: 0, sentMs: -Infinity, endedMs: clock.monotonic() });
    else metrics.events.inc({ result: 'dropped' });
  }

  #next(nowMs: number): Write | number {
    let soonestMs = Infinity;
    for (const [key, told] of this.#told) {
      let dueMs = Math.max(dueOf(told), this.#forbiddenUntilMs);
      if (dueMs <= nowMs) {
        const bucket = this.#bucketOf(told);
        if (bucket.take(nowMs)) return (limits) => this.#write(key, told, limits);
        dueMs = nowMs + bucket.waitMs(nowMs);
      }
      soonestMs = Math.min(soonestMs, dueMs);
    }
    return soonestMs - nowMs;
  }

  #bucketOf({ wish }: Told): TokenBucket {
    const name = nameOf(wish.object);
    const bucket = this.#buckets.get(name) ?? new TokenBucket(perObject);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  async #write(key: string, told: Told, limits: Parameters<Write>[0]): Promise<Outcome> {
    const { clock, metrics, log } = this.#options;
    // One that still holds is counted up when it is renewed.
    const count = told.sent === 0 ? told.count : Math.max(told.count, told.sent + 1);
    const outcome = await this.#send(told, count, limits);
    const now = clock.monotonic();
    metrics.events.inc({ result: outcome.result });
    if (outcome.result === 'written' || outcome.result === 'exists') {
      told.sent = count;
      told.count = Math.max(told.count, count);
      // One that exists was told by a former leader at an unknown time: renewed soon.
      told.sentMs = outcome.result === 'written' ? now : now - renewEveryMs + againEveryMs;
    } else if (outcome.result === 'forbidden') {
      this.#forbiddenUntilMs = now + minute;
      log.warn({ reason: outcome.reason, error: outcome.message }, 'the API refuses our events');
    } else if (told.sent > 0 && (outcome.result === 'gone' || outcome.result === 'refused')) {
      // Forgotten by the API server: what is applied to nothing would be an Event without a beginning, which is refused.
      told.sent = 0;
    } else if (outcome.result !== 'unavailable') {
      if (outcome.result === 'refused')
        log.warn({ reason: outcome.reason, error: outcome.message }, 'the API refuses our event');
      // Its namespace is gone, or it is not an Event to this server: it is told again when it begins again.
      this.#told.delete(key);
    }
    metrics.eventsWaiting.set(this.waiting);
    return outcome;
  }

  async #send({ wish, sent }: Told, count: number, limits: Parameters<Write>[0]): Promise<Outcome> {
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
    for (const [key, told] of this.#told)
      if (!told.standing && nowMs - told.endedMs > forgetAfterMs) this.#told.delete(key);
    for (const [name, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(name);
  }
}

function keyOf(wish: EventWish): string {
  return `${wish.object.namespace ?? ''}/${eventName(wish)}`;
}

/** When it is to be sent; Infinity for never. */
function dueOf({ standing, count, sent, sentMs }: Told): number {
  if (sent === 0) return -Infinity;
  if (count > sent) return sentMs + againEveryMs;
  return standing ? sentMs + renewEveryMs : Infinity;
}
