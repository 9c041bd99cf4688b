import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { shippedObjects } from '../../src/cli/fleet/shipped-objects.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { type CompiledFleet, compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import { runObjects } from '../../src/planes/fleet/run/objects.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';
import { denied, grantsOf, grantText, type Rule, rulesOf, used } from '../support/deploy/rights.ts';
import { fleetPlatform } from '../support/fleet.ts';

/**
 * The real CNI plugin of Calico, with the configuration of a worker's document and the certificate that is planned for it, in a cluster that
 * holds the objects of its Fleet and nothing else.
 */
const plane = withControlPlane();
const worker = 'site0-worker0000';
const cni = 'tideline:calico-cni';
let fleet: CompiledFleet;
let programs = '';
let kubeconfig = '';
const pods: ChildProcess[] = [];

beforeAll(async () => {
  fleet = compileFleet(
    fleetPlatform({ ipam: { calico: { blockLength: 30, maxBlocksPerWorker: 2 } } }),
    {},
    await shippedObjects('deploy'),
  );
  const client = await connect({ kubeconfig: plane().kubeconfig });
  const { signal } = new AbortController();
  expect(await runObjects({ client, objects: fleet.objects.get('site0') ?? [], signal, say: () => {} })).toEqual([]);
  await client.close();
  const labels = { 'topology.kubernetes.io/region': 'site0' };
  await plane().apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: worker, labels } });
  kubeconfig = await plane().kubeconfigFor({ user: cni, groups: [cni] });
  const built = await findNodePrograms(process.env);
  programs = plane().folder;
  for (const name of ['calico', 'calico-ipam']) await symlink(join(built, 'calico'), join(programs, name));
}, 120_000);
afterAll(async () => {
  for (const pod of pods) {
    pod.kill('SIGKILL');
    await once(pod, 'exit');
  }
});

/** The plugin of the worker's document; only the place of the kubeconfig and of the log is another one. */
function configuration(): string {
  const files = fleet.documents.get(worker)?.components.find(({ name }) => name === 'cni')?.files ?? {};
  const conflist = JSON.parse(files['/etc/cni/net.d/10-calico.conflist']?.text ?? '{}') as {
    readonly plugins: readonly object[];
  };
  const [plugin] = conflist.plugins;
  const log = join(plane().folder, 'cni.log');
  return JSON.stringify({
    cniVersion: '0.3.1',
    name: 'pods',
    ...plugin,
    kubernetes: { kubeconfig },
    log_file_path: log,
  });
}

interface Answer {
  readonly code: number | null;
  readonly text: string;
}

/** Calls the plugin as containerd does, for a pod whose namespace is that of a process. */
async function call(command: 'ADD' | 'DEL', pod: string, process: ChildProcess): Promise<Answer> {
  const child = spawn(join(programs, 'calico'), [], {
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: `${pod}-container`,
      CNI_NETNS: `/proc/${process.pid}/ns/net`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: programs,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_INFRA_CONTAINER_ID=${pod}-container`,
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  child.stdin.end(configuration());
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

async function addPod(pod: string): Promise<Answer> {
  const containers = [{ name: 'a', image: 'none' }];
  await plane().apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace: 'default' },
    spec: { nodeName: worker, containers },
  });
  const sandbox = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  pods.push(sandbox);
  await once(sandbox, 'spawn');
  return call('ADD', pod, sandbox);
}

it('gives pods addresses of a block of the pool that the Fleet describes, and takes them back', async () => {
  const answers = [];
  for (const pod of ['a', 'b', 'c', 'd', 'e']) answers.push(await addPod(pod));
  const wrong = answers.filter(({ code }) => code !== 0).map(({ text }) => text);
  expect(wrong).toEqual([]);
  for (const { text } of answers) expect(text).toMatch(/"address": ?"10\.101\.\d+\.\d+\/32"/);
  const affinities = await plane().kubectl([
    'get',
    'blockaffinities',
    '-o',
    'jsonpath={range .items[*]}{.spec.node} {.spec.state} {.spec.cidr}{"\\n"}{end}',
  ]);
  expect(affinities.trim().split('\n')).toEqual([
    expect.stringMatching(/^site0-worker0000 confirmed 10\.101\..*\/30$/),
    expect.stringMatching(/^site0-worker0000 confirmed/),
  ]);
  for (const [index, pod] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    const sandbox = pods[index];
    if (sandbox !== undefined) expect((await call('DEL', pod, sandbox)).code).toBe(0);
  }
  expect(await plane().kubectl(['get', 'ipamhandles', '-o', 'name'])).toBe('');
});

/** What the plugin needs in a race only: it takes back the claim of a block that another worker got, and removes a block that nobody has any more. */
const inARace = ['delete crd.projectcalico.org/blockaffinities', 'delete crd.projectcalico.org/ipamblocks'];

it('needs the rights that it has, and was refused none', async () => {
  const events = await plane().audit(({ groups }) => groups.includes(cni));
  expect(denied(events)).toEqual([]);
  const rules: readonly Rule[] = await rulesOf(plane(), 'clusterrole', cni);
  const idle = grantsOf(rules)
    .map(grantText)
    .filter((grant) => !used(events).has(grant));
  expect(idle).toEqual(inARace);
});
