import { type SnapshotFile, SnapshotWriter } from '../../../kube/last-good.ts';
import type {
  ClusterChange,
  ClusterListener,
  ClusterSource,
  ClusterState,
  SourceStatus,
} from '../../../kube/source.ts';
import type { PolicyHostsView } from '../../../model/status.ts';
import { messageOf, withoutUndefined } from '../../../model/values.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Loop } from '../../../runtime/loop.ts';
import type { LiveBackend } from '../compile/backends.ts';
import { type Compiled, compile } from '../compile/compile.ts';
import { type Condition, withProblems } from '../compile/condition.ts';
import { emptyServiceProblems } from '../compile/empty-services.ts';
import { endpointRules } from '../compile/endpoint-rules.ts';
import type { BladePlatform } from '../compile/platform.ts';
import { policyHosts } from '../compile/policy-hosts.ts';
import { needsCompile } from '../compile/relevant.ts';
import type { Routed } from '../compile/route-answer.ts';
import { SliceIndex } from '../compile/slices.ts';
import type { CertificateReader } from '../compile/tls.ts';
import { type EdgeMetrics, setRefusalMetrics } from '../metrics.ts';
import type { EdgeReason } from '../reasons.ts';
import {
  type Acknowledged,
  type Convergence,
  compileStarted,
  endpointsAcknowledged,
  generationOf,
  nginxOwes,
  nginxSeen,
  notConverged,
  stateChanged,
  stateRead,
  tableAcknowledged,
  tableFailed,
} from '../step/convergence.ts';
import { lossInFirstTable } from '../step/first-table.ts';
import type { Served } from '../step/view.ts';
import type { BackendKey, DataPlane, Endpoint, RoutingTable } from '../table.ts';
import { certificateEnds } from './certificate-ends.ts';
import { EmptyBackends } from './empty-backends.ts';
import { LiveBackends } from './live-backends.ts';
import { CertificatePairs, type PairFile } from './pairs.ts';

export interface TablesOptions {
  readonly source: ClusterSource;
  readonly dataPlane: DataPlane;
  readonly platform: () => BladePlatform;
  readonly readCertificate: CertificateReader;
  readonly snapshot?: SnapshotFile;
  readonly pairs?: PairFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: EdgeMetrics;
  /** Called after nginx acknowledged something new. */
  readonly onProgrammed: () => void;
}

/** How long a source may take for its first sync before the snapshot is served instead. */
const snapshotAfterMs = 2000;
const nothing: readonly Condition[] = [];

/**
 * Keeps nginx at the newest state of the cluster. Two paths: the loop compiles the whole table; changes of
 * EndpointSlices alone go to nginx at once, past the loop and past a compile that waits. `convergence` says how far
 * nginx is, and whether that is a fault of the blade; only functions of step/convergence.ts change it.
 */
export class Tables implements ClusterListener {
  readonly #options: TablesOptions;
  readonly #loop: Loop;
  readonly #snapshots: SnapshotWriter | undefined;
  readonly #live = new LiveBackends();
  readonly #empty = new EmptyBackends();
  /** The conditions, and what they were made of. */
  #told: { readonly from: readonly unknown[]; readonly conditions: readonly Condition[] } | undefined;
  readonly #pairs: CertificatePairs;
  #convergence = notConverged;
  #slices = new SliceIndex();
  #compiled: Omit<Compiled, 'backends'> | undefined;
  /** The snapshot of the agent before: it is read before this agent writes its own. */
  #onDisk: Promise<ClusterState | undefined> = Promise.resolve(undefined);
  #inherited: Promise<void> | undefined;
  #stopped = false;
  /** False while nothing shows that the first state of this agent is no loss. */
  #proven = false;
  #snapshotTimer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: TablesOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#loop = new Loop({
      clock,
      debounceMs: 20,
      ceilingMs: 200,
      retry: { firstMs: 100, ceilingMs: 5000 },
      run: () => this.#program(),
      onError: (error) => this.#reportFailure('table', error),
    });
    const { readCertificate, pairs: file } = options;
    const recompile = (): void => this.recompile();
    this.#pairs = new CertificatePairs({ readCertificate, clock, log, recompile, ...withoutUndefined({ file }) });
    if (options.snapshot !== undefined)
      this.#snapshots = new SnapshotWriter({ file: options.snapshot, clock, log, delayMs: 1000 });
  }

  start(): void {
    const { source, dataPlane, clock, snapshot } = this.#options;
    this.#onDisk = snapshot?.read() ?? Promise.resolve(undefined);
    this.#unsubscribe = dataPlane.onStatus((status) => {
      this.#pairs.nginxSeen(status);
      if (status === undefined) return;
      const seen = nginxSeen(this.#convergence, status.instance);
      // An unproven table may wait for this answer.
      if (seen === this.#convergence && this.#proven) return;
      this.#convergence = seen;
      this.recompile();
    });
    this.#snapshotTimer = clock.setTimeout(() => void this.#useSnapshot(), snapshotAfterMs);
    source.start(this);
  }

  onChange(change: ClusterChange): void {
    this.#snapshotTimer?.cancel();
    const { state } = change;
    const { known } = this.#convergence;
    this.#convergence = stateRead(this.#convergence, 'cluster', state);
    if (this.#proven) this.#snapshots?.save(state);
    if (known.phase !== 'cluster') {
      this.#slices = SliceIndex.of(state);
      this.recompile();
      return;
    }
    const services = this.#slices.update(state, change.changed.get('EndpointSlice') ?? []);
    if (needsCompile(known.state, change)) this.recompile();
    if (services.size > 0) this.#updateEndpoints(services);
  }

  onStatus(status: SourceStatus): void {
    const { log } = this.#options;
    const reason = 'reason' in status ? status.reason : undefined;
    if (status.phase === 'stale') log.warn({ ...status }, 'the cluster cannot be read, its last good state stays');
    else log.info({ ...status }, 'the source of the cluster changed its phase');
    // A source that already knows that it cannot sync need not be waited for.
    const hopeless = status.phase === 'stale' || reason !== undefined;
    if (this.#convergence.known.phase === 'nothing' && hopeless) void this.#useSnapshot();
  }

  /** Compiles soon: the platform, nginx or the cluster changed. */
  recompile(): void {
    if (this.#convergence.known.phase === 'nothing') return;
    this.#convergence = stateChanged(this.#convergence, this.#options.clock.monotonic());
    this.#loop.trigger();
  }

  get convergence(): Convergence {
    return nginxOwes(this.#convergence, this.#options.dataPlane.owingSinceMs());
  }

  /** The conditions of the last compile and of Services that stay empty; the same list while nothing of that changes. */
  get conditions(): readonly Condition[] {
    const compiled = this.#compiled;
    if (compiled === undefined) return nothing;
    const empty = this.#empty.lasting(this.#options.clock.monotonic());
    const from = [compiled.conditions, compiled.readings, empty];
    if (this.#told === undefined || from.some((one, at) => one !== this.#told?.from[at])) {
      const conditions = withProblems(compiled.conditions, emptyServiceProblems(compiled.readings.values(), empty));
      this.#told = { from, conditions };
      setRefusalMetrics(this.#options.metrics, conditions);
    }
    return this.#told.conditions;
  }

  /** What nginx serves, for the policy health; undefined while nothing is known. */
  get served(): Served | undefined {
    if (this.#compiled === undefined) return undefined;
    return { hosts: this.#compiled.table.hosts, ready: (key) => this.#live.ready(key) };
  }

  /** When the certificates of hosts end, those that are named one by one. */
  certificateEnds(named: ReadonlySet<string>): ReadonlyMap<string, number> {
    const compiled = this.#compiled;
    return certificateEnds(compiled?.table.hosts ?? [], compiled?.heldPairs.values() ?? [], named);
  }

  /** What the cluster has of the hosts of policies, by the table as it is now; undefined before the first. */
  policyHosts(nowMs: number): readonly PolicyHostsView[] | undefined {
    const compiled = this.#compiled;
    if (compiled === undefined) return undefined;
    const pairs = [...compiled.heldPairs.values()].flatMap((pair) => pair ?? []);
    return policyHosts({
      ...this.#options.platform(),
      hosts: compiled.table.hosts,
      ready: (key) => this.#live.ready(key),
      certificates: new Map(pairs.map(({ certificate, facts }) => [certificate.id, facts])),
      nowMs,
    });
  }

  /** The endpoints that nginx has of a backend. */
  endpoints(key: BackendKey): readonly Endpoint[] {
    return this.#live.all.get(key)?.backend.endpoints ?? [];
  }

  /** The last compile and its endpoints as they are now; undefined before the first. */
  get routed(): Routed | undefined {
    const compiled = this.#compiled;
    return compiled === undefined ? undefined : { compiled, backend: (key) => this.#live.all.get(key) };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#snapshotTimer?.cancel();
    await this.#options.source.stop();
    await this.#loop.stop();
    await this.#snapshots?.flush();
    await this.#pairs.stop();
  }

  async #useSnapshot(): Promise<void> {
    const state = await this.#onDisk;
    if (state === undefined || this.#convergence.known.phase !== 'nothing') return;
    this.#options.log.warn(
      { reason: 'ServingSnapshot' satisfies EdgeReason },
      'serving the last good snapshot from disk',
    );
    this.#snapshots?.keep(state);
    this.#convergence = stateRead(this.#convergence, 'snapshot', state);
    this.#slices = SliceIndex.of(state);
    this.recompile();
  }

  /**
   * Takes over what the agent before left, once, before the first compile: its last good certificates, and the knowledge that
   * the source judges its first list by a last-good state. Where there is none, the first table is judged by nginx.
   */
  async #inherit(): Promise<void> {
    const state = await this.#onDisk;
    if (state !== undefined) this.#prove();
    await this.#pairs.load(state, this.#options.platform().pool);
    this.#onDisk = Promise.resolve(undefined);
  }

  async #program(): Promise<void> {
    const { clock, dataPlane } = this.#options;
    await (this.#inherited ??= this.#inherit());
    const { known } = this.#convergence;
    if (known.phase === 'nothing') return;
    // What nginx serves from an earlier agent decides whether the first table may be sent: it has to answer first.
    if (!this.#proven && dataPlane.status() === undefined) return;
    this.#convergence = compileStarted(this.#convergence, clock.monotonic());
    let acknowledged: Acknowledged;
    try {
      const table = this.#compile(known.state);
      acknowledged = await this.#timed('table', dataPlane.apply(table));
      this.#pairs.acknowledged(table.certificates);
    } catch (error) {
      this.#convergence = tableFailed(this.#convergence, messageOf(error), dataPlane.status());
      throw error;
    }
    this.#programmed(tableAcknowledged(this.#convergence, acknowledged));
    this.#prove();
  }

  /** Notes that the state need not be judged by what nginx serves (any more), so that it may become the last-good one. */
  #prove(): void {
    if (this.#proven) return;
    this.#proven = true;
    const { known } = this.#convergence;
    if (known.phase === 'cluster') this.#snapshots?.save(known.state);
  }

  #compile(state: ClusterState): RoutingTable {
    const { readCertificate, platform, metrics } = this.#options;
    const compileEnd = metrics.compileSeconds.startTimer();
    const before = this.#compiled === undefined ? undefined : { ...this.#compiled, backends: this.#live.all };
    const { backends, ...compiled } = compile({
      state,
      ...platform(),
      readCertificate,
      slices: this.#slices,
      ...this.#pairs.input(),
      ...withoutUndefined({ before }),
    });
    compileEnd();
    const loss = this.#proven
      ? undefined
      : lossInFirstTable(this.#options.dataPlane.status(), compiled.table.hosts.length);
    if (loss !== undefined) throw new Error(loss);
    this.#compiled = compiled;
    this.#pairs.compiled(compiled);
    this.#live.replace(backends);
    metrics.hosts.set(compiled.table.hosts.length);
    metrics.backends.set(backends.size);
    setRefusalMetrics(metrics, this.conditions);
    return compiled.table;
  }

  /** The fast path: sends nginx the endpoints that these Services have now, for the backends that it knows. */
  #updateEndpoints(services: ReadonlySet<string>): void {
    const platform = this.#options.platform();
    const rules = endpointRules(platform, this.#compiled);
    const { limits } = platform.pool.spec;
    const { filled, crowded } = this.#live.refill(services, this.#slices, { rules, limits });
    if (filled.length > 0) void this.#applyEndpoints(filled);
    if (crowded) this.recompile();
  }

  async #applyEndpoints(updated: readonly LiveBackend[]): Promise<void> {
    const { dataPlane, metrics } = this.#options;
    let acknowledged: Acknowledged;
    try {
      const backends = updated.map(({ backend }) => backend);
      acknowledged = await this.#timed('endpoints', dataPlane.applyEndpoints(backends));
    } catch (error) {
      this.#reportFailure('endpoints', error);
      this.recompile();
      return;
    }
    metrics.endpointUpdates.inc(updated.length);
    this.#programmed(endpointsAcknowledged(this.#convergence, acknowledged));
  }

  /** Waits for nginx to acknowledge, and measures how long that takes. */
  async #timed(path: 'table' | 'endpoints', answer: Promise<number>): Promise<Acknowledged> {
    const { dataPlane, clock, metrics } = this.#options;
    const startedMs = clock.monotonic();
    const generation = await answer;
    metrics.applySeconds.observe({ path }, (clock.monotonic() - startedMs) / 1000);
    return { generation, instance: dataPlane.status()?.instance };
  }

  #programmed(convergence: Convergence): void {
    this.#convergence = convergence;
    this.#options.metrics.generation.set(generationOf(convergence));
    this.#empty.seen(this.#live.all, this.#options.clock.monotonic());
    this.#options.metrics.emptyBackends.set(this.#empty.count);
    try {
      this.#options.onProgrammed();
    } catch (error) {
      // nginx has the change: a fault of what follows is none of the table.
      this.#options.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'step failed');
    }
  }

  #reportFailure(path: 'table' | 'endpoints', error: unknown): void {
    if (this.#stopped) return;
    const { log, metrics } = this.#options;
    metrics.applyFailures.inc({ path });
    log.error(
      { reason: 'TableRefused' satisfies EdgeReason, path, error: messageOf(error) },
      'nginx did not take a change, trying again',
    );
  }
}
