import type { KubeClient } from '../../../src/kube/api/client.ts';
import { connect } from '../../../src/kube/api/connect.ts';
import type { ClusterState } from '../../../src/kube/source.ts';
import type { EdgePool } from '../../../src/model/spec/kinds.ts';
import { compile } from '../../../src/planes/edge/compile/compile.ts';
import type { Condition } from '../../../src/planes/edge/compile/condition.ts';
import { Publisher, type PublisherStatus } from '../../../src/planes/edge/publish/publisher.ts';
import type { PublishView } from '../../../src/planes/edge/publish/view.ts';
import { createCertificateReader } from '../../../src/planes/edge/tables/certificate.ts';
import { sleep, systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { Registry } from '../../../src/runtime/metrics.ts';
import { stateFromObjects } from '../cluster-state.ts';
import { platformForTests } from '../edge-platform.ts';
import { poolForTests } from '../edge-pool.ts';

interface List {
  readonly items: readonly Readonly<Record<string, unknown>>[];
}

const threeVips = poolForTests({
  vips: [{ address: '192.0.2.10' }, { address: '192.0.2.11' }, { address: '192.0.2.12', scope: 'private' }],
});
const networking = '/apis/networking.k8s.io/v1';

/** A Publisher on a real API server, whose input comes from lists instead of a source, without nginx and ExaBGP. */
export class LivePublisher {
  readonly client: KubeClient;
  readonly registry = new Registry();
  readonly publisher: Publisher;
  /** The VIPs that the blades of the pool announce. */
  announced = new Set(['192.0.2.10', '192.0.2.11']);
  /** Whether the source counts as live. */
  live = true;
  readonly pool: EdgePool;
  #running = true;
  #following: Promise<void> = Promise.resolve();
  #read = '';
  #state: ClusterState | undefined;
  #conditions: readonly Condition[] = [];

  private constructor(client: KubeClient, blade: string, pool: EdgePool = threeVips) {
    this.client = client;
    this.pool = pool;
    this.publisher = new Publisher({
      client,
      pool: () => this.pool,
      blade,
      identity: `${blade}_${process.pid}`,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      registry: this.registry,
    });
  }

  static async start(kubeconfig: string, blade: string, pool?: EdgePool): Promise<LivePublisher> {
    const live = new LivePublisher(await connect({ kubeconfig }), blade, pool);
    live.#following = live.#follow();
    return live;
  }

  status(): PublisherStatus {
    return this.publisher.status();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#following;
    await this.publisher.stop();
    await this.client.close();
  }

  async #follow(): Promise<void> {
    while (this.#running) {
      await this.#readCluster().catch(() => {
        this.#state = undefined;
        this.#read = '';
      });
      this.publisher.tick(this.#view());
      await sleep(systemClock, 250);
    }
  }

  async #readCluster(): Promise<void> {
    const paths = [`${networking}/ingresses`, `${networking}/ingressclasses`, '/api/v1/services'];
    const lists = await Promise.all(paths.map((path) => this.client.request<List>({ path, timeoutMs: 5000 })));
    const kinds = ['Ingress', 'IngressClass', 'Service'];
    const objects = lists.flatMap(({ items }, index) =>
      items.map((item) => ({ ...item, kind: kinds[index], apiVersion: index === 2 ? 'v1' : 'networking.k8s.io/v1' })),
    );
    const read = JSON.stringify(objects);
    if (read === this.#read) return;
    this.#read = read;
    this.#state = stateFromObjects(objects);
    const readCertificate = createCertificateReader();
    this.#conditions = compile({
      state: this.#state,
      platform: platformForTests(),
      pool: this.pool,
      readCertificate,
      nowMs: Date.now(),
    }).conditions;
  }

  #view(): PublishView {
    return {
      state: this.live ? this.#state : undefined,
      fault: undefined,
      conditions: this.#conditions,
      announced: this.announced,
      platformInvalid: false,
      doubts: [],
      fitBlades: 2,
      blades: 2,
    };
  }
}

// `node publishing.ts KUBECONFIG BLADE`, as a process of its own, publishes until it is ended, and prints its status ten times a second.
if (import.meta.main) {
  const [kubeconfig = '', blade = ''] = process.argv.slice(2);
  const live = await LivePublisher.start(kubeconfig, blade);
  const timer = setInterval(() => process.stdout.write(`${JSON.stringify(live.status())}\n`), 100);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    void live.stop();
  });
}
