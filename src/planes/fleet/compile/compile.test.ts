import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../../test/support/fleet.ts';
import { promised } from '../../../../test/support/promised.ts';
import { type Prefix, parsePrefix } from '../../../model/address.ts';
import type { Server } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compileFleet } from './compile.ts';
import type { ServerDocument } from './document.ts';
import { refusedIn } from './versions.ts';

const units = shippedUnits();
const compiled = (platform: Platform) => compileFleet(platform, units);
const texts = (platform: Platform) =>
  new Map([...compiled(platform).documents].map(([id, document]) => [id, JSON.stringify(document)]));

const shapes = [
  {},
  { dedicatedEtcd: true },
  { gpus: true },
  { monitoring: { port: 9101 }, etcd: { snapshots: { copyCommand: ['/usr/bin/scp', '{snapshot}', 'backup:'] } } },
  { ipam: { static: {} } },
  { versions: { kubernetes: '1.33.4', etcd: '3.5.32', containerd: '1.7.28' } },
];

it.each(shapes)('has everything once, readable by those alone who need it: %j', (shape) => {
  for (const document of compiled(fleetPlatform(shape)).documents.values()) {
    const { components, pki, artifacts } = document;
    const paths = components.flatMap(({ directories, files, units: own }) => [
      ...Object.keys(directories),
      ...Object.keys(files),
      ...Object.keys(own),
    ]);
    expect(paths, document.server.id).toEqual([...new Set(paths)]);
    for (const { mode } of [...Object.values(pki.keys), ...Object.values(pki.secrets)]) expect(mode).toBe('0600');
    expect(Object.keys(artifacts)).toEqual([...new Set(components.flatMap((one) => one.artifacts))].toSorted());
    expect(usersOf(document).filter((user) => user !== 'root' && !(user in document.system.users))).toEqual([]);
  }
});

function usersOf({ components, pki }: ServerDocument): readonly string[] {
  const files = components.flatMap(({ directories, files: own }) => [directories, own]);
  return [...files, pki.keys, pki.secrets].flatMap((table) => Object.values(table).map(({ user }) => user));
}

it('names every file that a command line or a watch needs', () => {
  for (const { components, pki, artifacts, server } of compiled(fleetPlatform()).documents.values()) {
    const known = new Set([
      ...components.flatMap(({ files }) => Object.keys(files)),
      ...[pki.keys, pki.certificates, pki.authorities, pki.secrets, artifacts].flatMap(Object.keys),
    ]);
    const named = components.flatMap(({ units: own }) =>
      Object.values(own).flatMap(({ text, watches }) => [
        ...watches,
        ...[...text.matchAll(/=(\/etc\/(?:etcd|kubernetes)\/[^ \n]+)/g)].map(([, path = '']) => path),
      ]),
    );
    expect(
      named.filter((path) => !known.has(path)),
      server.id,
    ).toEqual([]);
  }
});

it('gives no key of one server to another, and no secret to a worker', () => {
  const { documents } = compiled(fleetPlatform());
  const worker = documents.get('site0-worker0000');
  expect(worker?.pki.secrets).toEqual({});
  expect(Object.keys(worker?.pki.authorities ?? {})).toEqual(['/etc/kubernetes/pki/ca.crt']);
  expect(JSON.stringify([...documents.values()])).not.toContain('PRIVATE KEY');
});

it('uses no flag that its version has removed', () => {
  for (const [kubernetes, etcd] of [
    ['1.33.4', '3.5.32'],
    ['1.34.2', '3.6.8'],
    ['1.35.4', '3.6.8'],
    ['1.36.3', '3.7.0'],
  ] as const) {
    const { refusedFlags } = compiled(fleetPlatform({ versions: { kubernetes, etcd } }));
    expect(refusedFlags, `${kubernetes} ${etcd}`).toEqual([]);
  }
});

it('finds a flag that its version has removed', () => {
  const { documents } = compiled(fleetPlatform());
  const document = documents.get('site0-worker0000');
  const old = { kubernetes: '1.36.3', etcd: '3.7.0', containerd: '2.1.4' };
  if (document === undefined) throw new Error('unreachable');
  const text = 'ExecStart=/usr/local/bin/kubelet \\\n  --config=y \\\n  --pod-infra-container-image=x\n';
  const unit = { text, running: true, watches: [], onChange: 'restart' } as const;
  const component = {
    name: 'kubelet',
    artifacts: [],
    directories: {},
    files: {},
    units: { 'kubelet.service': unit },
  } as const;
  const bad = { ...document, components: [component] };
  expect(refusedIn(bad, old)).toEqual(['kubelet.service --pod-infra-container-image=x']);
  expect(refusedIn(bad, { ...old, kubelet: '1.34.2' })).toEqual([]);
});

it('is the same twice, in whatever order the platform was read', () => {
  const platform = fleetPlatform({ sites: 2 });
  const turned = { ...platform, servers: new Map([...platform.servers].toReversed()) };
  expect(JSON.stringify([...texts(turned)])).toBe(JSON.stringify([...texts(platform)]));
  expect(JSON.stringify(compiled(turned).pkiPlan)).toBe(JSON.stringify(compiled(platform).pkiPlan));
});

/** Whose documents a change of this server may change beside its own. */
function shares(changed: Server, other: Server): boolean {
  const [mine, theirs] = [changed.spec, other.spec];
  if (mine.cluster !== theirs.cluster || !mine.roles.includes('etcd')) return false;
  return theirs.roles.includes('etcd') || theirs.roles.includes('control-plane');
}

it('changes the document of a changed server, and those that name it', () => {
  const platform = fleetPlatform({ sites: 2, dedicatedEtcd: true });
  const before = texts(platform);
  const change = fc.constantFrom<Partial<Server['spec']>>(
    { rack: 'another' },
    { class: 'gpu' },
    { addresses: [{ family: 4, text: '10.1.77.7' }] },
    { state: 'retired' },
  );
  fc.assert(
    fc.property(fc.constantFrom(...platform.servers.keys()), change, (name, fields) => {
      const server = platform.servers.get(name);
      if (server === undefined) throw new Error('unreachable');
      const next = { ...server, spec: { ...server.spec, ...fields } };
      const after = texts({ ...platform, servers: new Map([...platform.servers, [name, next]]) });
      const changed = [...before.keys()].filter((id) => before.get(id) !== after.get(id));
      const strangers = changed.filter((id) => {
        const other = platform.servers.get(id);
        return id !== name && (other === undefined || !shares(server, other));
      });
      expect(strangers).toEqual([]);
      if (fields.class === undefined) expect(changed).toContain(name);
    }),
    { numRuns: 60 },
  );
});

it('compiles 2,500 servers of six sites in ten seconds', () => {
  const platform = fleetPlatform({ sites: 6, workersPerSite: 400, bladesPerSite: 14 });
  const before = performance.now();
  const { documents } = compiled(platform);
  expect(performance.now() - before).toBeLessThan(promised(10_000));
  expect(documents.size).toBeGreaterThan(2500);
});

it('gives the controller-manager a length by family where there are two, and one length where there is one', () => {
  const platform = fleetPlatform({ ipam: { static: { ipv4Length: 25, ipv6Length: 72 } } });
  const flagsWith = (change: (pods: readonly Prefix[]) => readonly Prefix[]): readonly string[] => {
    const fleets = new Map(
      [...platform.fleets].map(([name, fleet]) => {
        const network = { ...fleet.spec.network, pods: [...change(fleet.spec.network.pods)] };
        return [name, { ...fleet, spec: { ...fleet.spec, network } }] as const;
      }),
    );
    const document = compiled({ ...platform, fleets }).documents.get('site0-control0');
    const component = document?.components.find(({ name }) => name === 'kube-controller-manager');
    return JSON.stringify(component?.units).match(/--node-cidr-mask-size[-a-z0-9]*=\d+/g) ?? [];
  };
  const six = parsePrefix('fd00:10::/56');
  expect(six).toBeDefined();
  if (six === undefined) return;
  expect(flagsWith((four) => four)).toEqual(['--node-cidr-mask-size=25']);
  expect(flagsWith(() => [six])).toEqual(['--node-cidr-mask-size=72']);
  expect(flagsWith((four) => [six, ...four])).toEqual([
    '--node-cidr-mask-size-ipv4=25',
    '--node-cidr-mask-size-ipv6=72',
  ]);
});

it('counts the GPUs that a cluster has for pods', () => {
  expect(compiled(fleetPlatform({ gpus: true, sites: 2 })).gpus).toEqual({
    site0: { 'NVIDIA H100 80GB HBM3': 24 },
    site1: { 'NVIDIA H100 80GB HBM3': 24 },
  });
  expect(compiled(fleetPlatform()).gpus).toEqual({ site0: {} });
});

it('names for Prometheus the agents, and the node exporters where a fleet has them, with the labels of its rules', () => {
  const { targets } = compiled(fleetPlatform({ workersPerSite: 2, bladesPerSite: 1, monitoring: { port: 9101 } }));
  expect([...targets.keys()]).toEqual(['tideline-edge', 'tideline-network', 'node']);
  expect(targets.get('tideline-network')).toEqual([
    { targets: ['10.1.3.232:9463', '10.1.3.233:9463'], labels: { cluster: 'site0' } },
  ]);
  expect(targets.get('node')).toHaveLength(6);
  expect(targets.get('node')?.at(0)).toEqual({
    targets: ['10.1.0.100:9101'],
    labels: { cluster: 'site0', site: 'site0', rack: 'r000', server: 'site0-blade000', roles: 'blade' },
  });
  expect([...compiled(fleetPlatform()).targets.keys()]).toEqual(['tideline-edge', 'tideline-network']);
});
