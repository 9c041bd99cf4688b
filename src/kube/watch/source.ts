import type { DoubtPart } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Loop } from '../../runtime/loop.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Acceptance } from '../acceptance.ts';
import type { KubeClient } from '../api/client.ts';
import { DoubtBoard } from '../doubt-board.ts';
import { Doubts, hasSurvivor } from '../doubts.ts';
import { type AnyObject, type Kind, kindFacts } from '../kinds.ts';
import { createSourceMetrics, createWatchMetrics, type SourceMetrics } from '../metrics.ts';
import type { Selector } from '../needs.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ReadObject } from '../read-object.ts';
import type { ClusterListener, ClusterSource, ClusterState, Origin, SourceStatus } from '../source.ts';
import { emptyState, objectsOfKind } from '../state.ts';
import { AcceptFile } from './accept-file.ts';
import { Identity } from './identity.ts';
import { IdentityWatch } from './identity-watch.ts';
import { type KindSink, KindWatch } from './kind-watch.ts';
import { judgeStatus } from './status.ts';
import { Store } from './store.ts';
import { defaultTiming, type SourceTiming, watchSecondsOf } from './timing.ts';
import { isOlder } from './versions.ts';

export type { SourceTiming } from './timing.ts';

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
   * A person accepts an implausible loss by writing its fingerprint, and another cluster by writing its identity (the status names
   * both), into this file, which is then removed.
   */
  readonly acceptFile?: string;
  /**
   * The state that is in force when the source starts: the first list is judged against it as a later list is against the one
   * before. Nothing is read before it has resolved; undefined where nothing is in force.
   */
  readonly lastGood?: Promise<ClusterState | undefined>;
  readonly timing?: Partial<SourceTiming>;
}

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
  readonly #identity: Identity;
  readonly #identityWatch: IdentityWatch;
  readonly #acceptFile: AcceptFile | undefined;
  readonly #board: DoubtBoard;
  readonly #loop: Loop;
  readonly #refused = new Set<string>();
  /** What was in force when the source started; it stands for every kind that was not listed yet. */
  #lastGood: ClusterState = emptyState;
  readonly #listed = new Set<Kind>();
  readonly #versions = new Map<Kind, string>();
  /** The version before an older list brought a kind into doubt: an agent that starts anew must see that its list is older too. */
  readonly #beforeDoubt = new Map<Kind, string>();
  /** The kinds whose next list replaces all objects, because a person has accepted another cluster. */
  readonly #accepted = new Set<Kind>();
  #listener: ClusterListener | undefined;
  #status: SourceStatus = { phase: 'syncing' };
  #statusTimer: Timer | undefined;
  #doubtTimer: Timer | undefined;
  #relistedMs = -Infinity;
  /** A random factor for the time to the next list, so that agents in the same doubt do not list at the same moment. */
  #spread = 1;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    const timing: SourceTiming = { ...defaultTiming, ...options.timing };
    this.#timing = timing;
    const { clock, client, random, log, registry, acceptFile } = options;
    this.#metrics = createSourceMetrics(registry, clock);
    this.#doubts = new Doubts(timing.confirmMs);
    this.#identity = new Identity({ client, clock, log, timeoutMs: timing.requestMs });
    this.#identityWatch = new IdentityWatch({
      client,
      identity: this.#identity,
      clock,
      random,
      everyMs: timing.identityMs,
      // The list of each kind is refused then, so that the state says why, and since when.
      onStranger: () => {
        for (const watch of this.#watches) watch.relist();
      },
    });
    this.#acceptFile = acceptFile === undefined ? undefined : new AcceptFile(acceptFile, log);
    this.#board = new DoubtBoard({ doubts: this.#doubts, acceptFile, clock });
    const metrics = createWatchMetrics(registry, clock);
    this.#watches = options.kinds.map(
      (kind) =>
        new KindWatch(
          {
            ...timing,
            watchSeconds: watchSecondsOf(kind, timing),
            kind,
            backoff: { firstMs: timing.backoffFirstMs, ceilingMs: timing.backoffCeilingMs },
            client,
            checkIdentity: (signal) => this.#identity.check(signal),
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
    void this.#begin();
  }

  async #begin(): Promise<void> {
    this.#lastGood = (await this.#options.lastGood) ?? emptyState;
    const { cluster, versions = {}, doubtSinceMs } = this.#lastGood.origin ?? {};
    this.#identity.trust(cluster);
    this.#doubts.resume(doubtSinceMs);
    for (const { kind } of this.#watches) if (versions[kind] !== undefined) this.#versions.set(kind, versions[kind]);
    if (this.#listener === undefined) return;
    for (const watch of this.#watches) watch.start();
    this.#identityWatch.start();
  }

  status(): SourceStatus {
    return this.#status;
  }

  doubting(): DoubtPart {
    return this.#board.view(this.#identity.refused);
  }

  async stop(): Promise<void> {
    this.#listener = undefined;
    this.#statusTimer?.cancel();
    this.#doubtTimer?.cancel();
    this.#identityWatch.stop();
    await Promise.all([this.#loop.stop(), ...this.#watches.map((watch) => watch.stop())]);
  }

  #sinkOf(kind: Kind): KindSink {
    const changed = (key: ObjectKey): void => {
      this.#doubts.settle(kind, key);
      if (this.#store.pending) this.#loop.trigger();
    };
    return {
      get: (key) => {
        // What is held is of the former cluster until the first list of the accepted one.
        if (this.#accepted.has(kind)) return undefined;
        return this.#listed.has(kind) ? this.#store.get(kind, key) : objectsOfKind(this.#lastGood, kind).get(key);
      },
      put: (key, object) => {
        this.#giveWay(kind, [[key, object]]);
        this.#store.put(kind, key, object);
        changed(key);
      },
      remove: (key) => {
        this.#store.remove(kind, key);
        changed(key);
      },
      swap: (objects, version) => this.#swap(kind, objects, version),
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

  /** Takes a whole list. What it lacks is judged against what is in force: the objects held, or the last-good state at first. */
  #swap(kind: Kind, objects: ReadonlyMap<ObjectKey, AnyObject>, version: string): void {
    const older = isOlder(version, this.#versions.get(kind));
    // An older version brings back older objects, which show nothing of what is there now.
    if (!older) this.#giveWay(kind, objects);
    const held = this.#store.all(kind);
    const before = this.#listed.has(kind) ? held : objectsOfKind(this.#lastGood, kind);
    const witnessed = hasSurvivor(before, objects) && !older;
    for (const [key, object] of objects) this.#store.put(kind, key, object);
    if (this.#accepted.delete(kind)) {
      for (const key of held.keys()) if (!objects.has(key)) this.#store.remove(kind, key);
    } else {
      const nowMs = this.#options.clock.monotonic();
      const { gone, believed } = this.#doubts.judge({ kind, before, next: objects, nowMs, witnessed });
      if (believed !== undefined)
        this.#options.log.warn({ finding: believed }, 'a loss is believed: two lists of the same cluster show it');
      for (const key of gone) this.#store.remove(kind, key);
      for (const [key, object] of before) if (this.#doubts.has(kind, key)) this.#store.put(kind, key, object);
    }
    const known = this.#versions.get(kind);
    if (older && known !== undefined && !this.#beforeDoubt.has(kind)) this.#beforeDoubt.set(kind, known);
    this.#listed.add(kind);
    this.#versions.set(kind, version);
    this.#loop.trigger();
  }

  /**
   * Removes what is held in doubt and is replaced by objects that the server sends now, before they are stored. Without a known
   * cluster what is held may be what lives.
   */
  #giveWay(kind: Kind, sent: Iterable<readonly [ObjectKey, AnyObject]>): void {
    if (this.#identity.known === undefined) return;
    const keys = this.#doubts.giveWay(kind, sent, (key) => this.#store.get(kind, key));
    if (keys.length === 0) return;
    this.#options.log.warn(
      { kind, objects: keys.length },
      'objects in doubt gave way to others that have changed since',
    );
    for (const key of keys) this.#store.remove(kind, key);
  }

  #publishAndJudge(): void {
    for (const { kind } of this.#watches) this.#settleFew(kind);
    this.#publishChange();
    this.#updateStatus();
  }

  #publishChange(): void {
    if (this.#listener === undefined || !this.#synced()) return;
    // A cluster without a single object of our kinds is never a first snapshot; that no spec is written there is nothing special.
    const change = this.#isEmpty() ? undefined : this.#store.publish(this.#origin());
    if (change === undefined) return;
    this.#lastGood = emptyState;
    this.#metrics.changed(change.state);
    this.#listener.onChange(change);
  }

  /** Ends the doubt over a kind of which so many objects came meanwhile that it looks like an edit. */
  #settleFew(kind: Kind): void {
    if (!this.#doubts.kinds.includes(kind)) return;
    const gone = this.#doubts.settleFew(kind, this.#store.size(kind));
    if (gone.length > 0) this.#options.log.warn({ kind, objects: gone.length }, 'a loss is believed: it is small now');
    for (const key of gone) this.#store.remove(kind, key);
  }

  /** Where the state comes from that is published now. */
  #origin(): Origin {
    for (const { kind, machine } of this.#watches)
      if (machine.resourceVersion !== undefined) this.#versions.set(kind, machine.resourceVersion);
    for (const kind of this.#beforeDoubt.keys()) if (!this.#doubts.kinds.includes(kind)) this.#beforeDoubt.delete(kind);
    const versions = Object.fromEntries([...this.#versions, ...this.#beforeDoubt]);
    const doubtSinceMs = this.#doubts.since(this.#options.clock.now());
    return { ...withoutUndefined({ cluster: this.#identity.known, doubtSinceMs }), versions };
  }

  #synced(): boolean {
    return this.#watches.every(({ machine }) => machine.synced);
  }

  #isEmpty(): boolean {
    return this.#store.isUnused() && this.#watches.some(({ kind }) => kindFacts[kind].own !== true);
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
      doubt: this.#board.look(),
      howToAccept: this.#board.howTo(this.#identity.stranger),
      staleAfterMs: this.#timing.staleAfterMs,
      nowMs: clock.monotonic(),
      wallMs: clock.now(),
    });
    this.#statusTimer?.cancel();
    this.#statusTimer = recheckMs === undefined ? undefined : clock.setTimeout(() => this.#updateStatus(), recheckMs);
    this.#setStatus(status);
    if (this.#waitsForPerson() && this.#doubtTimer === undefined) this.#scheduleDoubtCheck();
  }

  #waitsForPerson(): boolean {
    return this.#doubts.kinds.length > 0 || this.#identity.stranger !== undefined;
  }

  #scheduleDoubtCheck(): void {
    this.#doubtTimer = this.#options.clock.setTimeout(
      () => {
        void this.#checkDoubts();
      },
      Math.min(1000, this.#timing.lookAgainMs),
    );
  }

  /** Does what a person has accepted, or else lists the kinds in doubt again. */
  async #checkDoubts(): Promise<void> {
    const said = await this.#acceptFile?.read();
    if (this.#listener === undefined) return;
    this.#doubtTimer = undefined;
    if (said !== undefined && this.#accept(said)) {
      this.#board.obeyed(said);
      this.#loop.trigger();
      await this.#acceptFile?.remove();
      return;
    }
    if (this.#waitsForPerson()) this.#relistDoubted(this.#doubts.kinds);
    // A new fingerprint may have waited for its time.
    this.#updateStatus();
  }

  /** Whether a person means this: the fingerprint of a loss that was shown, or the identity of the cluster that was refused. */
  #accept({ said, writtenMs }: Acceptance): boolean {
    const { log, clock } = this.#options;
    const writtenAtMs = clock.monotonic() - (clock.now() - writtenMs);
    if (this.#identity.isMeant(said, writtenAtMs)) {
      log.warn({ cluster: said, before: this.#identity.known }, 'another cluster accepted by a person');
      this.#identity.trust(said);
      this.#doubts.clear();
      this.#versions.clear();
      for (const watch of this.#watches) {
        this.#accepted.add(watch.kind);
        watch.restart();
      }
      return true;
    }
    const accepted = this.#doubts.accept(said, writtenAtMs);
    if (accepted === undefined) return false;
    log.warn({ fingerprint: said }, 'implausible change accepted by a person');
    for (const [kind, keys] of accepted) for (const key of keys) this.#store.remove(kind, key);
    return true;
  }

  /**
   * Lists the kinds in doubt again: often while a list may settle the doubt, then ever less often, because a watch reports
   * objects that come back.
   */
  #relistDoubted(doubted: readonly Kind[]): void {
    if (doubted.length === 0) return;
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
