import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent, ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { EventWriter } from '../../src/kube/status/events.ts';
import { writeMetrics } from '../../src/kube/status/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { Registry } from '../../src/runtime/metrics.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { ingressAddresses, setIngressAddresses } from '../support/clusters/ingress-status.ts';
import { videoIngress } from '../support/clusters/objects.ts';
import { objectsOf, type PoolWithStatus, poolDefinition } from '../support/clusters/pool-definition.ts';
import { LivePublisher } from '../support/clusters/publishing.ts';
import { withoutPatchingEvents } from '../support/clusters/without-rights.ts';
import { poolForTests } from '../support/edge-pool.ts';

const blade = { user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] };
const vips = ['192.0.2.10', '192.0.2.11'];
/** The field manager of the pool's statuses. */
const manager = 'tideline-edge-paris-edge';

let plane: ControlPlane;
let live: LivePublisher;

async function get(...args: readonly string[]): Promise<Record<string, never>> {
  return JSON.parse(await plane.kubectl(['get', '-o', 'json', '--show-managed-fields', ...args])) as never;
}

const addressesOf = (name: string): Promise<readonly string[]> => ingressAddresses(plane, name);

/** Our writes to the status of an Ingress, whatever their outcome. */
async function statusWrites(name: string): Promise<readonly AuditEvent[]> {
  return plane.audit(
    (event) =>
      event.user === blade.user &&
      event.resource === 'ingresses' &&
      event.subresource === 'status' &&
      event.name === name,
  );
}

const setStatus = (name: string, ips: readonly string[], as: string): Promise<void> =>
  setIngressAddresses(plane, name, ips, as);

async function quietly(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

beforeAll(async () => {
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'video']);
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  await plane.apply(...(await objectsOf('deploy/rbac/edge.yaml')));
  await plane.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'video' },
    spec: { ports: [{ port: 80 }] },
  });
  live = await LivePublisher.start(await plane.kubeconfigFor(blade), 'paris-blade-1');
});

afterAll(async () => {
  await live?.stop();
  await plane?.stop();
});

describe('the status of an Ingress', () => {
  it('shows the public addresses, owned by our manager, and is written once', async () => {
    await plane.apply(videoIngress('web', 'www.video.example'));
    await eventually(async () => (await addressesOf('web')).join() === vips.join());
    const { metadata } = (await get('ingress', '-n', 'video', 'web')) as unknown as {
      metadata: { managedFields: { manager: string; operation: string; subresource?: string }[] };
    };
    expect(metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager, operation: 'Apply', subresource: 'status' }),
    );
    await quietly(3000);
    expect((await statusWrites('web')).map(({ verb, code }) => `${verb} ${code}`)).toEqual(['patch 200']);
  });

  it('follows the pool, and is taken back when the Ingress is of another class', async () => {
    live.announced = new Set(['192.0.2.10', '192.0.2.11', '192.0.2.12']);
    await plane.apply(videoIngress('moving', 'moving.video.example'));
    await eventually(async () => (await addressesOf('moving')).join() === vips.join());
    await plane.apply(videoIngress('moving', 'moving.video.example', { ingressClassName: 'nginx' }));
    await eventually(async () => (await addressesOf('moving')).length === 0);
    const { metadata } = (await get('ingress', '-n', 'video', 'moving')) as unknown as {
      metadata: { managedFields: { manager: string; subresource?: string }[] };
    };
    expect(metadata.managedFields.filter((fields) => fields.manager.startsWith('tideline-edge'))).toEqual([]);
    // We must not change what the next owner writes.
    await setStatus('moving', ['198.51.100.7'], 'other');
    await quietly(2000);
    expect(await addressesOf('moving')).toEqual(['198.51.100.7']);
    // What it wrote, and that it took back what it wrote under its name and under that of earlier releases.
    expect(await statusWrites('moving')).toHaveLength(3);
  });

  it('is taken over from an earlier release, which wrote under one name for all pools', async () => {
    const name = 'upgraded';
    const { spec: _, ...object } = videoIngress(name, `${name}.video.example`);
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.12' }] } };
    live.live = false;
    await plane.apply(videoIngress(name, `${name}.video.example`));
    const old = '--server-side --subresource=status --field-manager=tideline-edge -f -'.split(' ');
    await plane.kubectl(['apply', ...old], JSON.stringify({ ...object, status }));
    expect(await addressesOf(name)).toEqual(['192.0.2.12']);
    live.live = true;
    await eventually(async () => (await addressesOf(name)).join() === vips.join());
    expect(live.status().ownedByOther).toEqual([]);
    await plane.apply(videoIngress(name, `${name}.video.example`, { ingressClassName: 'nginx' }));
    await eventually(async () => (await addressesOf(name)).length === 0);
  });

  it('goes from one pool of the cluster to another with its class, each a field manager of its own', async () => {
    const pool = poolForTests({ vips: [{ address: '192.0.2.20' }], ingressClass: 'partners' });
    const name = 'changing';
    const kubeconfig = await plane.kubeconfigFor({ ...blade, user: 'tideline:edge:paris-blade-9' });
    const partners = await LivePublisher.start(kubeconfig, 'paris-blade-9', {
      ...pool,
      metadata: { ...pool.metadata, name: 'paris-partners' },
    });
    try {
      partners.announced = new Set(['192.0.2.20']);
      await plane.apply(videoIngress(name, `${name}.video.example`));
      await eventually(async () => (await addressesOf(name)).join() === vips.join());
      await plane.apply(videoIngress(name, `${name}.video.example`, { ingressClassName: 'partners' }));
      await eventually(async () => (await addressesOf(name)).join() === '192.0.2.20');
      const { metadata } = (await get('ingress', '-n', 'video', name)) as unknown as {
        metadata: { managedFields: { manager: string; subresource?: string }[] };
      };
      const managers = metadata.managedFields.filter(({ subresource }) => subresource === 'status');
      expect(managers.map((fields) => fields.manager)).toEqual(['tideline-edge-paris-partners']);
      expect([live.status().ownedByOther, partners.status().ownedByOther]).toEqual([[], []]);
    } finally {
      await partners.stop();
    }
  });

  it('is left to another writer, without a fight, and taken when that one lets go', async () => {
    await plane.apply(videoIngress('fought', 'fought.video.example'));
    await eventually(async () => (await addressesOf('fought')).join() === vips.join());
    await setStatus('fought', ['198.51.100.7'], 'other');
    await eventually(() => live.status().ownedByOther.includes('Ingress/video/fought'));
    await quietly(10_000);
    expect(await addressesOf('fought')).toEqual(['198.51.100.7']);
    const writes = await statusWrites('fought');
    console.log(`writes while another writer holds the status: ${writes.map(({ code }) => code).join(' ')}`);
    expect(writes.map(({ code }) => code)).toEqual([200, 409]);
    const described = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'fought']);
    expect(described).toContain('OwnedByOther');

    await setStatus('fought', [], 'other');
    await eventually(async () => (await addressesOf('fought')).join() === vips.join());
    expect((await statusWrites('fought')).length).toBeLessThanOrEqual(5);
    expect(live.status().ownedByOther).toEqual([]);
  });

  it('is repaired ever more slowly when somebody removes it again and again', async () => {
    await plane.apply(videoIngress('wiped', 'wiped.video.example'));
    await eventually(async () => (await addressesOf('wiped')).join() === vips.join());
    const until = performance.now() + 20_000;
    let wiped = 0;
    while (performance.now() < until) {
      if ((await addressesOf('wiped')).length > 0) {
        // Ours must have seen that its status stood: what is wiped before that is taken for a late watch, and repaired after 30 s.
        await quietly(1000);
        await setStatus('wiped', [], 'wiper');
        wiped += 1;
      }
      await quietly(500);
    }
    const writes = await statusWrites('wiped');
    console.log(`${writes.length} writes in 20 s against a writer that wiped the status ${wiped} times`);
    expect(writes.length).toBeGreaterThanOrEqual(wiped);
    expect(wiped).toBeGreaterThan(1);
    expect(writes.length).toBeLessThanOrEqual(6);
  });

  it('is taken over from the controller that the Ingress had before, once the IngressClass names our controller', async () => {
    const { spec, ...object } = videoIngress('moved', 'moved.video.example');
    await plane.apply({ ...object, spec: { ...spec, ingressClassName: 'nginx' } });
    await setStatus('moved', ['198.51.100.7'], 'nginx-ingress-controller');
    await plane.apply({ ...object, spec });
    await eventually(() => live.status().ownedByOther.includes('Ingress/video/moved'));
    expect(await addressesOf('moved')).toEqual(['198.51.100.7']);

    await plane.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'tideline' },
      spec: { controller: 'tideline.dev/edge' },
    });
    await eventually(async () => (await addressesOf('moved')).join() === vips.join());
    const described = await eventually(async () => {
      const text = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'moved']);
      return text.includes('StatusTakenOver') && text;
    });
    expect(described).toMatch(/Normal\s+StatusTakenOver\s.*left over of nginx-ingress-controller/);
    expect(live.status().ownedByOther).toEqual([]);
  });

  it('is left, by name, to a controller that writes it again each time that we take it', async () => {
    await plane.apply(videoIngress('contested', 'contested.video.example'));
    const theirs = '198.51.100.7';
    let written = 0;
    await eventually(async () => {
      if ((await addressesOf('contested')).join() !== theirs) {
        // The publisher of the test reads four times a second; what it does not see stand it would write again after half a minute.
        await quietly(600);
        await setStatus('contested', [theirs], 'nginx-ingress-controller');
        written += 1;
      }
      return live.status().contested.includes('Ingress/video/contested');
    });
    expect(written).toBe(4);
    const forced = (await statusWrites('contested')).filter(({ code }) => code === 200).length;
    await quietly(3000);
    expect(await addressesOf('contested')).toEqual([theirs]);
    expect((await statusWrites('contested')).filter(({ code }) => code === 200)).toHaveLength(forced);
    const described = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'contested']);
    expect(described).toMatch(/Warning\s+StatusContested\s/);
  });

  it('is not written while the source is not live', async () => {
    live.live = false;
    await plane.apply(videoIngress('late', 'late.video.example'));
    await quietly(3000);
    expect(await addressesOf('late')).toEqual([]);
    expect(live.status().reason).toBe('NotPublishing');
    live.live = true;
    await eventually(async () => (await addressesOf('late')).join() === vips.join());
  });

  it('is forgotten when the Ingress is deleted', async () => {
    await plane.kubectl(['delete', 'ingress', '-n', 'video', 'late']);
    await quietly(1500);
    const codes = (await statusWrites('late')).map(({ code }) => code);
    expect(codes).toContain(200);
    expect(codes.filter((code) => code !== 200 && code !== 404)).toEqual([]);
  });
});

describe('Events', () => {
  it('say why an Ingress is refused, where, and what to do; once; and that it is good again', async () => {
    const ours = () => plane.audit(({ user, resource }) => user === blade.user && resource === 'events');
    const before = (await ours()).filter(({ namespace }) => namespace === 'video').length;
    await plane.apply(videoIngress('young', 'www.video.example'));
    const described = await eventually(async () => {
      const text = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'young']);
      return text.includes('PathConflict') && text;
    });
    expect(described).toMatch(/Warning\s+PathConflict\s+\S+\s+tideline-edge\s+spec\.rules\[0\]\.http\.paths\[0\]:/);
    expect(described).toContain('belongs to Ingress video/web');
    expect(described).toContain('Fix: choose another host or path');
    expect(await addressesOf('young')).toEqual([]);
    await plane.apply(videoIngress('young', 'young.video.example'));
    const better = await eventually(async () => {
      const text = await plane.kubectl(['describe', 'ingress', '-n', 'video', 'young']);
      return text.includes('Accepted') && text;
    });
    expect(better).toMatch(/Normal\s+Accepted\s+\S+\s+tideline-edge\s+Everything it asks for is served/);
    await eventually(async () => (await addressesOf('young')).join() === vips.join());
    const writes = await ours();
    expect(new Set(writes.map(({ code }) => code))).toEqual(new Set([201]));
    expect(writes.filter(({ namespace }) => namespace === 'video').length - before).toBeLessThanOrEqual(3);
  });

  it('are counted up when they begin again; without the right to do so that is said', async () => {
    const other = { user: 'tideline:edge:paris-blade-2', groups: blade.groups };
    const client = await connect({ kubeconfig: await plane.kubeconfigFor(other) });
    const registry = new Registry();
    // Two writes of one Event are at least ten minutes apart.
    let aheadMs = 0;
    const clock = { ...systemClock, monotonic: () => performance.now() + aheadMs };
    const events = new EventWriter({
      client,
      fieldManager: 'tideline-edge',
      reporter: { controller: 'tideline-edge', instance: 'paris-blade-2', action: 'Serve' },
      clock,
      random: Math.random,
      log: silentLog,
      metrics: writeMetrics(registry),
      allowedForMs: () => 10_000,
    });
    const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', resource: 'ingresses' };
    const wish = { object: { ...object, namespace: 'video', name: 'counted' }, reason: 'PathConflict', note: 'again' };
    const written = (result: string, count: number): Promise<boolean> =>
      eventually(async () => (await registry.metrics()).includes(`event_writes_total{result="${result}"} ${count}`));
    const minutesLater = (minutes: number): void => {
      aheadMs += minutes * 60_000;
      events.wake();
    };
    try {
      events.set([{ ...wish, type: 'Warning' }]);
      await written('written', 1);
      events.set([]);
      events.set([{ ...wish, type: 'Warning' }]);
      await withoutPatchingEvents(plane, other, async () => {
        minutesLater(11);
        await written('forbidden', 1);
      });
      minutesLater(2);
      await written('written', 2);
    } finally {
      await events.stop();
      await client.close();
    }
    const { items } = (await get('events.events.k8s.io', '-n', 'video')) as unknown as {
      items: { regarding: { name: string }; series?: { count: number } }[];
    };
    expect(items.filter(({ regarding }) => regarding.name === 'counted')).toMatchObject([{ series: { count: 2 } }]);
    const patches = await plane.audit(({ user, verb }) => user === other.user && verb === 'patch');
    expect(patches.map(({ resource, code }) => `${resource} ${code}`)).toEqual(['events 403', 'events 200']);
  });
});

describe('the EdgePool', () => {
  it('that does not exist is no fault, and one of an older definition holds nothing up', async () => {
    live.announced = new Set(['192.0.2.10', '192.0.2.11']);
    await eventually(() => live.status().poolObject === 'absent');
    await plane.apply(await poolDefinition(false));
    await plane.kubectl(['wait', '--for=condition=Established', 'crd/edgepools.tideline.dev', '--timeout=60s']);
    await plane.apply({
      apiVersion: 'tideline.dev/v1alpha1',
      kind: 'EdgePool',
      metadata: { name: 'paris-edge' },
      spec: {
        cluster: 'paris',
        blades: [
          { name: 'paris-blade-1', address: '10.1.0.21' },
          { name: 'paris-blade-2', address: '10.1.0.22' },
        ],
        vips: [{ address: '192.0.2.10' }, { address: '192.0.2.11' }, { address: '192.0.2.12', scope: 'private' }],
      },
    });
    await eventually(async () => (await live.registry.metrics()).includes('{kind="EdgePool",result="refused"} 1'));
    await plane.apply(videoIngress('beside', 'beside.video.example'));
    await eventually(async () => (await addressesOf('beside')).join() === vips.join());
  });

  it('has addresses and conditions whose times stay while nothing changes', async () => {
    await plane.apply(await poolDefinition(true));
    // The server takes a moment to use the new definition; after that, a changed wish is tried at once.
    await quietly(3000);
    live.announced = new Set(['192.0.2.10', '192.0.2.11', '192.0.2.12']);
    const read = async (): Promise<PoolWithStatus> =>
      (await get('edgepool', 'paris-edge')) as unknown as PoolWithStatus;
    const first = await eventually(async () => {
      const pool = await read();
      return pool.status?.conditions.length === 4 && pool;
    });
    expect(first.status?.addresses).toEqual(vips.map((value) => ({ type: 'IPAddress', value })));
    expect(await plane.kubectl(['get', 'edgepool', 'paris-edge'])).toMatch(
      / 192\.0\.2\.10,192\.0\.2\.11,192\.0\.2\.12 +tideline +192\.0\.2\.10,192\.0\.2\.11 +True +True /,
    );
    expect(first.status?.conditions.map(({ type, status }) => `${type}=${status}`).sort()).toEqual([
      'Accepted=True',
      'Programmed=True',
      'Ready=True',
      'ResolvedRefs=True',
    ]);
    await quietly(25_000);
    expect((await read()).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    live.announced = new Set(['192.0.2.10', '192.0.2.11']);
    const second = await eventually(async () => {
      const pool = await read();
      return (
        pool.status?.conditions.some(({ type, status }) => type === 'Ready' && status === 'False') === true && pool
      );
    });
    const times = (pool: PoolWithStatus, type: string): string | undefined =>
      pool.status?.conditions.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(times(second, 'Accepted')).toBe(times(first, 'Accepted'));
    expect(times(second, 'Ready')).not.toBe(times(first, 'Ready'));

    // An edit of the object alone changes nothing that is in force, and the conditions say so.
    const edit = { spec: { ports: { http: 8080 } } };
    await plane.kubectl(['patch', 'edgepool', 'paris-edge', '--type=merge', '-p', JSON.stringify(edit)]);
    const edited = await eventually(async () => {
      const pool = await read();
      return pool.status?.conditions.some(({ reason }) => reason === 'SpecDiffers') === true && pool;
    });
    const accepted = edited.status?.conditions.find(({ type }) => type === 'Accepted');
    expect(accepted).toMatchObject({ status: 'False', observedGeneration: edited.metadata.generation });
    expect(accepted?.message).toMatch(/^spec\.ports\.http of this object is not what is in force/);
    const programmed = edited.status?.conditions.find(({ type }) => type === 'Programmed');
    expect(programmed).toMatchObject({ status: 'True', observedGeneration: first.metadata.generation });
    expect(edited.metadata.generation).toBeGreaterThan(first.metadata.generation);
  });
});

it('needed no right that the blade has not', async () => {
  const asked = await plane.audit(({ user }) => user === blade.user);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
});
