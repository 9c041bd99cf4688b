import type { Speaker } from '../../bgp/speaker.ts';
import type { ClusterSource } from '../../kube/source.ts';
import type { Drain } from '../../model/spec/kinds.ts';
import type { EdgeStatus, PlanePart } from '../../model/status.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { PlatformStatus } from '../../platform/watch.ts';
import { type Clock, sleep, type Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { bladeDrain, policyHealth } from './compile/health.ts';
import type { BladePlatform } from './compile/platform.ts';
import type { CertificateReader } from './compile/tls.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { PublisherStatus, PublishView } from './publish/publisher.ts';
import type { EdgeReason } from './reasons.ts';
import { statusOf } from './status.ts';
import type { DataPlane } from './table.ts';
import { Push } from './tables/push.ts';
import type { SnapshotFile } from './tables/snapshot.ts';
import { Tables } from './tables/tables.ts';
import type { AddAddresses } from './vips/loopback.ts';
import type { Peers } from './vips/peers.ts';
import type { Probe } from './vips/probe.ts';
import { type VipStatus, Vips } from './vips/vips.ts';

export interface EdgeAgentOptions {
  readonly blade: string;
  readonly platform: () => BladePlatform;
  readonly platformStatus: () => PlatformStatus;
  readonly source: ClusterSource;
  readonly dataPlane: DataPlane;
  readonly speaker: Speaker;
  readonly peers: Peers;
  readonly probe: Probe;
  readonly addAddresses: AddAddresses;
  readonly readCertificate: CertificateReader;
  readonly snapshot?: SnapshotFile;
  /** Tells the cluster what became of its objects; absent when the cluster is a folder of manifests. */
  readonly publisher?: {
    tick(view: PublishView): void;
    status(): PublisherStatus;
    stop(): Promise<void>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: EdgeMetrics;
  /** Default 250. */
  readonly tickMs?: number;
}

const addressesEveryMs = 5000;
const settleMs = 5000;
/** How long after a start nginx is left with the health that an agent before us reported, while we know nothing. */
const recallMs = 10_000;

/**
 * The agent of one blade: cluster → table → nginx, drains and health → nginx, fitness → VIPs. It owns neither nginx nor
 * ExaBGP; when it ends, both go on with what they have.
 */
export class EdgeAgent {
  readonly #options: EdgeAgentOptions;
  readonly #tables: Tables;
  readonly #vips: Vips;
  readonly #health: Push<ReturnType<typeof policyHealth>>;
  readonly #draining: Push<boolean>;
  #drain: { readonly object: Drain; readonly sinceMs: number } | undefined;
  #startedMs = 0;
  #stopping: number | undefined;
  #missing: ReadonlyMap<string, string> = new Map();
  #addressesAtMs = -Infinity;
  #timer: Timer | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: EdgeAgentOptions) {
    this.#options = options;
    const { dataPlane, log, platform } = options;
    this.#tables = new Tables({ ...options, pool: () => platform().pool, onProgrammed: () => this.#pushHealth() });
    this.#vips = new Vips({
      ...options,
      pool: () => platform().pool,
      instance: () => dataPlane.status()?.instance,
      bladeFault: () => this.#tables.fault(),
      retiring: () => this.#retiring(),
      missing: () => this.#missing,
    });
    const instance = (): string | undefined => dataPlane.status()?.instance;
    this.#health = new Push({ what: 'policy health', send: (value) => dataPlane.setHealth(value), instance, log });
    this.#draining = new Push({ what: 'draining', send: (value) => dataPlane.setDraining(value), instance, log });
  }

  start(): void {
    const { dataPlane, speaker, peers, clock } = this.#options;
    this.#startedMs = clock.monotonic();
    dataPlane.start();
    speaker.start();
    peers.start();
    this.#tables.start();
    this.#tick();
  }

  /** The platform was read again. */
  platformChanged(): void {
    this.#addressesAtMs = -Infinity;
    this.#tables.recompile();
  }

  status(): PlanePart<EdgeStatus> {
    return statusOf({
      ...this.#options,
      tables: this.#tables,
      vips: this.#vips.status(),
      drain: this.#drain?.object,
      health: this.#health.value ?? [],
      missing: this.#missing,
    });
  }

  /**
   * A planned stop first drains: keep-alive connections end, VIPs that another blade has are withdrawn. Rejects never;
   * a VIP that nobody else has stays, and so does one whose withdrawal ExaBGP does not acknowledge in time.
   */
  async withdraw(): Promise<void> {
    const { clock, log, speaker, platform } = this.#options;
    this.#stopping = clock.monotonic();
    const deadlineMs = this.#stopping + platform().pool.spec.drain.graceSeconds * 1000 + settleMs;
    const graceOverMs = deadlineMs - settleMs;
    while (clock.monotonic() < deadlineMs && this.#vips.busy) {
      if (clock.monotonic() > graceOverMs + 2000 && this.#vips.onlyLast) break;
      await sleep(clock, 100);
    }
    await speaker.settled(settleMs).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'withdrawal not acknowledged');
    });
    log.info({ vips: this.#vips.status() }, 'stopping as planned');
  }

  /** Lets go of everything and leaves it as it is: nginx serves on, ExaBGP announces on until the lease ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#ticking;
    await this.#options.publisher?.stop();
    this.#options.peers.stop();
    // A table that waits for an nginx that is away is given up by the driver's own stop.
    await Promise.all([this.#tables.stop(), this.#options.dataPlane.stop()]);
    await this.#options.speaker.stop();
  }

  #tick(): void {
    const { clock, log, tickMs = 250 } = this.#options;
    this.#ticking = this.#tickOnce()
      .catch((error: unknown) =>
        log.error({ error: error instanceof Error ? error.stack : String(error) }, 'tick failed'),
      )
      .then(() => {
        if (!this.#stopped) this.#timer = clock.setTimeout(() => this.#tick(), tickMs);
      });
  }

  async #tickOnce(): Promise<void> {
    const { clock, addAddresses, platform } = this.#options;
    this.#readDrain();
    this.#draining.set(this.#retiring() !== undefined);
    this.#pushHealth();
    if (clock.monotonic() - this.#addressesAtMs >= addressesEveryMs) {
      this.#addressesAtMs = clock.monotonic();
      this.#missing = await addAddresses(platform().pool.spec.vips.map(({ address }) => address));
    }
    await this.#vips.tick();
    this.#options.publisher?.tick(this.#publishView());
  }

  #readDrain(): void {
    const { platform, blade, clock, log, metrics } = this.#options;
    const now = platform();
    const object = bladeDrain(now.platform, now.pool, blade, clock.now());
    if ((object === undefined) !== (this.#drain === undefined))
      log.info(
        { drain: object?.metadata.name, why: object?.spec.reason },
        object === undefined ? 'drain over' : 'drain begins',
      );
    this.#drain = object === undefined ? undefined : { object, sinceMs: this.#drain?.sinceMs ?? clock.monotonic() };
    metrics.draining.set(object === undefined ? 0 : 1);
  }

  #publishView(): PublishView {
    const { source, platformStatus, platform, peers } = this.#options;
    const own = this.#vips.status();
    const others = peers.answers().map(({ vips }) => [...vips.values()]);
    const { blades, vips } = platform().pool.spec;
    const tableRefused = this.#tables.refusal;
    return {
      state: source.status().phase === 'live' ? this.#tables.state : undefined,
      fault: this.#tables.fault(),
      conditions: this.#tables.conditions,
      platformInvalid: platformStatus().phase !== 'current',
      ...withoutUndefined({ tableRefused }),
      blades: blades.length,
      fitBlades: [own, ...others].filter((blade) => blade.some(({ fit }) => fit)).length,
      announced: new Set(
        vips
          .map(({ address }) => address.text)
          .filter(
            (vip) => isAnnounced(own, vip) || peers.answers().some((peer) => peer.vips.get(vip)?.announced === true),
          ),
      ),
    };
  }

  #retiring(): { readonly reason: Extract<EdgeReason, 'Draining' | 'Stopping'>; readonly sinceMs: number } | undefined {
    if (this.#drain !== undefined) return { reason: 'Draining', sinceMs: this.#drain.sinceMs };
    return this.#stopping === undefined ? undefined : { reason: 'Stopping', sinceMs: this.#stopping };
  }

  #pushHealth(): void {
    const { platform, clock, metrics } = this.#options;
    const now = platform();
    const served = this.#tables.served();
    const health = policyHealth({ ...now, nowMs: clock.now(), ...withoutUndefined({ served }) });
    const ignorant = served === undefined && health.every(({ reason }) => reason === 'Unknown');
    if (ignorant && clock.monotonic() - this.#startedMs < recallMs) return;
    for (const { policy, healthy } of health) metrics.policyHealthy.set({ policy }, healthy ? 1 : 0);
    this.#health.set(health);
  }
}

function isAnnounced(vips: readonly VipStatus[], address: string): boolean {
  return vips.some((vip) => vip.address === address && vip.announced);
}
