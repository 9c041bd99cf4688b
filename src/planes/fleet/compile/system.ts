import { hasFelix, type ServerContext } from './context.ts';
import type { System } from './document.ts';

/** What concerns the whole machine: packages, kernel, users, disks. */
export function systemOf(server: ServerContext): System {
  const roles = new Set(server.server.roles);
  const nodes = roles.has('worker');
  return {
    packages: packages(server).toSorted(),
    held: server.class.gpus === undefined || !nodes ? {} : { 'nvidia-driver': server.class.gpus.driver },
    modules: nodes ? ['br_netfilter', 'nf_conntrack', 'nf_tables', 'overlay'] : [],
    sysctl: { ...everywhere, ...(nodes ? ofNodes(server) : {}), ...(roles.has('blade') ? ofBlades : {}) },
    hosts: hosts(server),
    users: users(server),
    mounts: mounts(server),
  };
}

const announcers = ['exabgp', 'iproute2', 'python3'];

function packages(context: ServerContext): readonly string[] {
  const {
    server,
    fleet,
    class: { gpus },
  } = context;
  const of = {
    etcd: [],
    'control-plane': [...announcers, 'curl'],
    worker: [
      ...announcers,
      'conntrack',
      'ethtool',
      ...(hasFelix(context) ? ['ipset'] : []),
      'iptables',
      'nftables',
      'socat',
      ...(gpus === undefined ? [] : ['nvidia-container-toolkit', 'nvidia-driver']),
    ],
    blade: [...announcers, 'libnginx-mod-http-lua', 'lua-cjson', 'nginx-light'],
  };
  const measured = fleet.monitoring === undefined ? [] : ['prometheus-node-exporter'];
  return [...new Set([...server.roles.flatMap((role) => of[role]), ...measured])];
}

/** With two routers a packet may come by the one and leave by the other. */
const everywhere = {
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'net.ipv4.conf.all.rp_filter': '2',
  'net.ipv4.conf.default.rp_filter': '2',
  'net.ipv4.fib_multipath_hash_policy': '1',
};

/** The kubelet refuses to start where these of `vm` and `kernel` are others (`protectKernelDefaults`). */
function ofNodes({ fleet, class: { maxPods } }: ServerContext): Readonly<Record<string, string>> {
  const six = fleet.network.pods.some(({ family }) => family === 6);
  return {
    'fs.inotify.max_user_instances': '8192',
    'fs.inotify.max_user_watches': '524288',
    'kernel.keys.root_maxbytes': '25000000',
    'kernel.keys.root_maxkeys': '1000000',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.ipv4.ip_forward': '1',
    ...(six ? { 'net.ipv6.conf.all.forwarding': '1' } : {}),
    'net.netfilter.nf_conntrack_max': String(Math.max(262_144, maxPods * 4096)),
    'vm.overcommit_memory': '1',
    'vm.panic_on_oom': '0',
  };
}

const ofBlades = {
  'net.core.somaxconn': '65535',
  'net.ipv4.ip_local_port_range': '1024 65535',
  'net.ipv4.tcp_max_syn_backlog': '65535',
};

/** Its own name, and the names of the API, which need no DNS then. */
function hosts({ id, fleet, server }: ServerContext): System['hosts'] {
  const own = server.addresses.map(({ text }) => [text, [id]] as const);
  const api = fleet.api.names.length === 0 ? [] : [[fleet.api.vip.text, fleet.api.names] as const];
  return Object.fromEntries([...own, ...api]);
}

function users({ server }: ServerContext): System['users'] {
  const of = {
    etcd: { etcd: '/var/lib/etcd' },
    'control-plane': {
      'kube-apiserver': '/nonexistent',
      'kube-controller-manager': '/nonexistent',
      'kube-scheduler': '/nonexistent',
      'tideline-vip': '/nonexistent',
    },
    worker: { 'kube-proxy': '/nonexistent', tideline: '/nonexistent' },
    blade: { tideline: '/nonexistent' },
  } as const satisfies Record<string, Readonly<Record<string, string>>>;
  const wanted = server.roles.flatMap((role): readonly (readonly [string, string])[] => Object.entries(of[role]));
  return Object.fromEntries(wanted.map(([name, home]) => [name, { home }]));
}

const places = {
  etcd: { path: '/var/lib/etcd', filesystem: 'ext4', role: 'etcd' },
  containers: { path: '/var/lib/containerd', filesystem: 'xfs', role: 'worker' },
} as const;

/** Disks of what the server does. Of several for one use the first counts. */
function mounts({ server, class: { disks } }: ServerContext): System['mounts'] {
  const wanted = disks.toReversed().filter(({ use }) => server.roles.includes(places[use].role));
  return Object.fromEntries(
    wanted.map(({ device, use }) => [places[use].path, { device, filesystem: places[use].filesystem }]),
  );
}
