import type { Route } from '../../src/bgp/route.ts';
import type { Speaker, SpeakerStatus } from '../../src/bgp/speaker.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import type { ObjectKey } from '../../src/kube/objects/metadata.ts';
import type { ClusterListener, ClusterSource, ClusterState, SourceStatus } from '../../src/kube/source.ts';
import type { DoubtPart } from '../../src/model/status.ts';
import type { RequestCounts } from '../../src/planes/edge/requests/counts.ts';
import type {
  Backend,
  BackendKey,
  DataPlane,
  DataPlaneStatus,
  HealthReport,
  PolicyHealth,
  RoutingTable,
} from '../../src/planes/edge/table.ts';

/** A source that says what the test makes it say. */
export class FakeSource implements ClusterSource {
  listener: ClusterListener | undefined;
  #status: SourceStatus = { phase: 'syncing' };

  start(listener: ClusterListener): void {
    this.listener = listener;
  }

  status(): SourceStatus {
    return this.#status;
  }

  doubting(): DoubtPart {
    return { doubts: [], accepted: [] };
  }

  async stop(): Promise<void> {
    this.listener = undefined;
  }

  setStatus(status: SourceStatus): void {
    this.#status = status;
    this.listener?.onStatus(status);
  }

  publish(state: ClusterState, changed: Partial<Record<Kind, readonly ObjectKey[]>> = {}): void {
    const entries = Object.entries(changed).map(([kind, keys]) => [kind as Kind, new Set(keys)] as const);
    this.listener?.onChange({ state, changed: new Map(entries) });
  }
}

/** An nginx in memory: it holds a table, counts generations, and can be started anew, be away, or be slow. */
export class FakeDataPlane implements DataPlane {
  table: RoutingTable | undefined;
  health: readonly PolicyHealth[] | undefined;
  watched: readonly BackendKey[] | undefined;
  measured: readonly string[] = [];
  counts: RequestCounts | undefined;
  workers: DataPlaneStatus['workers'] = [];
  backendTries: DataPlaneStatus['backendTries'] = {};
  draining = false;
  readonly calls: string[] = [];
  /** `apply` answers only after this promise has resolved. */
  gate: Promise<void> = Promise.resolve();
  failing = false;
  /** It does not answer yet, whatever it holds. */
  silent = false;
  moved = -Infinity;
  refusedPairs: Readonly<Record<string, string>> = {};
  /** The ids of the pairs that it refuses when a table has them. */
  unpresentable: ReadonlySet<string> = new Set();
  #instance: string | undefined = 'first';
  #generation = 0;
  readonly #listeners = new Set<(status: DataPlaneStatus | undefined) => void>();

  start(): void {}
  async stop(): Promise<void> {}

  async apply(table: RoutingTable): Promise<number> {
    this.calls.push('apply');
    await this.gate;
    return this.#take(() => {
      this.table = table;
      for (const { id } of table.certificates) if (this.unpresentable.has(id)) this.refuse(id, 'ca key too small');
    });
  }

  async applyEndpoints(backends: readonly Backend[]): Promise<number> {
    this.calls.push('applyEndpoints');
    return this.#take(() => {
      const fresh = new Map(backends.map((backend) => [backend.key, backend]));
      if (this.table === undefined) return;
      this.table = { ...this.table, backends: this.table.backends.map((old) => fresh.get(old.key) ?? old) };
    });
  }

  async requests(): Promise<RequestCounts> {
    if (this.counts === undefined) throw new Error('nothing was counted');
    return this.counts;
  }

  async setHealth({ policies, watched, measured }: HealthReport): Promise<void> {
    this.calls.push('setHealth');
    this.health = policies;
    this.watched = watched;
    this.measured = measured;
  }

  async setDraining(draining: boolean): Promise<void> {
    this.draining = draining;
  }

  status(): DataPlaneStatus | undefined {
    if (this.silent || this.#instance === undefined) return undefined;
    const { hosts, backends, certificates } = this.table ?? { hosts: [], backends: [], certificates: [] };
    return {
      instance: this.#instance,
      generation: this.#generation,
      hosts: hosts.length,
      backends: backends.length,
      certificates: certificates.length,
      freeBytes: {},
      draining: this.draining,
      activeConnections: 0,
      refusedPairs: this.refusedPairs,
      refusedHandshakes: 0,
      answered: {},
      workers: this.workers,
      tries: {},
      backendTries: this.backendTries,
    };
  }

  owingSinceMs(): number {
    return this.moved;
  }

  onStatus(listener: (status: DataPlaneStatus | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * nginx ends (undefined) or starts: a new instance holds nothing; with `generation` above 0 it has got another table
   * meanwhile.
   */
  setInstance(instance: string | undefined, generation = 0): void {
    this.#instance = instance;
    this.#generation = generation;
    this.table = undefined;
    this.health = undefined;
    this.draining = false;
    for (const listener of this.#listeners) listener(this.status());
  }

  /** nginx, which was silent, answers: with what it holds, and with the changes that wait behind `gate`. */
  speak(): void {
    this.silent = false;
    for (const listener of this.#listeners) listener(this.status());
  }

  /** nginx finds that it cannot present a pair. */
  refuse(id: string, why: string): void {
    this.refusedPairs = { ...this.refusedPairs, [id]: why };
    for (const listener of this.#listeners) listener(this.status());
  }

  #take(change: () => void): number {
    if (this.failing || this.#instance === undefined) throw new Error('nginx is away');
    change();
    this.#generation += 1;
    return this.#generation;
  }
}

/** A speaker whose ExaBGP does at once what it is told. */
export class FakeSpeaker implements Speaker {
  desired: readonly Route[] | undefined;
  announced: readonly Route[] = [];
  up = true;
  relay: SpeakerStatus['relay'] = 'synced';
  yielded: SpeakerStatus['yielded'];

  start(): void {}
  async stop(): Promise<void> {}
  async settled(): Promise<void> {}
  /** How often the set was to be judged again. */
  reconsidered = 0;
  reconsider(): void {
    this.reconsidered += 1;
  }

  setYields(): void {}

  setDesired(routes: readonly Route[]): void {
    this.desired = routes;
    this.announced = routes;
  }

  status(): SpeakerStatus {
    const neighbors = [{ address: '10.1.0.1', asn: 65_010, up: this.up }];
    const { relay, announced, yielded } = this;
    return { relay, neighbors, announced, refusals: [], ...(yielded === undefined ? {} : { yielded }) };
  }

  onStatus(): () => void {
    return () => {};
  }

  /** The prefixes that are announced now. */
  get prefixes(): readonly string[] {
    return this.announced.map(({ prefix }) => prefix.text);
  }
}
