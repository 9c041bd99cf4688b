import type { ServerRole } from '../../../model/spec/kinds/server.ts';
import { edge, exabgp, networkAgent } from './components/agents.ts';
import { apiVip } from './components/api-vip.ts';
import { cni } from './components/cni.ts';
import { common } from './components/common.ts';
import { containerd } from './components/containerd.ts';
import { etcd } from './components/etcd.ts';
import { felix } from './components/felix.ts';
import { gpu } from './components/gpu.ts';
import { kubeApiserver } from './components/kube-apiserver.ts';
import { kubeControllerManager } from './components/kube-controller-manager.ts';
import { kubeProxy } from './components/kube-proxy.ts';
import { kubeScheduler } from './components/kube-scheduler.ts';
import { kubelet } from './components/kubelet.ts';
import { monitoring } from './components/monitoring.ts';
import { pki } from './components/pki.ts';
import { hasFelix, type ServerContext } from './context.ts';
import { type Component, componentNames, type ServerPki, type System } from './document.ts';

type Make = (server: ServerContext) => Component;

/** What a server of each role runs. Control planes are no nodes: no pod ever runs beside the API. */
const ofRole: Readonly<Record<ServerRole, readonly Make[]>> = {
  etcd: [etcd],
  'control-plane': [kubeApiserver, kubeControllerManager, kubeScheduler, apiVip],
  worker: [containerd, cni, kubelet, kubeProxy, exabgp, networkAgent],
  blade: [exabgp, edge],
};

/** The components of a server in the order in which they are set up: that of `componentNames`. */
export function componentsOf(server: ServerContext, system: System, certificates: ServerPki): readonly Component[] {
  const { roles } = server.server;
  const made = roles.flatMap((role) => ofRole[role]).map((make) => make(server));
  const gpus = roles.includes('worker') && server.class.gpus !== undefined ? [gpu(server)] : [];
  const policies = roles.includes('worker') && hasFelix(server) ? [felix(server)] : [];
  const measured = server.fleet.monitoring === undefined ? [] : [monitoring(server)];
  return [common(server, system), pki(certificates), ...gpus, ...policies, ...made, ...measured].toSorted(
    (a, b) => componentNames.indexOf(a.name) - componentNames.indexOf(b.name),
  );
}
