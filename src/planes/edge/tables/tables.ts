import type {
  ClusterChange,
  ClusterListener,
  ClusterSource,
  ClusterState,
  SourceStatus,
} from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Loop } from '../../../runtime/loop.ts';
import { fillBackend, type LiveBackend } from '../compile/backends.ts';
import { type Compiled, type Condition, compile, endpointRules } from '../compile/compile.ts';
import { needsCompile } from '../compile/relevant.ts';
import { SliceIndex } from '../compile/slices.ts';
import type { CertificateReader } from '../compile/tls.ts';
import type { EdgeMetrics } from '../metrics.ts';
import type { EdgeReason } from '../reasons.ts';
import type { BackendKey, DataPlane, Host, RoutingTable } from '../table.ts';
import { type SnapshotFile, SnapshotWriter } from './snapshot.ts';

export interface TablesOptions {
  readonly source: ClusterSource;
  readonly dataPlane: DataPlane;
  readonly pool: () => EdgePool;
  readonly readCertificate: CertificateReader;
  readonly snapshot?: SnapshotFile;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: EdgeMetrics;
  /** Called after nginx acknowledged something new. */
  readonly onProgrammed: () => void;
}

/** How long a source may take for its first sync before the snapshot is served instead. */
const snapshotAfterMs = 2000;
/** A change that nginx has not acknowledged for this long makes the blade unfit. */
const acknowledgeWithinMs = 10_000;
const nothing: readonly Condition[] = [];

/**
 * Keeps nginx at the newest state of the cluster. Two paths: the loop compiles the whole table; changes of
 * EndpointSlices alone go to nginx at once, past the loop and past a compile that waits.
 */
export class Tables implements ClusterListener {
  readonly #options: TablesOptions;
  readonly #loop: Loop;
  readonly #snapshots: SnapshotWriter | undefined;
  #state: ClusterState | undefined;
  #fromSnapshot = false;
  #slices = new SliceIndex();
  #compiled: Omit<Compiled, 'backends'> | undefined;
  #backends = new Map<BackendKey, LiveBackend>();
  #keysOfService = new Map<string, BackendKey[]>();
  /** What nginx acknowledged last, and of which start of nginx. */
  #acknowledged: { readonly generation: number; readonly instance: string | undefined } | undefined;
  /** Since when a change waits for its run, and since when the run in flight had waited. */
  #waitingSinceMs: number | undefined;
  #flyingSinceMs: number | undefined;
  #instance: string | undefined;
  #refusal: string | undefined;
  #stopped = false;
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
      onError: (error) => this.#failed('table', error),
    });
    if (options.snapshot !== undefined)
      this.#snapshots = new SnapshotWriter({ file: options.snapshot, clock, log, delayMs: 1000 });
  }

  start(): void {
    const { source, dataPlane, clock } = this.#options;
    this.#unsubscribe = dataPlane.onStatus((status) => {
      if (status === undefined || status.instance === this.#instance) return;
      this.#instance = status.instance;
      this.recompile();
    });
    this.#snapshotTimer = clock.setTimeout(() => void this.#useSnapshot(), snapshotAfterMs);
    source.start(this);
  }

  onChange({ state, changed }: ClusterChange): void {
    this.#snapshotTimer?.cancel();
    const before = this.#state;
    const first = before === undefined || this.#fromSnapshot;
    this.#state = state;
    this.#snapshots?.save(state);
    if (first) {
      this.#fromSnapshot = false;
      this.#slices = SliceIndex.of(state);
      this.recompile();
      return;
    }
    const services = this.#slices.update(state, changed.get('EndpointSlice') ?? []);
    if (needsCompile(before, { state, changed })) this.recompile();
    if (services.size > 0) this.#updateEndpoints(services);
  }

  onStatus(status: SourceStatus): void {
    const { log } = this.#options;
    const reason = 'reason' in status ? status.reason : undefined;
    if (status.phase === 'stale') log.warn({ ...status }, 'the cluster cannot be read, its last good state stays');
    else log.info({ ...status }, 'the cluster is read');
    // A source that already knows that it cannot sync need not be waited for.
    if (this.#state === undefined && (status.phase === 'stale' || reason !== undefined)) void this.#useSnapshot();
  }

  /** Compiles soon: the platform, nginx or the cluster changed. */
  recompile(): void {
    if (this.#state === undefined) return;
    this.#waitingSinceMs ??= this.#options.clock.monotonic();
    this.#loop.trigger();
  }

  /** Why the table in nginx is not the one we want; undefined when it is. */
  fault(): EdgeReason | undefined {
    const status = this.#options.dataPlane.status();
    if (status === undefined) return 'NginxUnreachable';
    if (this.#state === undefined) return 'NotSynced';
    if (!this.#holdsTable) return 'TableNotAcknowledged';
    const sinceMs = this.#flyingSinceMs ?? this.#waitingSinceMs ?? Infinity;
    return this.#options.clock.monotonic() - sinceMs > acknowledgeWithinMs ? 'TableNotAcknowledged' : undefined;
  }

  /** Why nginx refused the newest table, while it serves the one before. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  get servesSnapshot(): boolean {
    return this.#fromSnapshot;
  }

  /** Of the last compile; the same list until the next one. */
  get conditions(): readonly Condition[] {
    return this.#compiled?.conditions ?? nothing;
  }

  /** The newest state of the cluster; undefined while none was read, or that of the snapshot serves. */
  get state(): ClusterState | undefined {
    return this.#fromSnapshot ? undefined : this.#state;
  }

  /** The last generation that nginx acknowledged, 0 for none. */
  get generation(): number {
    return this.#acknowledged?.generation ?? 0;
  }

  /** What nginx serves, for the policy health; undefined while nothing is known. */
  served(): { readonly hosts: readonly Host[]; readonly ready: (backend: BackendKey) => number } | undefined {
    if (this.#compiled === undefined) return undefined;
    return { hosts: this.#compiled.table.hosts, ready: (key) => this.#backends.get(key)?.ready ?? 0 };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#snapshotTimer?.cancel();
    await this.#options.source.stop();
    await this.#loop.stop();
    await this.#snapshots?.flush();
  }

  /** The nginx that runs has our table or, when it refused that, the one before. */
  get #holdsTable(): boolean {
    const status = this.#options.dataPlane.status();
    if (status === undefined) return false;
    return this.#acknowledged?.instance === status.instance || (this.#refusal !== undefined && status.generation > 0);
  }

  async #useSnapshot(): Promise<void> {
    const state = await this.#options.snapshot?.read();
    if (state === undefined || this.#state !== undefined) return;
    this.#options.log.warn(
      { reason: 'ServingSnapshot' satisfies EdgeReason },
      'serving the last good snapshot from disk',
    );
    this.#state = state;
    this.#fromSnapshot = true;
    this.#slices = SliceIndex.of(state);
    this.recompile();
  }

  async #program(): Promise<void> {
    const { readCertificate, pool, clock, metrics } = this.#options;
    if (this.#state === undefined) return;
    this.#flyingSinceMs = this.#waitingSinceMs ?? clock.monotonic();
    this.#waitingSinceMs = undefined;
    try {
      const compileEnd = metrics.compileSeconds.startTimer();
      const compiled = compile({
        state: this.#state,
        pool: pool(),
        readCertificate,
        slices: this.#slices,
        ...(this.#compiled === undefined ? {} : { before: { ...this.#compiled, backends: this.#backends } }),
      });
      compileEnd();
      this.#take(compiled);
      await this.#apply(compiled.table);
      this.#refusal = undefined;
    } catch (error) {
      this.#refusal = messageOf(error);
      // An nginx that answers no serves its table before: what it refused may be a tenant's fault, which is none of the
      // blade's. One that does not answer at all is.
      if (!this.#holdsTable) this.#waitingSinceMs = this.#flyingSinceMs;
      throw error;
    } finally {
      this.#flyingSinceMs = undefined;
    }
  }

  async #apply(table: RoutingTable): Promise<void> {
    const { dataPlane, clock, metrics } = this.#options;
    const startedMs = clock.monotonic();
    const generation = await dataPlane.apply(table);
    metrics.applySeconds.observe({ path: 'table' }, (clock.monotonic() - startedMs) / 1000);
    this.#acknowledge(generation);
  }

  #take({ backends, ...compiled }: Compiled): void {
    this.#compiled = compiled;
    this.#backends = new Map(backends);
    this.#keysOfService = new Map();
    for (const [key, { service }] of backends) {
      const keys = this.#keysOfService.get(service) ?? [];
      keys.push(key);
      this.#keysOfService.set(service, keys);
    }
    this.#countRefusals(compiled.table.hosts.length, compiled.conditions);
  }

  #countRefusals(hosts: number, conditions: readonly Condition[]): void {
    const { metrics } = this.#options;
    metrics.hosts.set(hosts);
    metrics.backends.set(this.#backends.size);
    metrics.refusals.reset();
    for (const { problems } of conditions) for (const { reason } of problems) metrics.refusals.inc({ reason });
  }

  /** The fast path: these Services' endpoints as they are now, for the backends that nginx knows. */
  #updateEndpoints(services: ReadonlySet<string>): void {
    const rules = endpointRules(this.#options.pool(), this.#compiled);
    const updated: LiveBackend[] = [];
    for (const service of services)
      for (const key of this.#keysOfService.get(service) ?? []) {
        const live = fillBackend(key, this.#backends.get(key)?.port, this.#slices, rules);
        this.#backends.set(key, live);
        updated.push(live);
      }
    if (updated.length > 0) void this.#applyEndpoints(updated);
  }

  async #applyEndpoints(updated: readonly LiveBackend[]): Promise<void> {
    const { dataPlane, clock, metrics } = this.#options;
    const startedMs = clock.monotonic();
    try {
      const generation = await dataPlane.applyEndpoints(updated.map(({ backend }) => backend));
      metrics.applySeconds.observe({ path: 'endpoints' }, (clock.monotonic() - startedMs) / 1000);
      metrics.endpointUpdates.inc(updated.length);
      this.#acknowledge(generation);
    } catch (error) {
      this.#failed('endpoints', error);
      this.recompile();
    }
  }

  #acknowledge(generation: number): void {
    const { dataPlane, metrics, onProgrammed } = this.#options;
    this.#acknowledged = { generation, instance: dataPlane.status()?.instance };
    metrics.generation.set(generation);
    onProgrammed();
  }

  #failed(path: 'table' | 'endpoints', error: unknown): void {
    if (this.#stopped) return;
    const { log, metrics } = this.#options;
    metrics.applyFailures.inc({ path });
    log.error(
      { reason: 'TableRefused' satisfies EdgeReason, path, error: messageOf(error) },
      'nginx did not take a change, trying again',
    );
  }
}
