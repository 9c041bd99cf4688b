import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { ownPlace } from '../../lab/control-plane/place.ts';
import { sendRequest } from '../../lab/control-plane/request.ts';
import { Network } from '../../lab/net/network.ts';
import { binaries } from '../support/clusters/binaries.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';
import { web, workerNode } from '../support/clusters/objects.ts';
import { promised } from '../support/promised.ts';

/** The time that docs/benchmarks.md gives a start; on an idle machine it takes 5 s. */
const startsWithinMs = 15_000;

let plane: ControlPlane;
let startedInMs: number;

beforeAll(async () => {
  const began = performance.now();
  plane = await startTestControlPlane();
  startedInMs = Math.round(performance.now() - began);
});

afterAll(async () => {
  await plane?.stop();
});

async function get<T>(from: ControlPlane, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await from.kubectl(['get', '-o', 'json', ...args])) as T;
}

const hostOf = (of: ControlPlane): string => new URL(of.url).hostname;

describe('a control plane', () => {
  it('is ready within its bound, in the versions we build', async () => {
    console.log(`one control plane: ready after ${startedInMs} ms`);
    expect(startedInMs).toBeLessThan(promised(startsWithinMs));
    const version = JSON.parse(await plane.kubectl(['get', '--raw', '/version'])) as { gitVersion: string };
    expect(version.gitVersion).toBe('v1.36.3');
    const pki = (name: string): Promise<string> => readFile(join(plane.folder, 'pki', name), 'utf8');
    const host = hostOf(plane);
    const client = { certificate: await pki('etcd-client.crt'), key: await pki('etcd-client.key') };
    const etcd = { host, port: 2379, authority: await pki('etcd-ca.crt'), client };
    const answer = await sendRequest(ownPlace(host), etcd, 'GET', '/version');
    expect(JSON.parse(answer.body)).toMatchObject({ etcdserver: '3.6.8' });
  });

  it('lets a stranger do nothing, and its audit log says who was allowed what, and why', async () => {
    const stranger = await plane.kubeconfigFor({ user: 'stranger', groups: ['nobodies'] });
    await expect(plane.kubectl(['--kubeconfig', stranger, 'get', 'nodes'])).rejects.toThrow('forbidden');
    const [denied] = await plane.audit(({ user, resource }) => user === 'stranger' && resource === 'nodes');
    expect(denied).toMatchObject({ verb: 'list', code: 403, decision: 'forbid', decisionReason: '' });
    expect(denied?.groups).toContain('nobodies');

    await plane.kubectl(['create', 'clusterrolebinding', 'nobodies', '--clusterrole=system:node', '--group=nobodies']);
    await eventually(() => plane.kubectl(['--kubeconfig', stranger, 'get', 'nodes']).then(() => true));
    const allowed = (await plane.audit(({ user, resource }) => user === 'stranger' && resource === 'nodes')).at(-1);
    expect(allowed).toMatchObject({ verb: 'list', code: 200, decision: 'allow' });
    expect(allowed?.decisionReason).toBe(
      'RBAC: allowed by ClusterRoleBinding "nobodies" of ClusterRole "system:node" to Group "nobodies"',
    );
  });

  it('shows a watch that still runs in the audit log', async () => {
    const path = '/api/v1/namespaces/default/secrets?timeoutSeconds=10&watch=true';
    const watch = plane.kubectl(['get', '--raw', path]);
    const seen = await eventually(async () => (await plane.audit(({ uri }) => uri === path))[0]);
    expect(seen).toMatchObject({ verb: 'watch', resource: 'secrets', code: 200, decision: 'allow' });
    await watch;
    expect(await plane.audit(({ uri }) => uri === path)).toHaveLength(1);
  });

  it('answers strangers without a name about its health only', async () => {
    const target = { host: hostOf(plane), port: 6443, authority: await readFile(plane.authority, 'utf8') };
    const status = async (path: string): Promise<number> =>
      (await sendRequest(ownPlace(target.host), target, 'GET', path)).status;
    expect(await status('/readyz')).toBe(200);
    expect(await status('/version')).toBe(401);
    expect(await status('/api/v1/namespaces')).toBe(401);
  });

  it('is configured for aggregated APIs', async () => {
    const name = 'extension-apiserver-authentication';
    const { data } = await get<{ data: Record<string, string> }>(plane, 'configmap', '-n', 'kube-system', name);
    expect(data['requestheader-client-ca-file']).toContain('BEGIN CERTIFICATE');
    expect(data['requestheader-client-ca-file']).not.toBe(data['client-ca-file']);
    expect(data['requestheader-allowed-names']).toBe('["front-proxy-client"]');
  });

  it('makes pods and endpoints of a Deployment and a Service, and the scheduler binds the pods', async () => {
    await plane.apply(workerNode('worker-1', '10.1.0.11'), ...web('shop', 2));
    const { status } = workerNode('worker-1', '10.1.0.11');
    await plane.kubectl(['patch', 'node', 'worker-1', '--subresource=status', '-p', JSON.stringify({ status })]);
    type Pods = { items: { metadata: { name: string }; spec: { nodeName?: string } }[] };
    const pods = await eventually(async () => {
      const { items } = await get<Pods>(plane, 'pods', '-l', 'app=shop');
      return items.length === 2 && items.every(({ spec }) => spec.nodeName === 'worker-1') && items;
    });
    await Promise.all(
      pods.map(({ metadata }, index) => {
        const podIP = `10.10.1.${index + 1}`;
        const ready = [{ type: 'Ready', status: 'True' }];
        const patch = { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: ready } };
        return plane.kubectl(['patch', 'pod', metadata.name, '--subresource=status', '-p', JSON.stringify(patch)]);
      }),
    );
    type Slices = { items: { endpoints?: { addresses: string[]; conditions: { ready: boolean } }[] }[] };
    const addresses = await eventually(async () => {
      const { items } = await get<Slices>(plane, 'endpointslices', '-l', 'kubernetes.io/service-name=shop');
      const ready = items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready);
      return ready.length === 2 && ready.flatMap((endpoint) => endpoint.addresses).toSorted();
    });
    expect(addresses).toEqual(['10.10.1.1', '10.10.1.2']);
  });

  it('knows users by certificate and ServiceAccounts by token', async () => {
    const whoami = async (kubeconfig: string): Promise<unknown> => {
      const said = await plane.kubectl(['--kubeconfig', kubeconfig, 'auth', 'whoami', '-o', 'json']);
      return (JSON.parse(said) as { status: { userInfo: unknown } }).status.userInfo;
    };
    const blade = await plane.kubeconfigFor({ user: 'tideline:edge:blade-1', groups: ['tideline:edge'] });
    expect(await whoami(blade)).toMatchObject({
      username: 'tideline:edge:blade-1',
      groups: ['tideline:edge', 'system:authenticated'],
    });
    const agent = await plane.kubeconfigForServiceAccount('tideline-system', 'tideline-edge');
    expect(await whoami(agent)).toMatchObject({
      username: 'system:serviceaccount:tideline-system:tideline-edge',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:tideline-system', 'system:authenticated'],
    });
  });

  it('refuses a certificate whose time is over', async () => {
    const short = await plane.kubeconfigFor({ user: 'brief' }, { validSeconds: 1 });
    await eventually(() =>
      plane.kubectl(['--kubeconfig', short, 'auth', 'whoami']).then(
        () => false,
        (error: Error) => /must be logged in|Unauthorized/.test(error.message),
      ),
    );
  });

  it('answers 410 to a resourceVersion from before a compaction, and keeps what there is', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const list = JSON.parse(await plane.kubectl(['get', '--raw', path])) as { metadata: { resourceVersion: string } };
    await plane.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b']);
    const watch = `${path}?watch=true&timeoutSeconds=2&resourceVersion=${list.metadata.resourceVersion}`;
    expect(await plane.kubectl(['get', '--raw', watch])).toContain('"name":"kept"');
    await plane.compact();
    const after = JSON.parse(await plane.kubectl(['get', '--raw', watch])) as unknown;
    expect(after).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(await plane.kubectl(['get', 'configmap', 'kept', '-o', 'name'])).toBe('configmap/kept\n');
  });

  it('keeps its data through restarts and kills of every component', async () => {
    await plane.kubectl(['create', 'configmap', 'durable']);
    const before = plane.pid('etcd');
    plane.signal('etcd', 'SIGKILL');
    await eventually(() => plane.pid('etcd') === undefined);
    await plane.start('etcd');
    expect(plane.pid('etcd')).not.toBe(before);
    await plane.restart('kube-apiserver');
    await Promise.all([plane.restart('kube-controller-manager'), plane.restart('kube-scheduler')]);
    expect(await plane.kubectl(['get', 'configmap', 'durable', '-o', 'name'])).toBe('configmap/durable\n');
  });

  it('can be stopped in its tracks and go on', async () => {
    plane.signal('kube-apiserver', 'SIGSTOP');
    await expect(plane.kubectl(['get', 'ns', '--request-timeout=1s'])).rejects.toThrow(/timeout|deadline/i);
    plane.signal('kube-apiserver', 'SIGCONT');
    await eventually(() => plane.kubectl(['get', 'ns', '--request-timeout=5s']));
  });

  it('can change its authority: old kubeconfigs fail, the same files written again work', async () => {
    const file = await plane.kubeconfigFor({ user: 'rotated' });
    const token = await plane.kubeconfigForServiceAccount('default', 'rotated');
    const old = join(plane.folder, 'old.kubeconfig');
    await copyFile(file, old);
    const whoami = (kubeconfig: string): Promise<string> =>
      plane.kubectl(['--kubeconfig', kubeconfig, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']);
    await plane.rotateAuthority({ keepKubeconfigs: true });
    await expect(whoami(file)).rejects.toThrow('certificate signed by unknown authority');
    await plane.rewriteKubeconfigs();
    expect(await whoami(file)).toBe('rotated');
    expect(await whoami(token)).toBe('system:serviceaccount:default:rotated');
    await expect(whoami(old)).rejects.toThrow('certificate signed by unknown authority');
  });
});

describe('two control planes at once', () => {
  it('do not know of each other, and end without a process, a port or a file left', async () => {
    const began = performance.now();
    const both = await Promise.all([startTestControlPlane(), startTestControlPlane()]);
    const [one, other] = both;
    console.log(`two control planes at once: ready after ${Math.round(performance.now() - began)} ms`);
    try {
      await one.kubectl(['create', 'configmap', 'mine']);
      expect(await one.kubectl(['get', 'configmap', '-o', 'name'])).toContain('mine');
      expect(await other.kubectl(['get', 'configmap', '-o', 'name'])).not.toContain('mine');
      const crossed = ['--kubeconfig', one.kubeconfig, '--server', other.url];
      await expect(other.kubectl([...crossed, 'get', 'ns'])).rejects.toThrow('unknown authority');
      await expect(other.kubectl([...crossed, '--insecure-skip-tls-verify', 'get', 'ns'])).rejects.toThrow(
        /must be logged in|Unauthorized|asked for the client to provide credentials/,
      );
      one.signal('kube-apiserver', 'SIGSTOP');
      await one.stop();
      await expectNothingLeft(one.folder, hostOf(one));
      expect(await other.kubectl(['get', 'ns', 'default', '-o', 'name'])).toBe('namespace/default\n');
    } finally {
      await Promise.all(both.map((each) => each.stop()));
    }
    await expectNothingLeft(other.folder, hostOf(other));
  });
});

describe('a control plane in a namespace of a network', () => {
  it('is asked from outside without a route, gives nodes their range, and finds a silent node', async () => {
    const network = new Network();
    const folder = await mkdtemp(join(tmpdir(), 'tideline-namespace-'));
    const address = '10.99.0.1';
    try {
      await network.addNamespace('kube');
      await network.ip('kube', 'address', 'add', `${address}/32`, 'dev', 'lo');
      const inside = await startTestControlPlane({
        folder,
        address,
        network,
        namespace: 'kube',
        clusterCidr: '10.10.0.0/16',
        nodeFailure: { graceSeconds: 3, periodSeconds: 1 },
      });
      try {
        const advertised = ['get', 'endpointslice', 'kubernetes', '-o', 'jsonpath={.endpoints[*].addresses[*]}'];
        expect(await eventually(() => inside.kubectl(advertised))).toBe(address);
        await inside.apply(workerNode('worker-1', '10.1.0.11'));
        const { status } = workerNode('worker-1', '10.1.0.11');
        await inside.kubectl(['patch', 'node', 'worker-1', '--subresource=status', '-p', JSON.stringify({ status })]);
        type Node = { spec: { podCIDR?: string }; status: { conditions?: { type: string; status: string }[] } };
        await eventually(async () => {
          const node = await get<Node>(inside, 'node', 'worker-1');
          const unknown = node.status.conditions?.some((is) => is.type === 'Ready' && is.status === 'Unknown');
          return unknown === true && node.spec.podCIDR === '10.10.0.0/24';
        });
        await inside.kubeconfigForServiceAccount('default', 'from-outside');
        expect((await network.pids('kube')).length).toBeGreaterThanOrEqual(4);
      } finally {
        await inside.stop();
      }
      expect(await network.pids('kube')).toEqual([]);
      await expect(readdir(folder)).rejects.toThrow('ENOENT');
    } finally {
      await network.destroy();
    }
  });
});

describe('a control plane that cannot start', () => {
  const address = '127.0.1.200';

  it('says which component failed and why, and leaves nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-failing-'));
    const flags = { 'kube-apiserver': { 'no-such-flag': 1 } };
    await expect(startTestControlPlane({ folder, address, flags })).rejects.toThrow(
      /^kube-apiserver ended; the end of its log:[^]*unknown flag: --no-such-flag/,
    );
    await expectNothingLeft(folder, address);
  });

  it('says when it is not ready in time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-slow-'));
    await expect(startTestControlPlane({ folder, address, readyTimeoutMs: 300 })).rejects.toThrow('is not ready after');
    await expectNothingLeft(folder, address);
  });

  it('says when a program is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-missing-'));
    await expect(startTestControlPlane({ folder, address, binaries: '/nowhere' })).rejects.toThrow(
      /^etcd ended[^]*\/nowhere\/etcd: No such file or directory/,
    );
    await expectNothingLeft(folder, address);
  });

  it('does not touch a folder with something in it', async () => {
    await expect(startTestControlPlane({ folder: plane.folder, address })).rejects.toThrow('must be empty');
    expect(await readdir(plane.folder)).toContain('audit.log');
  });
});

describe('a control plane whose owner is killed', () => {
  it('ends with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-orphan-'));
    const start = join(import.meta.dirname, '../../lab/control-plane/start.ts');
    const options = { folder, address: '127.0.1.201', binaries: await binaries() };
    const script = `import { startControlPlane } from ${JSON.stringify(start)};
      await startControlPlane(${JSON.stringify(options)});
      console.log('ready');
      setInterval(() => undefined, 60_000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(owner.stdout, 'data');
      expect((await processesOf(folder)).length).toBeGreaterThanOrEqual(4);
    } finally {
      owner.kill('SIGKILL');
    }
    await eventually(async () => (await processesOf(folder)).length === 0);
    await rm(folder, { recursive: true });
  });
});

/** The ids of the processes that have this folder in their arguments. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return ids.filter((id, index) => lines[index]?.includes(`${folder}/`) === true && id !== String(process.pid));
}

/** The control plane of all tests still runs, and shows that what is left of another one would be seen. */
async function expectNothingLeft(folder: string, host: string): Promise<void> {
  expect(await processesOf(plane.folder)).not.toEqual([]);
  expect(await processesOf(folder)).toEqual([]);
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
  for (const port of [6443, 2379, 2380, 10257, 10259]) {
    expect(await isOpen(hostOf(plane), port), `port ${port} of ${hostOf(plane)}`).toBe(true);
    expect(await isOpen(host, port), `port ${port} of ${host}`).toBe(false);
  }
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
