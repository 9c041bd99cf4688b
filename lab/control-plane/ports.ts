/** Where the parts of a control plane listen, each on an address that no other control plane has. */
export const ports = {
  apiserver: 6443,
  etcd: 2379,
  etcdPeers: 2380,
  controllerManager: 10257,
  scheduler: 10259,
} as const;
