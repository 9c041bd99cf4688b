import { readFile, rm } from 'node:fs/promises';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { KubeClient } from '../api/client.ts';
import type { Kind } from '../kinds.ts';
import { createSourceMetrics, createWatchMetrics, type SourceMetrics } from '../metrics.ts';
import type { Selector } from '../needs.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ReadObject } from '../read-object.ts';
import type { ClusterListener, ClusterSource, SourceStatus } from '../source.ts';
import { Doubts } from './doubts.ts';
import { type KindSink, KindWatch } from './kind-watch.ts';
import { judgeStatus } from './status.ts';
import { Store } from './store.ts';

export interface KubernetesSourceOptions {
  readonly client: KubeClient;
  /** Only these kinds are read; the others stay empty. */
  readonly kinds: readonly Kind[];
  readonly selectors?: { readonly [K in Kind]?: Selector };
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly registry?: Registry;
  /**
   * A person accepts an implausible loss by writing its fingerprint (the status names it) into this file, which is then
   * removed.
   */
  readonly acceptFile?: string;
  readonly timing?: Partial<SourceTiming>;
}

/** Times in milliseconds, unless stated otherwise. */
export interface SourceTiming {
  /** The number of objects on a page of a list. Default 500. */
  readonly pageSize: number;
  /** A snapshot waits this long for further changes, and never longer than `ceilingMs`. Defaults 5 and 25. */
  readonly debounceMs: number;
  readonly ceilingMs: number;
  /** A watch is asked to last this many seconds, up to twice as many. Default 300. */
  readonly watchSeconds: number;
  /** A watch that brings nothing at all is closed and resumed. Default 90,000: bookmarks come about every minute. */
  readonly idleMs: number;
  /** A watch that has been open for this long counts as working. Default 1,000. */
  readonly steadyMs: number;
  /** A failure that lasts this long makes the source stale; a shorter one is only a reconnect. Default 5,000. */
  readonly staleAfterMs: number;
  /** The limit until the headers of an answer are there. Default 30,000; a page of a list may take twice as long in all. */
  readonly requestMs: number;
  /**
   * The longest wait after the first failure; it doubles with each further failure, up to the ceiling. Defaults 500 and
   * 15,000.
   */
  readonly backoffFirstMs: number;
  readonly backoffCeilingMs: number;
  /** How often a kind that the server does not have is looked for. Default 30,000. */
  readonly missingMs: number;
  /**
   * How often a kind in doubt is listed again at first, and how long a doubt must last before it is believed. Defaults
   * 5,000 and 10,000.
   */
  readonly lookAgainMs: number;
  readonly confirmMs: number;
}

const defaults: SourceTiming = {
  pageSize: 500,
  debounceMs: 5,
  ceilingMs: 25,
  watchSeconds: 300,
  idleMs: 90_000,
  steadyMs: 1000,
  staleAfterMs: 5000,
  requestMs: 30_000,
  backoffFirstMs: 500,
  backoffCeilingMs: 15_000,
  missingMs: 30_000,
  lookAgainMs: 5000,
  confirmMs: 10_000,
};

/** A cluster read from its kube-apiserver, kind by kind; see the README of this room for what counts as loss. */
export function createKubernetesSource(options: KubernetesSourceOptions): ClusterSource {
  return new KubernetesSource(options);
}

/** The longest time between two lists of a kind in doubt: every agent of a fleet may wait for a person's judgement at once. */
const longestRelistMs = 300_000;

class KubernetesSource implements ClusterSource {
  readonly #options: KubernetesSourceOptions;
  readonly #timing: SourceTiming;
  readonly #metrics: SourceMetrics;
  readonly #watches: readonly KindWatch[];
  readonly #store = new Store();
  readonly #doubts: Doubts;
  readonly #loop: Loop;
  readonly #refused = new Set<string>();
  #listener: ClusterListener | undefined;
  #status: SourceStatus = { phase: 'syncing' };
  #statusTimer: Timer | undefined;
  #doubtTimer: Timer | undefined;
  #relistedMs = -Infinity;
  /** A random factor for the time to the next list, so that agents in the same doubt do not list at the same moment. */
  #spread = 1;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    const timing: SourceTiming = { ...defaults, ...options.timing };
    this.#timing = timing;
    const { clock, client, random, log, registry } = options;
    this.#metrics = createSourceMetrics(registry, clock);
    this.#doubts = new Doubts(timing.confirmMs);
    const metrics = createWatchMetrics(registry, clock);
    this.#watches = options.kinds.map(
      (kind) =>
        new KindWatch(
          {
            ...timing,
            kind,
            backoff: { firstMs: timing.backoffFirstMs, ceilingMs: timing.backoffCeilingMs },
            client,
            selector: options.selectors?.[kind],
            clock,
            random,
            log,
            metrics,
          },
          this.#sinkOf(kind),
        ),
    );
    this.#loop = new Loop({
      clock,
      debounceMs: timing.debounceMs,
      ceilingMs: timing.ceilingMs,
      retry: { firstMs: 500, ceilingMs: 10_000 },
      run: async () => this.#publishAndJudge(),
      onError: (error) => log.error({ err: error }, 'publishing a change failed'),
    });
  }

  start(listener: ClusterListener): void {
    this.#listener = listener;
    this.#metrics.status(this.#status);
    for (const watch of this.#watches) watch.start();
  }

  status(): SourceStatus {
    return this.#status;
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#statusTimer?.cancel();
    this.#doubtTimer?.cancel();
    await Promise.all([this.#loop.stop(), ...this.#watches.map((watch) => watch.stop())]);
  }

  #sinkOf(kind: Kind): KindSink {
    const changed = (key: ObjectKey): void => {
      this.#doubts.settle(kind, key);
      if (this.#store.pending) this.#loop.trigger();
    };
    return {
      get: (key) => this.#store.get(kind, key),
      put: (key, object) => {
        this.#store.put(kind, key, object);
        changed(key);
      },
      remove: (key) => {
        this.#store.remove(kind, key);
        changed(key);
      },
      swap: (objects) => {
        const before = this.#store.all(kind);
        const { gone, believed } = this.#doubts.judge(kind, before, objects, this.#options.clock.monotonic());
        if (believed !== undefined)
          this.#options.log.warn({ finding: believed }, 'a loss is believed: two lists of the same cluster show it');
        for (const [key, object] of objects) this.#store.put(kind, key, object);
        for (const key of gone) this.#store.remove(kind, key);
        this.#loop.trigger();
      },
      refuse: (problem) => this.#reportRefused(problem),
      reportGarbage: (detail) => {
        this.#metrics.error('BadEvent');
        this.#options.log.warn({ kind, reason: 'BadEvent', detail }, 'the kube-apiserver sent what cannot be read');
      },
      phaseChanged: () => this.#updateStatus(),
      serverReachable: () => {
        for (const watch of this.#watches) watch.retrySoon();
      },
    };
  }

  #publishAndJudge(): void {
    this.#publishChange();
    this.#updateStatus();
  }

  #publishChange(): void {
    if (this.#listener === undefined || !this.#synced()) return;
    // A cluster without a single object of our kinds is never a first snapshot.
    const change = this.#isEmpty() ? undefined : this.#store.publish();
    if (change === undefined) return;
    this.#metrics.changed(change.state);
    this.#listener.onChange(change);
  }

  #synced(): boolean {
    return this.#watches.every(({ machine }) => machine.synced);
  }

  #isEmpty(): boolean {
    return this.#store.state.revision === 0 && this.#store.count() === 0;
  }

  /** Determines the status anew, and sets a timer for when it may change by itself. */
  #updateStatus(): void {
    if (this.#listener === undefined) return;
    const { clock } = this.#options;
    // A listener must know what changed meanwhile before it hears that the source is live again.
    if (this.#status.phase !== 'live') this.#publishChange();
    const { status, recheckMs } = judgeStatus({
      before: this.#status,
      published: this.#store.state.revision > 0,
      empty: this.#synced() && this.#isEmpty(),
      watches: this.#watches.map(({ kind, machine, heardMs }) => ({ kind, machine, heardMs })),
      doubt: this.#doubtMessage(),
      staleAfterMs: this.#timing.staleAfterMs,
      nowMs: clock.monotonic(),
      wallMs: clock.now(),
    });
    this.#statusTimer?.cancel();
    this.#statusTimer = recheckMs === undefined ? undefined : clock.setTimeout(() => this.#updateStatus(), recheckMs);
    this.#setStatus(status);
    if (this.#doubts.kinds.length > 0 && this.#doubtTimer === undefined) this.#scheduleDoubtCheck();
  }

  #doubtMessage(): string | undefined {
    const doubt = this.#doubts.summary();
    if (doubt === undefined) return undefined;
    const { acceptFile } = this.#options;
    const how = acceptFile === undefined ? '' : `; write ${doubt.fingerprint} into ${acceptFile} to accept it`;
    return `${doubt.findings} vanished in one step${how}`;
  }

  #scheduleDoubtCheck(): void {
    this.#doubtTimer = this.#options.clock.setTimeout(
      () => {
        void this.#checkDoubts();
      },
      Math.min(1000, this.#timing.lookAgainMs),
    );
  }

  /** Removes the objects in doubt when a person has accepted the loss, or else lists their kinds again. */
  async #checkDoubts(): Promise<void> {
    const { acceptFile, log } = this.#options;
    const doubt = this.#doubts.summary();
    const said = acceptFile === undefined ? '' : await readFile(acceptFile, 'utf8').catch(() => '');
    if (this.#listener === undefined) return;
    this.#doubtTimer = undefined;
    if (
      doubt !== undefined &&
      said.trim() === doubt.fingerprint &&
      this.#doubts.summary()?.fingerprint === said.trim()
    ) {
      log.warn({ fingerprint: doubt.fingerprint }, 'implausible change accepted by a person');
      for (const [kind, keys] of this.#doubts.accept()) for (const key of keys) this.#store.remove(kind, key);
      this.#loop.trigger();
      // A file that stays would accept the same loss another time, when nobody means it.
      if (acceptFile !== undefined)
        await rm(acceptFile, { force: true }).catch((error: unknown) =>
          log.warn({ err: error, acceptFile }, 'the accept file was used, but cannot be removed'),
        );
      return;
    }
    const doubted = this.#doubts.kinds;
    if (doubted.length === 0) return this.#updateStatus();
    this.#relistDoubted(doubted);
    this.#scheduleDoubtCheck();
  }

  /**
   * Lists the kinds in doubt again: often while a list may settle the doubt, then ever less often, because a watch reports
   * objects that come back.
   */
  #relistDoubted(doubted: readonly Kind[]): void {
    const { clock, random } = this.#options;
    const now = clock.monotonic();
    const everyMs = Math.max(this.#timing.lookAgainMs, Math.min(this.#doubts.ageMs(now) / 4, longestRelistMs));
    if (now - this.#relistedMs < everyMs * this.#spread) return;
    this.#relistedMs = now;
    this.#spread = 1 + random() / 4;
    for (const watch of this.#watches) if (doubted.includes(watch.kind)) watch.relist();
  }

  #reportRefused({ kind, key, reason, path, message }: Extract<ReadObject, { ok: false }>): void {
    const id = `${kind} ${key ?? ''} ${path} ${message}`;
    if (this.#refused.has(id)) return;
    // The set is bounded, so an object that is refused over and over is logged again now and then.
    if (this.#refused.size > 1000) this.#refused.clear();
    this.#refused.add(id);
    this.#metrics.error(reason);
    this.#options.log.warn({ kind, key, reason, path, message }, 'object refused');
  }

  #setStatus(status: SourceStatus): void {
    const before = this.#status;
    if (this.#listener === undefined || JSON.stringify(before) === JSON.stringify(status)) return;
    this.#status = status;
    this.#metrics.status(status);
    const { log, client } = this.#options;
    const fields = { server: client.server, ...status };
    if (status.phase === 'live') log.info(fields, 'cluster source is live');
    else log.warn(fields, status.phase === 'stale' ? 'cluster source is stale' : 'cluster source waits');
    if (status.phase === 'stale' && (before.phase !== 'stale' || before.reason !== status.reason))
      this.#metrics.error(status.reason);
    this.#listener.onStatus(status);
  }
}
