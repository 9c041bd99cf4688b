import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { Network } from '../../lab/net/network.ts';
import { sleeping, writeImage } from '../../lab/servers/image.ts';
import { findNodePrograms } from '../../lab/servers/programs.ts';
import { findRoot } from '../../lab/servers/root.ts';
import { bootServer, type Server } from '../../lab/servers/server.ts';
import { eventually, startTestControlPlane } from '../support/clusters/control-plane.ts';

const network = new Network();
const bridge = { namespace: 'switch', device: 'br0' };
const master = '10.77.1.1';
const image = 'lab.example/sleep:1';
const name = `worker${Date.now() % 100_000}`;
let folder: string;
let plane: ControlPlane;
let worker: Server;

const containerd = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${image}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;

const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: { anonymous: { enabled: false }, x509: { clientCAFile: '/etc/kubernetes/ca.crt' } },
  authorization: { mode: 'Webhook' },
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  resolvConf: '',
  evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
};

const unit = `[Unit]
After=containerd.service
[Service]
Restart=always
RestartSec=1
ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.json --kubeconfig=/etc/kubernetes/kubeconfig --node-ip=10.77.1.2
[Install]
WantedBy=multi-user.target
`;

const cni = {
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [{ type: 'bridge', bridge: 'pods0', isGateway: true, ipam: { type: 'host-local', subnet: '10.78.0.0/26' } }],
};

beforeAll(async () => {
  const [root, programs] = await Promise.all([findRoot(process.env), findNodePrograms(process.env)]);
  folder = await mkdtemp(join(tmpdir(), 'tideline-bare-'));
  for (const namespace of ['switch', 'master']) await network.addNamespace(namespace);
  await network.batch('switch', ['link add br0 type bridge', 'link set br0 up']);
  await network.link({ namespace: 'master', device: 'host0' }, { namespace: 'switch', device: 'port1' });
  await network.ip('switch', 'link', 'set', 'port1', 'master', 'br0');
  await network.ip('master', 'address', 'add', `${master}/24`, 'dev', 'host0');
  const boot = { name, root, folder: join(folder, name), network, bridge, addresses: ['10.77.1.2/24'] };
  const routes = [`default via ${master}`];
  [plane, worker] = await Promise.all([
    startTestControlPlane({ network, namespace: 'master', address: master }),
    bootServer({ ...boot, routes }),
    writeImage(join(folder, 'image.tar'), image, root, sleeping),
  ]);
  const kubeconfig = await plane.kubeconfigFor({ user: `system:node:${name}`, groups: ['system:nodes'] });
  await Promise.all([
    worker.copyIn(join(programs, 'kubelet'), '/usr/local/bin/kubelet'),
    worker.copyIn(join(folder, 'image.tar'), '/srv/image.tar'),
    worker.copyIn(kubeconfig, '/etc/kubernetes/kubeconfig'),
    worker.copyIn(plane.authority, '/etc/kubernetes/ca.crt'),
    worker.write('/etc/kubernetes/kubelet.json', JSON.stringify(kubelet)),
    worker.write('/etc/containerd/config.toml', containerd),
    worker.write('/etc/cni/net.d/10-pods.conflist', JSON.stringify(cni)),
    worker.write('/etc/systemd/system/kubelet.service', unit),
  ]);
  await worker.exec('systemctl daemon-reload; systemctl --quiet enable --now containerd kubelet');
  await worker.exec('ctr -n k8s.io images import /srv/image.tar');
});

afterAll(async () => {
  await plane?.stop();
  await worker?.remove();
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

interface Conditions {
  readonly status?: {
    readonly podIP?: string;
    readonly nodeInfo?: { readonly kubeletVersion: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Resolves with the object at the path once it is Ready. */
const ready = (path: string): Promise<Conditions> =>
  eventually(`${path} is Ready`, async () => {
    const object = await plane.read<Conditions>(path);
    return object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && object;
  });

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'first', namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'only', image, imagePullPolicy: 'Never' }] },
};

describe('a bare server', () => {
  test('becomes a Ready node of a real control plane', async () => {
    const node = await ready(`/api/v1/nodes/${name}`);
    expect(await worker.exec('kubelet --version')).toBe(`Kubernetes ${node.status?.nodeInfo?.kubeletVersion}\n`);
  });

  test('runs a pod, whose container is a process of the server', async () => {
    await plane.apply(pod);
    const { status } = await ready('/api/v1/namespaces/default/pods/first');
    expect(status?.podIP).toMatch(/^10\.78\.0\./);
    expect(await worker.exec('pgrep -c sleep')).toBe('2\n');
    expect(await worker.exec(`ping -c 1 -W 5 ${status?.podIP}`)).toContain('1 received');
  });

  test('has its pod again after a power cut', async () => {
    await worker.powerCut();
    await worker.powerOn();
    await eventually('the pod runs again', async () => (await worker.exec('pgrep -c sleep || true')) === '2\n');
    await ready('/api/v1/namespaces/default/pods/first');
  });
});
