import type { SnapshotFile } from '../../src/kube/last-good.ts';
import type { ClusterState } from '../../src/kube/source.ts';
import type { VipView } from '../../src/model/status.ts';
import { EdgeAgent } from '../../src/planes/edge/agent.ts';
import { edgeMetrics } from '../../src/planes/edge/metrics.ts';
import type { PublishView } from '../../src/planes/edge/publish/view.ts';
import type { PeerAnswer } from '../../src/planes/edge/step/view.ts';
import { createCertificateReader } from '../../src/planes/edge/tables/certificate.ts';
import type { KeptPairs } from '../../src/planes/edge/tables/pairs.ts';
import { VipBrake } from '../../src/planes/edge/vips/brake.ts';
import type { KeptVips } from '../../src/planes/edge/vips/kept-vips.ts';
import { LeftOvers } from '../../src/planes/edge/vips/leftovers.ts';
import type { Loopback, LoopbackAddress } from '../../src/planes/edge/vips/loopback.ts';
import type { Peers } from '../../src/planes/edge/vips/peers.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { Registry } from '../../src/runtime/metrics.ts';
import { stateFromObjects } from './cluster-state.ts';
import { FakeDataPlane, FakeSource, FakeSpeaker } from './edge-fakes.ts';
import { platformForTests } from './edge-platform.ts';
import { FakeClock } from './fake-clock.ts';

const vip = '192.0.2.10';
const started: EdgeAgent[] = [];

const quietPublisher = {
  leading: false,
  addresses: [],
  waiting: 0,
  eventsWaiting: 0,
  ownedByOther: [],
  contested: [],
  poolObject: 'unknown' as const,
};

/** Ends every agent that was made; call it after each test. */
export async function stopAgents(): Promise<void> {
  await Promise.all(started.splice(0).map((agent) => agent.stop()));
}

/** One blade with everything around it in memory; `peers` are other rigs on the same clock. */
export class Rig {
  readonly source = new FakeSource();
  readonly dataPlane = new FakeDataPlane();
  readonly speaker = new FakeSpeaker();
  readonly peers: Rig[] = [];
  readonly registry = new Registry();
  readonly written: ClusterState[] = [];
  /** The views that the publisher got. */
  readonly views: PublishView[] = [];
  readonly agent: EdgeAgent;
  readonly clock: FakeClock;
  platform = platformForTests();
  /** The `instance` with which the nginx on the VIP answers. */
  answering: (() => string | undefined) | undefined;
  /** The same over TLS. */
  answeringTls: (() => string | undefined) | undefined;
  /** The endpoints that the agent itself tried to connect to, and whether they take the connection. */
  readonly tried: string[] = [];
  connects = false;
  /** What is on `lo`. */
  onLoopback: readonly LoopbackAddress[] = [];
  /** False: other blades cannot reach this one's /status. */
  reachable = true;
  onDisk: ClusterState | undefined;
  /** What the file of last good certificates holds. */
  keptOnDisk: KeptPairs = new Map();

  /** What the file of the VIPs in force holds. */
  keptVips: KeptVips | undefined;

  /** What a person wrote into the accept file, and when. */
  accepted: { readonly said: string; readonly by?: string; readonly writtenMs: number } | undefined;

  constructor(blade: string, clock = new FakeClock()) {
    this.clock = clock;
    const brake = new VipBrake({
      platform: () => ({ platform: this.platform, pool: this.platform.edgePools.get('paris-edge')! }),
      blade,
      accepts: {
        path: '/state/accept',
        read: async () => this.accepted,
        remove: async () => {
          this.accepted = undefined;
        },
      },
      kept: {
        read: async () => this.keptVips,
        write: async (kept) => {
          this.keptVips = kept;
        },
      },
      clock,
      log: silentLog,
    });
    const snapshot: SnapshotFile = {
      read: async () => this.onDisk,
      write: async (state) => {
        this.written.push(state);
      },
    };
    this.agent = new EdgeAgent({
      blade,
      platform: () => brake.platform(),
      brake,
      platformStatus: () => ({ phase: 'current' }),
      source: this.source,
      dataPlane: this.dataPlane,
      speaker: this.speaker,
      peers: this.#peers(),
      probe: async () => (this.answering === undefined ? this.dataPlane.status()?.instance : this.answering()),
      probeTls: async () => (this.answeringTls === undefined ? this.dataPlane.status()?.instance : this.answeringTls()),
      tryEndpoint: async ({ address }) => {
        this.tried.push(address);
        return this.connects;
      },
      addAddresses: async () => new Map(),
      leftOvers: new LeftOvers({
        loopback: this.#loopback(),
        platform: () => brake.platform(),
        speaker: this.speaker,
        clock,
        log: silentLog,
      }),
      readCertificate: createCertificateReader(),
      snapshot,
      pairs: {
        read: async () => this.keptOnDisk,
        write: async (kept) => {
          this.keptOnDisk = kept;
        },
        isThere: async () => true,
      },
      publisher: {
        tick: (view) => this.views.push(view),
        status: () => quietPublisher,
        stop: async () => {},
      },
      clock,
      log: silentLog,
      metrics: edgeMetrics(this.registry),
    });
    started.push(this.agent);
  }

  #loopback(): Pick<Loopback, 'list' | 'remove' | 'hostAddresses'> {
    return {
      list: async () => this.onLoopback,
      hostAddresses: () => new Set(),
      remove: async (vips) => {
        const gone = new Set(vips.map(({ text }) => text));
        this.onLoopback = this.onLoopback.filter(({ address }) => !gone.has(address.text));
        return new Map();
      },
    };
  }

  #peers(): Peers {
    let answers: readonly PeerAnswer[] = [];
    const ask = async (): Promise<void> => {
      const askedAtMs = this.clock.monotonic();
      answers = this.peers
        .filter(({ reachable }) => reachable)
        .map(({ agent }) => {
          const { blade, vips } = agent.status();
          return { blade, askedAtMs, vips: new Map(vips.map((entry) => [entry.address, entry])) };
        });
    };
    let stopped = false;
    const start = (): void => {
      void ask();
      if (!stopped) this.clock.setTimeout(start, 1000);
    };
    const stop = (): void => {
      stopped = true;
    };
    return { start, ask, answers: () => answers, notBelieved: () => [], stop };
  }

  async serve(): Promise<void> {
    this.agent.start();
    this.source.publish(clusterWith());
    await this.clock.advance(1500);
  }

  get announces(): boolean {
    return this.speaker.prefixes.includes(`${vip}/32`);
  }

  vip(): VipView {
    return this.agent.status().vips[0]!;
  }
}

export async function pair(): Promise<readonly [Rig, Rig]> {
  const clock = new FakeClock();
  const [one, two] = [new Rig('paris-blade-1', clock), new Rig('paris-blade-2', clock)];
  one.peers.push(two);
  two.peers.push(one);
  await one.serve();
  await two.serve();
  return [one, two];
}

export function clusterWith(
  addresses: readonly string[] = ['10.10.1.5'],
  extra: readonly Record<string, unknown>[] = [],
): ClusterState {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return stateFromObjects([
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'video' },
      spec: {
        ingressClassName: 'tideline',
        rules: [{ host: 'www.video.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'video' },
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'video', labels: { 'kubernetes.io/service-name': 'web' } },
      ports: [{ port: 3000 }],
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    },
    ...extra,
  ]);
}
