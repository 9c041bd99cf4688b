import { setImmediate } from 'node:timers/promises';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { asRaw, readEvent, readPage } from '../api/answers.ts';
import { ApiError, type KubeClient } from '../api/client.ts';
import { readStored } from '../api/read.ts';
import { collectionPath, groupPath, hasCollection, selection } from '../api/resources.ts';
import type { AnyObject, Kind } from '../kinds.ts';
import { kindFacts } from '../kinds.ts';
import type { WatchMetrics } from '../metrics.ts';
import type { Selector } from '../needs.ts';
import { deepEqual } from '../objects/equal.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ReadObject } from '../read-object.ts';
import { NamespaceRoom, namespaceFull } from '../room.ts';
import { type Effect, type Machine, type MachineEvent, type MachineOptions, newMachine, step } from './machine.ts';
import { isOlder } from './versions.ts';

/** Takes the objects and the news of one kind's list-watch. */
export interface KindSink {
  /** The object that is held now under this key. */
  get(key: ObjectKey): AnyObject | undefined;
  /** Takes a whole list: all objects that there were at one moment, that of `resourceVersion`. */
  swap(objects: ReadonlyMap<ObjectKey, AnyObject>, resourceVersion: string): void;
  put(key: ObjectKey, object: AnyObject): void;
  /** Removes an object of which the server said that it was deleted. */
  remove(key: ObjectKey): void;
  /** Reports an object that cannot be read; its last good version stays. */
  refuse(problem: Extract<ReadObject, { ok: false }>): void;
  /** Reports an answer or an event of the server that cannot be read. */
  reportGarbage(message: string): void;
  /** Called when the phase or the trouble of the list-watch has changed. */
  phaseChanged(): void;
  /** Called when the server answers again after it could not be reached. */
  serverReachable(): void;
}

export interface KindWatchOptions extends MachineOptions {
  readonly client: KubeClient;
  /** Rejects with ApiError when the server that answers now is not that of the cluster whose objects are held. */
  readonly checkIdentity: (signal: AbortSignal) => Promise<void>;
  readonly selector?: Selector | undefined;
  readonly pageSize: number;
  /** A watch that has been open for this long counts as working. */
  readonly steadyMs: number;
  readonly requestMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: WatchMetrics;
}

/** How many objects are read before other work may run: some milliseconds of work. */
const objectsPerTurn = 100;

/** How soon a kind is listed again when objects that had no room might have some. */
const roomMs = 60_000;

/** Carries out the effects of the machine: requests and timers. The objects go to the sink, past the machine. */
export class KindWatch {
  readonly kind: Kind;
  readonly #options: KindWatchOptions;
  readonly #sink: KindSink;
  #machine: Machine;
  #attempt = new AbortController();
  #running = new Set<Promise<void>>();
  #timer: Timer | undefined;
  #gathered = new Map<ObjectKey, AnyObject>();
  #room: NamespaceRoom;
  #listRoom: NamespaceRoom;
  #roomTimer: Timer | undefined;
  #stopped = false;
  /** The wall-clock time at which the server last sent anything of this kind; undefined before that. */
  heardMs: number | undefined;

  constructor(options: KindWatchOptions, sink: KindSink) {
    this.kind = options.kind;
    this.#options = options;
    this.#sink = sink;
    this.#room = new NamespaceRoom(options.kind);
    this.#listRoom = this.#room;
    this.#machine = newMachine(options.kind, kindFacts[options.kind].apiVersions[0]);
  }

  get machine(): Machine {
    return this.#machine;
  }

  start(): void {
    this.#dispatch({ type: 'start' });
  }

  /** Lists everything again, if the kind is being watched now. */
  relist(): void {
    this.#dispatch({ type: 'doubt' });
  }

  /** Lists everything again, whatever is under way: a person has accepted that the cluster is another one. */
  restart(): void {
    this.#timer?.cancel();
    this.#dispatch({ type: 'restart' });
  }

  /** Ends the wait of a kind that got no answer, because the server can be reached again. */
  retrySoon(): void {
    this.#dispatch({ type: 'reachable' });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#roomTimer?.cancel();
    this.#attempt.abort();
    await Promise.all(this.#running);
  }

  #dispatch(event: MachineEvent): void {
    if (this.#stopped) return;
    const { clock, random } = this.#options;
    const before = this.#machine;
    const { machine, effects } = step(before, event, this.#options, { nowMs: clock.monotonic(), random });
    this.#machine = machine;
    for (const effect of effects) this.#perform(effect);
    if (before.phase === machine.phase && before.trouble === machine.trouble && before.synced === machine.synced)
      return;
    this.#options.metrics.phase(this.kind, machine.phase);
    const { trouble } = machine;
    if (trouble !== undefined && before.trouble?.reason !== trouble.reason)
      this.#options.log.info(
        { kind: this.kind, reason: trouble.reason, detail: trouble.message },
        'a kind is not followed',
      );
    this.#sink.phaseChanged();
    const opened = before.phase === 'opening' && machine.phase === 'watching';
    const listed = before.phase === 'listing' && machine.phase === 'opening';
    if (before.trouble?.unanswered === true && (opened || listed)) this.#sink.serverReachable();
  }

  #perform(effect: Effect): void {
    const { metrics, clock, log } = this.#options;
    switch (effect.do) {
      case 'cancel':
        return this.#attempt.abort();
      case 'discover':
        return this.#run((attempt) => this.#discover(attempt));
      case 'list':
        return this.#run((attempt) => this.#list(effect, attempt));
      case 'swap':
        this.#room = this.#listRoom.afterList(this.#gathered.values());
        this.#sink.swap(this.#gathered, this.#machine.resourceVersion ?? '');
        this.#gathered = new Map();
        return undefined;
      case 'watch':
        return this.#run((attempt) => this.#watch(effect, attempt));
      case 'wait':
        this.#timer?.cancel();
        this.#timer = clock.setTimeout(() => this.#dispatch({ type: 'due' }), effect.ms);
        return undefined;
      case 'relisted':
        if (effect.cause !== 'first') log.info({ kind: this.kind, cause: effect.cause }, 'listing everything again');
        return metrics.relisted(this.kind, effect.cause);
      case 'reconnected':
        return metrics.reconnected(this.kind, effect.cause);
    }
  }

  /** Runs one request in place of the one in flight. Its result counts only while no later request has taken its place. */
  #run(task: (attempt: AbortSignal) => Promise<MachineEvent | undefined>): void {
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    const running = task(attempt.signal)
      .catch((error: unknown): MachineEvent => this.#failed(asApiError(error), attempt.signal))
      .then((event) => {
        this.#running.delete(running);
        if (event !== undefined && !attempt.signal.aborted) this.#dispatch(event);
      });
    this.#running.add(running);
  }

  #failed(error: ApiError, signal: AbortSignal): MachineEvent {
    if (error.reason === 'BadAnswer' && !signal.aborted) this.#sink.reportGarbage(error.message);
    return { type: 'failed', error };
  }

  async #discover(signal: AbortSignal): Promise<MachineEvent> {
    const { client, requestMs: timeoutMs } = this.#options;
    for (const apiVersion of kindFacts[this.kind].apiVersions) {
      try {
        const found = await client.request<unknown>({ path: groupPath(apiVersion), signal, timeoutMs });
        if (hasCollection(found, this.kind)) return { type: 'found', apiVersion };
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }
    }
    return { type: 'found', apiVersion: undefined };
  }

  async #list(effect: Extract<Effect, { do: 'list' }>, signal: AbortSignal): Promise<MachineEvent | undefined> {
    const { client, selector, pageSize, requestMs } = this.#options;
    if (effect.next === undefined) {
      this.#gathered = new Map();
      this.#listRoom = this.#room.forList();
    }
    let taken = 0;
    const take = async (item: unknown): Promise<void> => {
      taken += 1;
      if (taken % objectsPerTurn === 0) await setImmediate();
      if (!signal.aborted) this.#gather(readStored(this.kind, asRaw(item)));
    };
    const query = { limit: pageSize, ...selection(selector), ...withoutUndefined({ continue: effect.next }) };
    const path = collectionPath(this.kind, effect.apiVersion);
    const page = readPage(await client.list({ path, query, signal, timeoutMs: requestMs * 2 }, take));
    this.#noteHeard();
    for (const item of page.items) await take(item);
    if (signal.aborted) return undefined;
    // The last page decides: with it the list replaces what is held.
    if (page.next === undefined) await this.#options.checkIdentity(signal);
    return { type: 'page', next: page.next, resourceVersion: page.resourceVersion };
  }

  #gather(read: ReadObject): void {
    if (!read.ok) this.#sink.refuse(read);
    if (read.key === undefined) return;
    const held = this.#sink.get(read.key);
    const object = read.ok ? this.#keep(read, held, this.#listRoom) : held;
    if (object !== undefined) this.#gathered.set(read.key, object);
  }

  /** What is kept of an object that was read, by the room of its namespace. */
  #keep(
    read: Extract<ReadObject, { ok: true }>,
    held: AnyObject | undefined,
    room: NamespaceRoom,
  ): AnyObject | undefined {
    // An equal object is not kept twice, not even for the time of a list.
    const same = held !== undefined && deepEqual(held, read.object) ? held : read.object;
    const { object, refused } = room.admit(same, held);
    if (refused) this.#sink.refuse(namespaceFull(this.kind, read.key));
    return object;
  }

  /** Lists again after a while when objects that were refused for want of room might have some now. */
  #useFreedRoom(): void {
    if (!this.#room.wasFreed()) return;
    this.#roomTimer ??= this.#options.clock.setTimeout(() => {
      this.#roomTimer = undefined;
      this.relist();
    }, roomMs);
  }

  async #watch(effect: Extract<Effect, { do: 'watch' }>, signal: AbortSignal): Promise<MachineEvent | undefined> {
    const { client, selector, clock, steadyMs, requestMs } = this.#options;
    const { apiVersion, resourceVersion, timeoutSeconds, idleMs } = effect;
    const stream = await client.stream({
      path: collectionPath(this.kind, apiVersion),
      query: { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds, ...selection(selector) },
      signal,
      timeoutMs: requestMs,
    });
    let answer: MachineEvent | undefined;
    try {
      answer = signal.aborted ? undefined : await this.#examine(effect, signal);
    } catch (error) {
      stream.close();
      throw error;
    }
    if (answer?.type !== 'opened' || signal.aborted) {
      stream.close();
      return answer;
    }
    let lastMs = clock.monotonic();
    this.#dispatch({ type: 'opened' });
    this.#noteHeard();
    const dispatchIfCurrent = (event: MachineEvent): void => {
      if (!signal.aborted) this.#dispatch(event);
    };
    const watchdog = (): void => {
      const restMs = lastMs + idleMs - clock.monotonic();
      if (restMs <= 0) dispatchIfCurrent({ type: 'idle' });
      else idle = clock.setTimeout(watchdog, restMs);
    };
    let idle = clock.setTimeout(watchdog, idleMs);
    const steady = clock.setTimeout(() => dispatchIfCurrent({ type: 'steady' }), steadyMs);
    try {
      for await (const line of stream.lines) {
        if (signal.aborted) return undefined;
        lastMs = clock.monotonic();
        this.#noteHeard();
        this.#dispatch({ type: 'event', resourceVersion: this.#apply(line) });
      }
      return { type: 'ended' };
    } finally {
      idle.cancel();
      steady.cancel();
      stream.close();
    }
  }

  /**
   * Finds out, once a watch is open and before any of it counts, whether it is a watch of the cluster whose objects are held, and
   * of the history that they are of: a server that is behind our version would send nothing until it has caught up.
   */
  async #examine(effect: Extract<Effect, { do: 'watch' }>, signal: AbortSignal): Promise<MachineEvent> {
    const { client, selector, requestMs: timeoutMs, checkIdentity, log } = this.#options;
    await checkIdentity(signal);
    if (!effect.resumed) return { type: 'opened' };
    const path = collectionPath(this.kind, effect.apiVersion);
    const query = { limit: 1, ...selection(selector) };
    const { resourceVersion } = readPage(await client.request<unknown>({ path, query, signal, timeoutMs }));
    if (!isOlder(resourceVersion, effect.resourceVersion)) return { type: 'opened' };
    log.warn(
      { kind: this.kind, ours: effect.resourceVersion, server: resourceVersion },
      'the kube-apiserver is at an older version than before: a backup of its storage was restored',
    );
    return { type: 'rewound' };
  }

  /** Applies one line of a watch; returns the resourceVersion up to which we then know the kind. */
  #apply(line: string): string {
    const { metrics } = this.#options;
    const event = readEvent(line);
    metrics.event(this.kind, event.type);
    if (event.type === 'BOOKMARK') return event.resourceVersion;
    const read = readStored(this.kind, event.object);
    const held = read.key === undefined ? undefined : this.#sink.get(read.key);
    if (event.type === 'DELETED') {
      if (held !== undefined) this.#room.release(held);
      if (read.key !== undefined) this.#sink.remove(read.key);
    } else if (read.ok) {
      const object = this.#keep(read, held, this.#room);
      if (object !== undefined) this.#sink.put(read.key, object);
    } else this.#sink.refuse(read);
    this.#useFreedRoom();
    return event.resourceVersion;
  }

  #noteHeard(): void {
    this.heardMs = this.#options.clock.now();
    this.#options.metrics.heard(this.kind);
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'BadAnswer', messageOf(error));
}
