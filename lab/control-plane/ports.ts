/** The ports of a control plane's components; each control plane has an address of its own. */
export const ports = {
  apiserver: 6443,
  etcd: 2379,
  etcdPeers: 2380,
  controllerManager: 10257,
  scheduler: 10259,
} as const;
