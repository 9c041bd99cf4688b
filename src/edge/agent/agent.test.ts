import { afterEach, describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../test/support/cluster-state.ts';
import { FakeDataPlane, FakeSource, FakeSpeaker } from '../../../test/support/edge-fakes.ts';
import { platformForTests } from '../../../test/support/edge-platform.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { ClusterState } from '../../kube/source.ts';
import { silentLog } from '../../runtime/log.ts';
import { Registry } from '../../runtime/metrics.ts';
import { EdgeAgent } from './agent.ts';
import { createCertificateReader } from './certificate.ts';
import { edgeMetrics } from './metrics.ts';
import type { PeerAnswer, Peers } from './peers.ts';
import type { SnapshotFile } from './snapshot.ts';

const vip = '192.0.2.10';
const started: EdgeAgent[] = [];

/** One blade with everything around it in memory; `peers` are other rigs on the same clock. */
class Rig {
  readonly source = new FakeSource();
  readonly dataPlane = new FakeDataPlane();
  readonly speaker = new FakeSpeaker();
  readonly peers: Rig[] = [];
  readonly registry = new Registry();
  readonly written: ClusterState[] = [];
  readonly agent: EdgeAgent;
  readonly clock: FakeClock;
  platform = platformForTests();
  /** What the nginx on the VIP answers as. */
  answering: (() => string | undefined) | undefined;
  /** False: other blades cannot reach this one's /status. */
  reachable = true;
  onDisk: ClusterState | undefined;

  constructor(blade: string, clock = new FakeClock()) {
    this.clock = clock;
    const snapshot: SnapshotFile = {
      read: async () => this.onDisk,
      write: async (state) => {
        this.written.push(state);
      },
    };
    this.agent = new EdgeAgent({
      blade,
      platform: () => ({ platform: this.platform, pool: this.platform.edgePools.get('paris-edge')! }),
      platformStatus: () => ({ phase: 'current' }),
      source: this.source,
      dataPlane: this.dataPlane,
      speaker: this.speaker,
      peers: this.#peers(),
      probe: async () => (this.answering === undefined ? this.dataPlane.status()?.instance : this.answering()),
      addAddresses: async () => new Map(),
      readCertificate: createCertificateReader(),
      snapshot,
      clock,
      log: silentLog,
      metrics: edgeMetrics(this.registry),
    });
    started.push(this.agent);
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
    return { start: () => {}, ask, answers: () => answers, stop: () => {} };
  }

  async serve(): Promise<void> {
    this.agent.start();
    this.source.publish(world());
    await this.clock.advance(1500);
  }

  get announces(): boolean {
    return this.speaker.prefixes.includes(`${vip}/32`);
  }

  vip() {
    return this.agent.status().vips[0]!;
  }
}

async function pair(): Promise<readonly [Rig, Rig]> {
  const clock = new FakeClock();
  const [one, two] = [new Rig('paris-blade-1', clock), new Rig('paris-blade-2', clock)];
  one.peers.push(two);
  two.peers.push(one);
  await one.serve();
  await two.serve();
  return [one, two];
}

function world(
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

afterEach(async () => {
  await Promise.all(started.splice(0).map((agent) => agent.stop()));
});

describe('tables', () => {
  test('first sync: the table reaches nginx, the VIP is announced, health is reported', async () => {
    const rig = new Rig('paris-blade-1');
    rig.agent.start();
    await rig.clock.advance(1500);
    expect(rig.announces).toBe(false);
    expect(rig.vip().reasons).toEqual(['NotSynced']);
    rig.source.publish(world());
    await rig.clock.advance(1000);
    expect(rig.dataPlane.table?.hosts.map(({ name }) => name)).toEqual(['www.video.example']);
    expect(rig.announces).toBe(true);
    expect(rig.vip()).toMatchObject({ fit: true, announced: true, reasons: [] });
    expect(rig.dataPlane.health).toEqual([{ policy: 'video', healthy: true, reason: 'BackendsServing' }]);
    expect(rig.agent.status().conditions).toEqual({ accepted: 1, partial: 0, refused: 0 });
  });

  test('endpoints go past a compile that waits for nginx, and the later compile keeps them', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    const calls = rig.dataPlane.calls.length;
    let open = (): void => {};
    rig.dataPlane.gate = new Promise((resolve) => {
      open = resolve;
    });
    rig.source.publish(world(), { Ingress: ['video/web'] });
    await rig.clock.advance(300);
    rig.source.publish(world(['10.10.2.9']), { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(1);
    expect(rig.dataPlane.calls.slice(calls).filter((call) => call !== 'setHealth')).toEqual([
      'apply',
      'applyEndpoints',
    ]);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.2.9', port: 3000 }]);
    rig.dataPlane.table = undefined;
    open();
    rig.agent.platformChanged();
    await rig.clock.advance(300);
    expect(rig.dataPlane.table).toMatchObject({ backends: [{ endpoints: [{ address: '10.10.2.9', port: 3000 }] }] });
  });

  test('a slice that goes away, or changes its Service, empties the right backend', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    const gone = world([]);
    rig.source.publish(gone, { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(1);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([]);
    expect(rig.dataPlane.calls.filter((call) => call === 'apply')).toHaveLength(1);
    await rig.clock.advance(500);
    expect(rig.dataPlane.health?.[0]).toMatchObject({ healthy: false, reason: 'BelowThreshold' });
    expect(rig.announces).toBe(true);
  });

  test('a failed endpoint update is repaired by a full apply', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    rig.dataPlane.failing = true;
    rig.source.publish(world(['10.10.2.9']), { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(50);
    rig.dataPlane.failing = false;
    await rig.clock.advance(2000);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.2.9', port: 3000 }]);
    expect(await rig.registry.metrics()).toContain('tideline_edge_apply_failures_total{path="endpoints"} 1');
  });

  test('nginx starts anew: everything is pushed again before the VIP comes back', async () => {
    const [one, two] = await pair();
    one.dataPlane.become(undefined);
    await one.clock.advance(1500);
    expect([one.announces, two.announces]).toEqual([false, true]);
    one.dataPlane.failing = true;
    one.dataPlane.become('second');
    await one.clock.advance(1500);
    expect(one.announces).toBe(false);
    expect(one.vip().reasons).toEqual(['TableNotAcknowledged']);
    one.dataPlane.failing = false;
    await one.clock.advance(8000);
    expect(one.dataPlane.table?.hosts).toHaveLength(1);
    expect(one.dataPlane.health).toHaveLength(1);
    expect(one.announces).toBe(true);
  });
});

describe('loss of input', () => {
  test('a stale source changes nothing; a blade that starts without its source serves the snapshot and says so', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    rig.source.say({ phase: 'stale', sinceMs: 1, reason: 'SourceMissing', message: 'gone' });
    await rig.clock.advance(5000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(1);
    expect(rig.announces).toBe(true);
    expect(rig.agent.status().source).toMatchObject({ phase: 'stale', servingSnapshot: false });
    expect(rig.written).toHaveLength(1);

    const cold = new Rig('paris-blade-2');
    cold.onDisk = rig.written[0];
    cold.agent.start();
    await cold.clock.advance(4000);
    expect(cold.dataPlane.table?.hosts).toHaveLength(1);
    expect(cold.announces).toBe(true);
    expect(cold.agent.status().source.servingSnapshot).toBe(true);
    cold.source.publish(world(['10.10.7.7']));
    await cold.clock.advance(1000);
    expect(cold.agent.status().source.servingSnapshot).toBe(false);
    expect(cold.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.7.7', port: 3000 }]);
  });

  test('a late snapshot never replaces what the source said', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onDisk = world(['10.10.9.9']);
    rig.agent.start();
    await rig.clock.advance(1000);
    rig.source.publish(world());
    await rig.clock.advance(5000);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.1.5', port: 3000 }]);
  });
});

describe('VIPs', () => {
  test("a tenant's fault never withdraws a VIP", async () => {
    const [one, two] = await pair();
    for (const rig of [one, two])
      rig.source.publish(stateFromObjects([]), {
        Ingress: ['video/web'],
        Service: ['video/web'],
        EndpointSlice: ['video/web-1'],
      });
    await one.clock.advance(5000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.dataPlane.health?.[0]?.reason).toBe('HostNotServed');
  });

  test('the last announcer holds, whatever happens to it, and says so', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    rig.answering = () => undefined;
    await rig.clock.advance(60_000);
    expect(rig.announces).toBe(true);
    expect(rig.vip()).toMatchObject({ fit: false, announced: true, reasons: ['ProbeFailed', 'LastAnnouncer'] });
  });

  test('another nginx that answers on the VIP does not count', async () => {
    const [one] = await pair();
    one.answering = () => 'not ours';
    await one.clock.advance(2000);
    expect(one.announces).toBe(false);
  });

  test('both blades become unfit at the same moment: at least one holds', async () => {
    const [one, two] = await pair();
    for (const rig of [one, two]) rig.answering = () => undefined;
    await one.clock.advance(30_000);
    expect([one.announces, two.announces]).toContain(true);
    one.answering = undefined;
    await one.clock.advance(5000);
    expect([one.announces, two.announces]).toEqual([true, false]);
  });

  test('an unreachable peer, or one without a session, is no announcer', async () => {
    const [one, two] = await pair();
    two.reachable = false;
    one.answering = () => undefined;
    await one.clock.advance(5000);
    expect(one.announces).toBe(true);
    two.reachable = true;
    two.speaker.up = false;
    await one.clock.advance(5000);
    expect(one.announces).toBe(true);
    two.speaker.up = true;
    await one.clock.advance(5000);
    expect(one.announces).toBe(false);
  });

  test('a restarted agent leaves what is announced alone until its fitness is known', async () => {
    const [one] = await pair();
    const clock = one.clock;
    const again = new Rig('paris-blade-1', clock);
    again.speaker.announced = one.speaker.announced;
    again.agent.start();
    await clock.advance(5000);
    expect(again.speaker.desired).toBeUndefined();
    again.source.publish(world());
    await clock.advance(1000);
    expect(again.announces).toBe(true);
  });
});

describe('drain', () => {
  const drained = (kind: string, name: string, clock: FakeClock) =>
    platformForTests({ drains: [{ kind, name, expires: new Date(clock.now() + 60_000).toISOString() }] });

  test('nginx drains first, then the VIP goes to the other blade; when the drain expires it comes back', async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(1000);
    expect(one.dataPlane.draining).toBe(true);
    expect(one.announces).toBe(true);
    expect(one.vip()).toMatchObject({ fit: false, reasons: ['Draining'] });
    await one.clock.advance(6000);
    expect([one.announces, two.announces]).toEqual([false, true]);
    await one.clock.advance(60_000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.dataPlane.draining).toBe(false);
  });

  test('a drained cluster keeps its VIPs on every blade, and its policies are unhealthy', async () => {
    const [one, two] = await pair();
    for (const rig of [one, two]) rig.platform = drained('Cluster', 'paris', rig.clock);
    await one.clock.advance(30_000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.vip().reasons).toEqual(['Draining', 'LastAnnouncer']);
    expect(one.dataPlane.health?.[0]).toEqual({ policy: 'video', healthy: false, reason: 'ClusterDraining' });
  });

  test('a drained blade takes the VIP back when the other is gone for longer than its lease', async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(8000);
    expect(one.announces).toBe(false);
    two.reachable = false;
    await one.clock.advance(4000);
    expect(one.announces).toBe(false);
    await one.clock.advance(6000);
    expect(one.announces).toBe(true);
  });

  test('an agent restarted during a drain does not announce what its blade gave up', async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(8000);
    const again = new Rig('paris-blade-1', one.clock);
    again.peers.push(two);
    again.platform = one.platform;
    await again.serve();
    await one.clock.advance(8000);
    expect(again.announces).toBe(false);
  });

  test('a planned stop withdraws when another blade has the VIP, and not when none has', async () => {
    const [one, two] = await pair();
    const stopped = one.agent.withdraw();
    await one.clock.advance(8000);
    await stopped;
    expect([one.announces, two.announces]).toEqual([false, true]);
    const last = two.agent.withdraw();
    await one.clock.advance(12_000);
    await last;
    expect(two.announces).toBe(true);
  });
});
