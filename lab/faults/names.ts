/** The effect of every fault, by name. It stands apart from the code, so that the help need not load that. */
export const faultSummaries = {
  'agents-killed': 'SIGKILL to every tideline agent; systemd (the lab) starts them again',
  'blade-drained': 'a Drain object takes the blade out of service on purpose',
  'blade-killed': 'the blade loses its power: its processes die and its link goes down',
  'cloud-pods-lost':
    'every pod of a cloud region dies, and its part of the load balancer goes on: users are led to the next region',
  'cloud-region-lost': 'a cloud region dies; the anycast address is served by another one',
  'cluster-lost': 'a whole data centre dies: servers, pods, router, uplinks',
  'control-plane-lost':
    'with --kubernetes: a part of a control plane is killed, or the kube-apiserver frozen (SIGSTOP), until it is healed',
  'exabgp-killed': 'SIGKILL to ExaBGP of one server, or of all; systemd (the lab) starts it again',
  'flash-crowd':
    'users of a continent send a hundred requests a second more; a cloud region that is full spills to the next one',
  'input-lost':
    "the cluster's manifests vanish, become empty, or turn into garbage; with --kubernetes its kube-apiserver is cut off",
  'nginx-killed': 'SIGKILL to nginx of one blade; systemd (the lab) starts it again',
  'program-frozen': 'SIGSTOP to one program of a server: it hangs, with its sockets open, until it is healed',
  'program-stopped': 'one program of a server is killed and stays down, as after systemctl stop',
  'session-shut': 'the rack router shuts its BGP session with a server (administrative shutdown)',
  'uplink-cut': 'one uplink of a data centre goes down',
  'worker-killed': 'the worker loses its power, its pods with it; Kubernetes notices after its grace time',
} as const;

export type FaultName = keyof typeof faultSummaries;
