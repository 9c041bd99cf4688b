import { expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../test/support/fleet.ts';
import { compileFleet } from './compile/compile.ts';
import { planFleet } from './plan.ts';

const units = shippedUnits();
const compiled = (change: Parameters<typeof fleetPlatform>[0] = {}) => compileFleet(fleetPlatform(change), units);

it('has nothing to do where nothing changed', () => {
  const { documents } = compiled();
  expect(planFleet(documents, compiled())).toEqual({ changes: [], waves: [], warnings: [] });
});

it('has every server of a new fleet in its waves, and none that is gone', () => {
  const plan = planFleet(new Map(), compiled());
  expect(plan.waves).toEqual(compiled().waves);
  expect(plan.changes.every(({ change, orchestrated }) => change === 'new' && orchestrated.length === 0)).toBe(true);
  const less = planFleet(compiled({ workersPerSite: 4 }).documents, compiled());
  expect(less).toEqual({
    changes: [{ server: 'site0-worker0003', change: 'gone', parts: [], orchestrated: [] }],
    waves: [],
    warnings: [expect.stringMatching(/^site0-worker0003 gets no document any more and runs on/)],
  });
});

it('warns of changes of the members of etcd, which no document makes, and of several at once', () => {
  const platform = fleetPlatform();
  const other = (change: (name: string) => object) => ({
    ...platform,
    servers: new Map(
      [...platform.servers].map(([name, server]) => [name, { ...server, spec: { ...server.spec, ...change(name) } }]),
    ),
  });
  const now = compileFleet(platform, units);
  const moved = (name: string) => ({ addresses: [{ family: 4 as const, text: `10.0.200.${name.slice(-1)}` }] });
  const one = other((name) => (name === 'site0-control1' ? moved(name) : {}));
  expect(planFleet(now.documents, compileFleet(one, units)).warnings).toEqual([
    expect.stringMatching(/^site0-control1 has another address: run `etcdctl member update` with 10\.0\.200\.1/),
  ]);
  const two = other((name) => (/control[01]$/.test(name) ? moved(name) : {}));
  expect(planFleet(now.documents, compileFleet(two, units)).warnings.at(-1)).toMatch(/one at a time/);
  const fewer = other((name) => (name === 'site0-control2' ? { roles: ['control-plane'] } : {}));
  const less = compileFleet(fewer, units);
  expect(planFleet(now.documents, less).warnings).toEqual([expect.stringMatching(/^site0-control2 leaves etcd/)]);
  expect(planFleet(less.documents, now).warnings).toEqual([expect.stringMatching(/^site0-control2 joins etcd/)]);
  expect(planFleet(new Map(), now).warnings).toEqual([]);
});

it('says which components an upgrade touches, and which restarts are left to the waves', () => {
  const next = { kubernetes: '1.36.4', etcd: '3.6.8', containerd: '2.1.4' };
  const plan = planFleet(compiled().documents, compiled({ versions: next }));
  const of = (server: string) => plan.changes.find((change) => change.server === server);
  expect(of('site0-control0')).toMatchObject({
    parts: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
    orchestrated: ['kube-apiserver'],
  });
  expect(of('site0-worker0000')).toMatchObject({ parts: ['kubelet', 'kube-proxy'], orchestrated: [] });
  expect(of('site0-blade000')).toBeUndefined();
  expect(plan.waves.map(({ kind, servers }) => `${kind} ${servers.join(' ')}`)).toEqual([
    'etcd site0-control0',
    'etcd site0-control1',
    'etcd site0-control2',
    'canary site0-worker0000',
    'worker site0-worker0001 site0-worker0002',
  ]);
});

it('warns of a fleet that carries no pod or no VIP, and of one that ends with one machine or one site', () => {
  const { warnings } = planFleet(new Map(), compiled({ workersPerSite: 0 }));
  expect(warnings).toEqual(['site0 has no server with the role worker: its API will run, and no pod']);
  const platform = fleetPlatform();
  const changed = (change: (name: string) => object | undefined) =>
    compileFleet(
      {
        ...platform,
        servers: new Map(
          [...platform.servers].flatMap(([name, server]) => {
            const spec = change(name);
            return spec === undefined ? [] : [[name, { ...server, spec: { ...server.spec, ...spec } }] as const];
          }),
        ),
      },
      units,
    ).warnings;
  expect(changed((name) => (name.includes('blade') ? undefined : {}))).toEqual([
    expect.stringMatching(/^no blade of the pool .* of site0 is a Server: nothing is set up that serves its VIPs$/),
  ]);
  expect(changed((name) => (/control[12]$/.test(name) ? { roles: ['control-plane'] } : {}))).toEqual([
    'site0 has one member of etcd: when that is lost, so is the cluster',
  ]);
});
