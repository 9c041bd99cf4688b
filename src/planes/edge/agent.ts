import type { Speaker } from '../../bgp/speaker.ts';
import type { SnapshotFile } from '../../kube/last-good.ts';
import type { ClusterSource } from '../../kube/source.ts';
import { policiesOfCluster } from '../../model/platform/policies.ts';
import type { BladeVips, DoubtPart, EdgeStatus, PlanePart, RouteAnswer } from '../../model/status.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { PlatformStatus } from '../../platform/watch.ts';
import { type Clock, sleep, type Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { backendsOfPolicies } from './compile/health.ts';
import type { BladePlatform } from './compile/platform.ts';
import { type RouteQuestion, routeAnswer } from './compile/route-answer.ts';
import type { CertificateReader } from './compile/tls.ts';
import {
  type EdgeMetrics,
  setBladeMetrics,
  setCertificateMetrics,
  setLeavingMetrics,
  setNginxMetrics,
} from './metrics.ts';
import type { PublisherStatus } from './publish/publisher.ts';
import { type PublishView, publishViewOf } from './publish/view.ts';
import { type EdgeReason, edgeReasons } from './reasons.ts';
import { measuredHosts } from './requests/hosts.ts';
import { RequestReader } from './requests/reader.ts';
import { bladeVips, statusOf } from './status.ts';
import { faultOf, unfollowedOf } from './step/convergence.ts';
import { healthInput } from './step/health.ts';
import { type BladeMemory, noMemory } from './step/memory.ts';
import { addressesDue, tlsAnswersAfter, vipsToProbe, vipsToProbeByTls } from './step/probing.ts';
import { mayStop } from './step/retirement.ts';
import { darkBackends } from './step/tries.ts';
import type { BladeView, HostAddresses, ProbeRound } from './step/view.ts';
import { type Step, step } from './step.ts';
import type { DataPlane, HealthReport, Host } from './table.ts';
import type { PairFile } from './tables/pairs.ts';
import { Push } from './tables/push.ts';
import { Tables } from './tables/tables.ts';
import type { VipBrake } from './vips/brake.ts';
import type { LeftOvers } from './vips/leftovers.ts';
import type { Loopback } from './vips/loopback.ts';
import type { Peers } from './vips/peers.ts';
import type { Probe } from './vips/probe.ts';
import { Reach, type TryEndpoint } from './vips/reach.ts';

export interface EdgeAgentOptions {
  readonly blade: string;
  /** The platform in force, as the brake has it. */
  readonly platform: () => BladePlatform;
  readonly brake: VipBrake;
  readonly platformStatus: () => PlatformStatus;
  /** The digest of the platform spec in force, as other blades and the API are told; without it they are not. */
  readonly specDigest?: () => string;
  readonly source: ClusterSource;
  readonly dataPlane: DataPlane;
  readonly speaker: Speaker;
  readonly peers: Peers;
  readonly probe: Probe;
  /** The same over TLS. */
  readonly probeTls: Probe;
  readonly tryEndpoint: TryEndpoint;
  readonly addAddresses: Loopback['add'];
  readonly leftOvers: LeftOvers;
  readonly readCertificate: CertificateReader;
  readonly snapshot?: SnapshotFile;
  /** Where the last good certificates of broken Secrets outlive the agent. */
  readonly pairs?: PairFile;
  /** Writes status and events to the cluster; absent when the cluster is a folder of manifests. */
  readonly publisher?: {
    tick(view: PublishView): void;
    status(): PublisherStatus;
    stop(): Promise<void>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: EdgeMetrics;
  /** The time between two ticks. Default 250. */
  readonly tickMs?: number;
}

/** How long ExaBGP may take to acknowledge the withdrawal of a planned stop. */
const settleMs = 5000;

/**
 * The agent of one blade: it gathers the view, calls `step` and carries out the actions. Every decision over VIPs,
 * drains and health is made in step.ts. It owns neither nginx nor ExaBGP; when it ends, both go on with what they have.
 */
export class EdgeAgent {
  readonly #options: EdgeAgentOptions;
  readonly #tables: Tables;
  readonly #health: Push<HealthReport>;
  readonly #reach: Reach;
  readonly #draining: Push<boolean>;
  readonly #requests: RequestReader;
  #measured: { readonly hosts: readonly Host[]; readonly names: readonly string[] } = { hosts: [], names: [] };
  #memory: BladeMemory = noMemory;
  #startedMs = 0;
  #stoppingSinceMs: number | undefined;
  #host: HostAddresses = { addedMs: -Infinity, vips: [], missing: new Map() };
  #probes: ProbeRound = { number: 0, answers: new Map(), tls: new Map() };
  #answeredMs = -Infinity;
  #timer: Timer | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: EdgeAgentOptions) {
    this.#options = options;
    const { dataPlane, log } = options;
    this.#tables = new Tables({ ...options, onProgrammed: () => this.#step() });
    this.#reach = new Reach(options.tryEndpoint, (key) => this.#tables.endpoints(key));
    const instance = (): string | undefined => dataPlane.status()?.instance;
    this.#health = new Push({ what: 'policy health', send: (value) => dataPlane.setHealth(value), instance, log });
    this.#requests = new RequestReader({
      read: () => dataPlane.requests(),
      pool: () => options.platform().pool.metadata.name,
      metrics: options.metrics.requests,
      clock: options.clock,
    });
    this.#draining = new Push({ what: 'draining', send: (value) => dataPlane.setDraining(value), instance, log });
  }

  start(): void {
    const { dataPlane, speaker, peers, clock } = this.#options;
    this.#startedMs = clock.monotonic();
    dataPlane.start();
    speaker.start();
    peers.start();
    this.#tables.start();
    this.#requests.start();
    this.#tick();
  }

  /** Compiles the table with the platform that was just read, and sends the routes under its limits and terms of the lease. */
  platformChanged(): void {
    this.#options.speaker.reconsider();
    this.#tables.recompile();
  }

  status(): PlanePart<EdgeStatus> {
    const publishing = this.#options.publisher?.status();
    const { brake, leftOvers, peers } = this.#options;
    const notices = [...brake.notices(), ...leftOvers.notices()];
    const { demand, lastMinute, requestsPerSecond, countryData, countryDataBuilt } = this.#requests;
    const policyHosts = this.#tables.policyHosts(this.#options.clock.now());
    const told = { publishing, notices, peersNotBelieved: peers.notBelieved(), policyHosts };
    const requests = { demand, lastMinute, requestsPerSecond, countryData, countryDataBuilt };
    return statusOf({ view: this.#view(), memory: this.#memory, ...told, ...requests });
  }

  /** The VIPs that leave their pool. */
  doubting(): DoubtPart {
    return this.#options.brake.doubting();
  }

  /** What other blades ask. */
  vips(): BladeVips {
    const specDigest = this.#options.specDigest?.();
    return { ...bladeVips(this.#view(), this.#memory), ...withoutUndefined({ specDigest }) };
  }

  /** What the table does with a request. */
  route(question: RouteQuestion): RouteAnswer {
    return { blade: this.#options.blade, ...routeAnswer(this.#tables.routed, question) };
  }

  /**
   * Why the blade as a whole is unfit, or serves what it cannot keep up to date, for `/healthz`; the state of BGP is told by the
   * speaker.
   */
  faults(): readonly string[] {
    const { convergence, nginx, nowMs } = this.#view();
    const fault = faultOf(convergence, nginx, nowMs);
    if (fault !== undefined) return [`${fault}: ${edgeReasons[fault]}`];
    const unfollowed = unfollowedOf(convergence);
    const reason: EdgeReason = 'TableRefused';
    return unfollowed === undefined ? [] : [`${reason}: endpoints are not followed: ${unfollowed}`];
  }

  /**
   * A planned stop first drains: keep-alive connections end, VIPs that another blade has are withdrawn. Never rejects;
   * a VIP that nobody else has stays, and so does one whose withdrawal ExaBGP does not acknowledge in time.
   */
  async withdraw(): Promise<void> {
    const { clock, log, speaker } = this.#options;
    this.#stoppingSinceMs = clock.monotonic();
    this.#step();
    while (!mayStop(this.#view(), this.#memory)) await sleep(clock, 100);
    await speaker.settled(settleMs).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'withdrawal not acknowledged');
    });
    log.info({ vips: this.status().vips }, 'stopping as planned');
  }

  /** Ends the agent and leaves nginx and ExaBGP as they are: nginx serves on, ExaBGP announces until the lease ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#ticking;
    await this.#options.publisher?.stop();
    await this.#requests.stop();
    this.#options.peers.stop();
    // A table that waits for an nginx that is away is rejected when the driver stops.
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
    const { clock, peers, publisher, platformStatus, source, brake } = this.#options;
    await brake.look();
    // A drain and the health of policies wait for no probe.
    this.#step();
    await this.#observe();
    if (this.#step().actions.ask) {
      await peers.ask();
      this.#answeredMs = clock.monotonic();
      this.#step();
    }
    publisher?.tick(
      publishViewOf(this.#view(), this.#memory, {
        platformInvalid: platformStatus().phase !== 'current',
        specDigest: this.#options.specDigest?.(),
        doubts: [...source.doubting().doubts, ...brake.doubting().doubts],
      }),
    );
  }

  /** Adds VIPs that may be missing to the host, removes those that left, then probes the VIPs. */
  async #observe(): Promise<void> {
    const { clock, addAddresses, leftOvers } = this.#options;
    await leftOvers.look();
    const due = addressesDue(this.#view());
    if (due.length > 0) {
      const addedMs = clock.monotonic();
      this.#host = { addedMs, vips: due.map(({ text }) => text), missing: await addAddresses(due) };
    }
    this.#probes = await this.#probeVips();
  }

  /** All VIPs are probed at once: one on which nothing answers must not hold up the verdict over the others. */
  async #probeVips(): Promise<ProbeRound> {
    const { dataPlane, probe, probeTls, platform } = this.#options;
    const { ports } = platform().pool.spec;
    const { tls: known } = this.#probes;
    const number = this.#probes.number + 1;
    const vips = vipsToProbe(this.#view());
    const [answers, handshakes] = await Promise.all([
      Promise.all(vips.map(async (vip) => [vip.text, await probe(vip, ports.http)] as const)),
      Promise.all(
        vipsToProbeByTls(vips, known).map(
          async (vip) => [vip.text, { instance: await probeTls(vip, ports.https), round: number }] as const,
        ),
      ),
    ]);
    const tls = tlsAnswersAfter(known, new Map(handshakes), vips, dataPlane.status()?.instance);
    return { answers: new Map(answers), number, tls };
  }

  /** Takes one step: publishes the new memory, then carries out the actions; asking the peers is left to the caller. */
  #step(): Step {
    const { speaker, dataPlane, metrics, log, brake, clock, peers } = this.#options;
    const view = this.#view();
    const result = step(view, this.#memory);
    this.#memory = result.memory;
    const { health, draining, announce } = result.actions;
    for (const { level, fields, message } of result.news) log[level](fields, message);
    if (health !== undefined)
      this.#health.set({
        policies: health,
        watched: backendsOfPolicies(healthInput(view)),
        measured: this.#measuredHosts(view),
        accessLog: view.pool.spec.accessLog,
      });
    this.#reach.tryAgain(darkBackends(result.memory.tries), view.nowMs);
    this.#draining.set(draining);
    if (announce !== undefined) speaker.setDesired(announce);
    setBladeMetrics(metrics, result);
    setLeavingMetrics(metrics, brake.notices(), clock.now());
    setNginxMetrics(metrics, dataPlane.status());
    metrics.peersNotBelieved.set(peers.notBelieved().length);
    return result;
  }

  /** Chosen anew only when the table changed. */
  #measuredHosts({ platform, pool, served }: BladeView): readonly string[] {
    const { hosts } = served ?? this.#measured;
    if (hosts !== this.#measured.hosts) {
      const policyHosts = new Set(policiesOfCluster(platform, pool.spec.cluster).flatMap(({ spec }) => spec.hosts));
      const names = measuredHosts(this.#measured.names, hosts, policyHosts);
      this.#measured = { hosts, names };
      setCertificateMetrics(this.#options.metrics, this.#tables.certificateEnds(new Set(names)));
    }
    return this.#measured.names;
  }

  #view(): BladeView {
    const { blade, platform, source, dataPlane, speaker, peers, clock, brake } = this.#options;
    const bgp = speaker.status();
    if (bgp.relay === 'synced') brake.adopt(bgp.announced);
    return {
      blade,
      nowMs: clock.monotonic(),
      dateMs: clock.now(),
      startedMs: this.#startedMs,
      stoppingSinceMs: this.#stoppingSinceMs,
      ...platform(),
      source: source.status(),
      nginx: dataPlane.status(),
      convergence: this.#tables.convergence,
      conditions: this.#tables.conditions,
      served: this.#tables.served,
      speaker: bgp,
      host: this.#host,
      probes: this.#probes,
      reached: this.#reach.reached,
      peers: { answers: peers.answers(), answeredMs: this.#answeredMs },
    };
  }
}
