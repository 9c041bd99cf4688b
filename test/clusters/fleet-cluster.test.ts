import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries } from '../../lab/control-plane/binaries.ts';
import type { Admin } from '../../lab/fleet/admin.ts';
import { LabFleet, podImage, type StateResult } from '../../lab/fleet/fleet.ts';
import { place } from '../../lab/fleet/router.ts';
import { apiVip, prefixes } from '../../lab/fleet/spec.ts';
import { Network } from '../../lab/net/network.ts';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { findRoot } from '../../lab/servers/root.ts';
import { findSalt } from '../../tools/salt/installation.ts';
import { eventuallyWith } from '../support/eventually.ts';
import { promised } from '../support/promised.ts';

/** A cluster of five bare servers and a router, from the documents alone: lab/fleet/README.md says what the machine cannot do. */
const eventually = eventuallyWith({ timeoutMs: 120_000, everyMs: 100 });
const network = new Network();
const stages: string[] = [];
let folder: string;
let fleet: LabFleet;
let admin: Admin;

beforeAll(async () => {
  const started = performance.now();
  const [root, programs, binaries, salt] = await Promise.all([
    findRoot(process.env),
    findNodePrograms(process.env),
    findBinaries(process.env),
    findSalt(process.env),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
  const say = (stage: string): void => {
    stages.push(`${((performance.now() - started) / 1000).toFixed(1)} s: ${stage}`);
  };
  const shape = { masters: 3, workers: 2 };
  fleet = new LabFleet({ folder, network, root, programs, binaries, salt: salt.folder, shape, say });
  admin = await fleet.create();
  await admin.apply([deployment]);
  await eventually(async () => expect(await podsReady()).toBe(6));
  say('6 pods are ready');
  process.stdout.write(`${stages.join('\n')}\n`);
}, 900_000);

afterAll(async () => {
  await fleet?.remove();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

const labels = { app: 'first' };
const spread = {
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: labels },
};
const containers = [{ name: 'only', image: podImage, imagePullPolicy: 'Never' }];
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'first', namespace: 'default' },
  spec: {
    replicas: 6,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 1, topologySpreadConstraints: [spread], containers },
    },
  },
};

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}
const pods = async (): Promise<readonly Pod[]> =>
  (await admin.read<{ readonly items: readonly Pod[] }>('/api/v1/namespaces/default/pods')).items;
const podsReady = async (): Promise<number | undefined> =>
  (
    await admin.read<{ readonly status: { readonly readyReplicas?: number } }>(
      '/apis/apps/v1/namespaces/default/deployments/first',
    )
  ).status.readyReplicas;

/** What a client beside the router gets from an address. */
const ask = async (address: string): Promise<string> =>
  await network.exec(place.namespace, 'curl', '--silent', '--show-error', '--max-time', '5', `http://${address}/`);
const routesTo = async (prefix: string): Promise<string> =>
  await network.ip(place.namespace, 'route', 'show', 'proto', 'bird', 'root', prefix);
const ids = (results: readonly StateResult[], wanted: (one: StateResult) => boolean): readonly string[] =>
  results.filter(wanted).map(({ __id__: id }) => id);
const changed = (results: readonly StateResult[]): readonly string[] =>
  ids(results, ({ changes }) => Object.keys(changes).length > 0);

describe('a cluster from its documents', () => {
  test('has pods on both workers, in blocks of Calico, which the router reaches by the routes of our agents', async () => {
    const found = await pods();
    expect([...new Set(found.map(({ spec }) => spec.nodeName))].toSorted()).toEqual(['par-worker-1', 'par-worker-2']);
    const hops = async (): Promise<readonly string[]> =>
      (await routesTo(prefixes.pods))
        .trim()
        .split('\n')
        .map((line) => /\/26 via (\S+)/.exec(line)?.[1] ?? '');
    await eventually(async () => expect((await hops()).toSorted()).toEqual(['10.1.0.31', '10.1.0.32']));
    for (const { metadata, status } of found)
      await eventually(async () => expect(await ask(status.podIP)).toBe(`${metadata.name}\n`));
  });

  test('changes nothing when its documents are applied again', async () => {
    const results = await Promise.all([...fleet.servers.keys()].map(async (name) => await fleet.apply(name)));
    expect(results.map((one) => ids(one, ({ result }) => result !== true))).toEqual(results.map(() => []));
    expect(results.map(changed)).toEqual(results.map(() => []));
  });

  test('has what drifted predicted exactly, and mended exactly', async () => {
    const worker = fleet.server('par-worker-1');
    await worker.exec('echo "# edited" >>/etc/containerd/config.toml; chmod 0644 /etc/kubernetes/kubelet/client.key');
    const drifted = [
      'pki access to key /etc/kubernetes/kubelet/client.key',
      'containerd file /etc/containerd/config.toml',
      'containerd service containerd.service',
    ];
    expect(ids(await fleet.apply('par-worker-1', 'test=True'), ({ result }) => result === null)).toEqual(drifted);
    expect(changed(await fleet.apply('par-worker-1'))).toEqual(drifted);
    expect(await worker.exec('stat --format=%a /etc/kubernetes/kubelet/client.key')).toBe('600\n');
  });

  test('announces the API by each control plane that is well, and by a stopped one for two seconds at most', async () => {
    const route = async (): Promise<string> => await routesTo(`${apiVip}/32`);
    for (const address of ['10.1.0.11', '10.1.0.12', '10.1.0.13']) expect(await route()).toContain(address);
    const master = fleet.server('par-master-2');
    const stoppedAt = performance.now();
    await master.exec('systemctl kill --signal=STOP kube-apiserver');
    await eventually(async () => expect(await route()).not.toContain('10.1.0.12'));
    expect(performance.now() - stoppedAt).toBeLessThan(promised(2000));
    expect(await admin.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
    await master.exec('systemctl kill --signal=CONT kube-apiserver');
    await eventually(async () => expect(await route()).toContain('10.1.0.12'));
  });
});
