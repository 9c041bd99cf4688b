import { join } from 'node:path';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { Network } from '../../../lab/net/network.ts';
import { sleeping, writeImage } from '../../../lab/servers/image.ts';
import { findNodePrograms } from '../../../lab/servers/programs.ts';
import { findRoot } from '../../../lab/servers/root.ts';
import { bootServer, type Server } from '../../../lab/servers/server.ts';
import { startTestControlPlane } from '../clusters/control-plane.ts';

/** The only image of a lone worker; its container sleeps. It comes from no registry. */
export const image = 'lab.example/sleep:1';

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

const unit = (flags: string) => `[Unit]
After=containerd.service
[Service]
Restart=always
RestartSec=1
ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.json --kubeconfig=/etc/kubernetes/kubeconfig --node-ip=10.77.1.2${flags}
[Install]
WantedBy=multi-user.target
`;

export interface LoneWorker {
  readonly plane: ControlPlane;
  readonly worker: Server;
  /** Starts containerd, kubelet and these units, when the plugins of the network are there. */
  readonly start: (...units: readonly string[]) => Promise<void>;
}

/** A bare server with all that it needs to be the Node of a control plane, by settings of the tests; nothing runs on it yet. */
export async function bootLoneWorker(options: {
  readonly network: Network;
  readonly folder: string;
  readonly name: string;
  /** Further flags of the kubelet. */
  readonly flags?: readonly string[];
}): Promise<LoneWorker> {
  const { network, folder, name, flags = [] } = options;
  const bridge = { namespace: 'switch', device: 'br0' };
  const master = '10.77.1.1';
  const [root, programs] = await Promise.all([findRoot(process.env), findNodePrograms(process.env)]);
  for (const namespace of ['switch', 'master']) await network.addNamespace(namespace);
  await network.batch('switch', ['link add br0 type bridge', 'link set br0 up']);
  await network.link({ namespace: 'master', device: 'host0' }, { namespace: 'switch', device: 'port1' });
  await network.ip('switch', 'link', 'set', 'port1', 'master', 'br0');
  await network.ip('master', 'address', 'add', `${master}/24`, 'dev', 'host0');
  const boot = { name, root, folder: join(folder, name), network, bridge, addresses: ['10.77.1.2/24'] };
  const [plane, worker] = await Promise.all([
    startTestControlPlane({ network, namespace: 'master', address: master }),
    bootServer({ ...boot, routes: [`default via ${master}`] }),
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
    worker.write('/etc/systemd/system/kubelet.service', unit(flags.map((flag) => ` ${flag}`).join(''))),
  ]);
  return {
    plane,
    worker,
    async start(...units) {
      await worker.exec(
        `systemctl daemon-reload; systemctl --quiet enable --now containerd kubelet ${units.join(' ')}`,
      );
      await worker.exec('ctr -n k8s.io images import /srv/image.tar');
    },
  };
}
