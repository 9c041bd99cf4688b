import { afterEach, describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../test/support/cluster-state.ts';
import { clusterWith, pair, Rig, stopAgents } from '../../../test/support/edge-rig.ts';

afterEach(stopAgents);

describe('tables', () => {
  test('first sync: the table reaches nginx, the VIP is announced, health is reported', async () => {
    const rig = new Rig('paris-blade-1');
    rig.agent.start();
    await rig.clock.advance(1500);
    expect(rig.announces).toBe(false);
    expect(rig.vip().reasons).toEqual(['NotSynced']);
    rig.source.publish(clusterWith());
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
    rig.source.publish(clusterWith(), { Ingress: ['video/web'] });
    await rig.clock.advance(300);
    rig.source.publish(clusterWith(['10.10.2.9']), { EndpointSlice: ['video/web-1'] });
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

  test('a platform that has changed reaches the routes too: their limits and the lease', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    expect(rig.speaker.reconsidered).toBe(0);
    rig.agent.platformChanged();
    expect(rig.speaker.reconsidered).toBe(1);
  });

  test('the last time that the routes yielded is in its status', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    expect(rig.agent.status().bgp).not.toHaveProperty('yielded');
    rig.speaker.yielded = { sinceMs: 5, untilMs: 7 };
    await rig.clock.advance(300);
    expect(rig.agent.status().bgp.yielded).toEqual({ sinceMs: 5, untilMs: 7 });
  });

  test('a step that fails after nginx took a change is no refusal of the table', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    const status = rig.speaker.status();
    let planted = true;
    rig.speaker.status = () => {
      if (planted) throw new Error('planted');
      return status;
    };
    rig.source.publish(clusterWith(['10.10.1.9']), { Service: ['video/web'] });
    rig.dataPlane.calls.length = 0;
    await rig.clock.advance(3000);
    planted = false;
    await rig.clock.advance(1000);
    expect(rig.agent.status().tableRefused).toBeUndefined();
    expect(rig.dataPlane.calls.filter((call) => call === 'apply')).toHaveLength(1);
    expect(rig.vip().fit).toBe(true);
  });

  test('a slice that goes away, or changes its Service, empties the right backend', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    const gone = clusterWith([]);
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
    rig.source.publish(clusterWith(['10.10.2.9']), { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(50);
    rig.dataPlane.failing = false;
    await rig.clock.advance(2000);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.2.9', port: 3000 }]);
    expect(await rig.registry.metrics()).toContain('tideline_edge_apply_failures_total{path="endpoints"} 1');
  });

  test('a table that nginx refuses makes no blade unfit; one that it never answers does', async () => {
    const [one, two] = await pair();
    for (const rig of [one, two]) {
      rig.dataPlane.failing = true;
      rig.source.publish(clusterWith(), { Ingress: ['video/web'] });
    }
    await one.clock.advance(30_000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.vip().fit).toBe(true);
    expect(one.agent.status().tableRefused).toBe('nginx is away');
    one.dataPlane.failing = false;
    await one.clock.advance(6000);
    expect(one.agent.status().tableRefused).toBeUndefined();

    const { promise, resolve } = Promise.withResolvers<void>();
    one.dataPlane.gate = promise;
    one.source.publish(clusterWith(), { Ingress: ['video/web'] });
    await one.clock.advance(9000);
    expect(one.announces).toBe(true);
    two.dataPlane.failing = false;
    await one.clock.advance(6000);
    expect([one.announces, one.vip().reasons]).toEqual([false, ['TableNotAcknowledged']]);
    resolve();
    await one.clock.advance(2000);
    expect(one.announces).toBe(true);
  });

  test('nginx starts anew: everything is pushed again before the VIP comes back', async () => {
    const [one, two] = await pair();
    one.dataPlane.setInstance(undefined);
    await one.clock.advance(1500);
    expect([one.announces, two.announces]).toEqual([false, true]);
    one.dataPlane.failing = true;
    one.dataPlane.setInstance('second');
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

test.each([
  ['nginx started anew and got the table before', () => pair()],
  [
    'the agent started anew beside an nginx with a table',
    async () => {
      const [, two] = await pair();
      const one = new Rig('paris-blade-1', two.clock);
      one.peers.push(two);
      one.agent.start();
      one.source.publish(clusterWith());
      return [one, two] as const;
    },
  ],
])('a table that nginx refuses makes no blade unfit: %s', async (_, start) => {
  const [one] = await start();
  one.dataPlane.failing = true;
  one.dataPlane.setInstance('second', 3);
  await one.clock.advance(5000);
  expect(one.vip()).toMatchObject({ fit: true, announced: true });
  expect(one.agent.status().tableRefused).toBe('nginx is away');
});

describe('loss of input', () => {
  test('a stale source changes nothing; a blade that starts without its source serves the snapshot and says so', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    rig.source.setStatus({ phase: 'stale', sinceMs: 1, reason: 'SourceMissing', message: 'gone' });
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
    cold.source.publish(clusterWith(['10.10.7.7']));
    await cold.clock.advance(1000);
    expect(cold.agent.status().source.servingSnapshot).toBe(false);
    expect(cold.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.7.7', port: 3000 }]);
  });

  test('a first table without most hosts that nginx serves waits, when no last-good state can tell; nginx anew accepts it', async () => {
    const rig = new Rig('paris-blade-1');
    const hosts = ['a', 'b', 'c', 'd'].map((name) => ({ name, paths: [] }));
    await rig.dataPlane.apply({ hosts, backends: [], certificates: [] });
    rig.agent.start();
    rig.source.publish(clusterWith());
    await rig.clock.advance(15_000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(4);
    expect(rig.announces).toBe(true);
    expect(rig.agent.status().tableRefused).toContain('nginx serves 4 hosts of an earlier agent, the cluster has 1');
    expect(rig.agent.faults()).toEqual([
      expect.stringMatching(/^TableRefused: endpoints are not followed: nginx serves 4 hosts of an earlier agent/),
    ]);
    expect(rig.written).toEqual([]);
    // What the cluster says of endpoints is not believed either, as long as nothing tells that it is the same cluster.
    rig.source.publish(clusterWith(['10.10.2.9']), { EndpointSlice: ['video/web-1'] });
    await rig.clock.advance(15_000);
    expect(rig.dataPlane.calls).not.toContain('applyEndpoints');
    rig.dataPlane.setInstance('second');
    await rig.clock.advance(15_000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(1);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.2.9', port: 3000 }]);
    expect(rig.agent.faults()).toEqual([]);
    expect(rig.written).toHaveLength(1);
  });

  test('a first table waits for an nginx that has not answered yet, and is judged by what it serves then', async () => {
    const rig = new Rig('paris-blade-1');
    const hosts = ['a', 'b', 'c', 'd'].map((name) => ({ name, paths: [] }));
    await rig.dataPlane.apply({ hosts, backends: [], certificates: [] });
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.dataPlane.silent = true;
    rig.dataPlane.gate = promise;
    rig.agent.start();
    rig.source.publish(clusterWith());
    await rig.clock.advance(15_000);
    rig.dataPlane.speak();
    resolve();
    await rig.clock.advance(15_000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(4);
    expect(rig.agent.status().tableRefused).toContain('nginx serves 4 hosts of an earlier agent, the cluster has 1');
    expect(rig.written).toEqual([]);
    rig.dataPlane.setInstance('second');
    await rig.clock.advance(15_000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(1);
  });

  test('a first table that waited for nginx is sent as soon as nginx answers, also when its instance was seen before', async () => {
    const rig = new Rig('paris-blade-1');
    rig.agent.start();
    rig.dataPlane.speak();
    rig.dataPlane.silent = true;
    rig.source.publish(clusterWith());
    await rig.clock.advance(5000);
    expect(rig.dataPlane.table).toBeUndefined();
    rig.dataPlane.speak();
    await rig.clock.advance(1000);
    expect(rig.dataPlane.table?.hosts).toHaveLength(1);
  });

  test('a late snapshot never replaces what the source said', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onDisk = clusterWith(['10.10.9.9']);
    rig.agent.start();
    await rig.clock.advance(1000);
    rig.source.publish(clusterWith());
    await rig.clock.advance(5000);
    expect(rig.dataPlane.table?.backends[0]?.endpoints).toEqual([{ address: '10.10.1.5', port: 3000 }]);
  });
});

test('a restarted agent does not call healthy what its predecessor knew to be down, but fails open in the end', async () => {
  const rig = new Rig('paris-blade-1');
  const known = [{ policy: 'video', healthy: false, reason: 'BelowThreshold' }];
  rig.dataPlane.health = known;
  rig.agent.start();
  await rig.clock.advance(4000);
  expect(rig.dataPlane.health).toEqual(known);
  await rig.clock.advance(8000);
  expect(rig.dataPlane.health).toEqual([{ policy: 'video', healthy: true, reason: 'Unknown' }]);
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

  test('a blade withdraws when nginx stops to answer over TLS, or a worker of it hangs', async () => {
    for (const [fail, reason] of [
      [(rig: Rig) => (rig.answeringTls = () => undefined), 'TlsProbeFailed'],
      [(rig: Rig) => (rig.dataPlane.workers = [{ pid: 7, silentMs: 5001 }]), 'WorkerSilent'],
    ] as const) {
      const [one, two] = await pair();
      expect(one.announces).toBe(true);
      fail(one);
      await one.clock.advance(2000);
      expect([one.announces, two.announces, one.vip().reasons]).toEqual([false, true, [reason]]);
      await stopAgents();
    }
  });

  test('a policy is unhealthy while no try connects to its backends; the agent goes on trying, until one does', async () => {
    const rig = new Rig('paris-blade-1');
    await rig.serve();
    const key = 'video/web/80';
    const reason = () => rig.dataPlane.health?.[0]?.reason;
    expect([reason(), rig.dataPlane.watched]).toEqual(['BackendsServing', [key]]);
    for (let failed = 0; failed < 20; failed += 2) {
      rig.dataPlane.backendTries = { [key]: [9, failed] };
      await rig.clock.advance(1000);
    }
    expect(reason()).toBe('BackendsUnreachable');
    expect(rig.agent.status().unreachableBackends).toEqual([key]);
    expect(await rig.registry.metrics()).toContain('tideline_edge_unreachable_backends 1');
    // Nobody asks any more: health checks have sent the clients elsewhere.
    await rig.clock.advance(120_000);
    expect(reason()).toBe('BackendsUnreachable');
    expect(rig.tried.length).toBeGreaterThan(60);
    expect(new Set(rig.tried)).toEqual(new Set(['10.10.1.5']));
    rig.connects = true;
    await rig.clock.advance(2000);
    expect(reason()).toBe('BackendsServing');
    const tried = rig.tried.length;
    await rig.clock.advance(10_000);
    expect(rig.tried).toHaveLength(tried);
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
    again.source.publish(clusterWith());
    await clock.advance(1000);
    expect(again.announces).toBe(true);
  });
});
