import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { type Daemon, startDaemon } from '../../lab/daemons/process.ts';
import { Network } from '../../lab/net/network.ts';
import { agentPorts } from '../../src/model/contract.ts';
import type { NetworkStatus } from '../../src/model/status.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { objectsOf } from '../support/clusters/pool-definition.ts';
import { compileCache } from '../support/compile-cache.ts';

/** In a cluster without an edge pool one of the workers that may writes the status of Drains, with the rights of deploy/components/worker-status. */
const network = new Network();
const workers = { 'paris-worker-1': '10.1.0.11', 'paris-worker-2': '10.1.0.12' } as const;
type Worker = keyof typeof workers;
const names = Object.keys(workers) as readonly Worker[];
const running = new Map<Worker, Daemon>();
let plane: ControlPlane;
let folder: string;

const apiVersion = 'tideline.dev/v1alpha1';
const spec = (kind: string, name: string, more: object) => ({ apiVersion, kind, metadata: { name }, spec: more });
const drain = (name: string) =>
  spec('Drain', name, {
    target: { kind: 'Worker', name: 'paris-worker-2' },
    reason: 'disk',
    expires: '2099-01-01T00:00:00Z',
  });
const pool = spec('EdgePool', 'paris-edge', {
  cluster: 'paris',
  blades: [{ name: 'paris-blade-1', address: '10.1.0.21' }],
  vips: [{ address: '192.0.2.11' }],
});

/** The conditions of a Drain, as `Type=Status` each. */
const said = async (name: string): Promise<string> => {
  const path = '{range .status.conditions[*]}{.type}={.status} {end}';
  return (await plane.kubectl(['get', 'drain', name, '-o', `jsonpath=${path}`])).trim();
};

async function statusOf(name: Worker): Promise<NetworkStatus | undefined> {
  try {
    const answer = await fetch(`http://${workers[name]}:${agentPorts.network}/status`);
    return (await answer.json()) as NetworkStatus;
  } catch {
    return undefined;
  }
}

async function writer(): Promise<Worker | undefined> {
  const statuses = await Promise.all(names.map(statusOf));
  return names.find((_, at) => statuses[at]?.writing?.writes === true);
}

async function startAgent(name: Worker): Promise<void> {
  const runDir = join(folder, name);
  await mkdir(runDir, { recursive: true });
  const groups = ['tideline:network', 'tideline:network-status'];
  const kubeconfig = await plane.kubeconfigFor({ user: `tideline:network:${name}`, groups });
  const at = `${workers[name]}:${agentPorts.network}`;
  const source = ['--platform', join(folder, 'spec'), '--cluster', 'paris', '--kubeconfig', kubeconfig];
  const own = [
    '--node',
    name,
    '--run-dir',
    runDir,
    '--metrics-address',
    at,
    '--pods-from',
    'podCIDRs',
    '--write-status',
  ];
  const daemon = startDaemon({
    network,
    namespace: 'own',
    command: process.execPath,
    args: [resolve('src/cli/main.ts'), 'network', 'agent', ...source, ...own],
    logFile: join(folder, `${name}.log`),
    env: { NODE_COMPILE_CACHE: compileCache },
  });
  running.set(name, daemon);
}

beforeAll(async () => {
  await network.adoptOwn('own');
  for (const address of Object.values(workers)) await network.ip('own', 'address', 'add', `${address}/32`, 'dev', 'lo');
  folder = await mkdtemp(join(tmpdir(), 'tideline-worker-status-'));
  plane = await startTestControlPlane();
  await plane.kubectl(['create', 'namespace', 'tideline-system']);
  for (const file of ['rbac/network', 'components/worker-status/rights'])
    await plane.apply(...(await objectsOf(`deploy/${file}.yaml`)));
  for (const crd of ['drains', 'edgepools'])
    await plane.kubectl(['apply', '--server-side', '-f', `deploy/crds/${crd}.yaml`]);
  await mkdir(join(folder, 'spec'));
  await writeFile(join(folder, 'spec/sites.yaml'), await readFile('examples/hybrid/sites.yaml', 'utf8'));
  const cluster = spec('Cluster', 'paris', {
    sites: ['paris'],
    source: { none: true },
    entry: { anycast: ['192.0.2.10'] },
  });
  await writeFile(join(folder, 'spec/cluster.yaml'), JSON.stringify(cluster));
  for (const name of names) {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
    const status = { addresses: [{ type: 'InternalIP', address: workers[name] }] };
    await plane.apply(node);
    await plane.kubectl(['patch', 'node', name, '--subresource', 'status', '-p', JSON.stringify({ status })]);
    await startAgent(name);
  }
});

afterAll(async () => {
  await Promise.all([...running.values()].map((daemon) => daemon.stop()));
  await plane?.stop();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

it('one worker says of a Drain that it is in force and what is left, and only it writes', async () => {
  await plane.apply(drain('first'));
  // The relay of the drained worker is not there, so nobody knows what is left.
  await eventually(async () => /^Accepted=True InForce=True Empty=(False|Unknown)$/.test(await said('first')));
  const writes = await plane.audit(({ resource, subresource }) => resource === 'drains' && subresource === 'status');
  expect(new Set(writes.map(({ user }) => user))).toEqual(new Set([`tideline:network:${await writer()}`]));
  const asked = await plane.audit(({ user }) => user.startsWith('tideline:network:'));
  expect(asked.filter(({ decision }) => decision === 'forbid')).toEqual([]);
});

it('goes on with the other one when the one that writes ends', async () => {
  const first = (await writer()) as Worker;
  const next = names.find((name) => name !== first) as Worker;
  await running.get(first)?.stop();
  running.delete(first);
  await eventually(async () => (await writer()) === next);
  await plane.apply(drain('second'));
  await eventually(async () => (await said('second')).startsWith('Accepted=True InForce=True'));
});

it('leaves the writing to the blades once the cluster has an edge pool, also where it stands in the API alone', async () => {
  await plane.apply(pool);
  await eventually(async () => (await writer()) === undefined);
  await plane.apply(drain('third'));
  const other = names.find((name) => running.has(name)) as Worker;
  await eventually(async () => ((await statusOf(other))?.writing?.leading ?? false) === true);
  expect(await said('third')).toBe('');
  await plane.kubectl(['delete', 'edgepool', 'paris-edge']);
  await eventually(async () => (await said('third')).startsWith('Accepted=True InForce=True'));
});
