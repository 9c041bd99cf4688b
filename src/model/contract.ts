/**
 * Names, paths and ports that programs of different rooms share: an agent and its clients, ExaBGP's relay and the agent
 * beside it, nginx and the health checks of a DNS provider. Each is stated here once. A change of one breaks the programs on
 * servers that run another version of Tideline.
 */

/** API group of the platform spec, and the prefix of every name of ours in other people's objects. */
export const apiGroup = 'tideline.dev';
export const apiVersion = `${apiGroup}/v1alpha1`;

/** The controller that our IngressClass objects name: an Ingress of such a class is ours to serve. */
export const ingressController = `${apiGroup}/edge`;

/** Namespace of the objects that Tideline runs inside a cluster, and of its Leases. */
export const systemNamespace = 'tideline-system';

/**
 * The KiB of the longest certificate and key that an EdgePool may allow: sixteen certificates of RSA 4096 fit. Sources drop what is
 * longer when they read it.
 */
export const mostPairKiB = 64;

/** Folder of the sockets and files of one server's agents, unless `--run-dir` names another one. */
export const defaultRunDir = '/run/tideline';

/** File names in the run directory. */
export const runFiles = {
  /** Unix socket of ExaBGP's relay, see `src/bgp/README.md`. */
  relaySocket: 'bgp.sock',
  /** Unix socket of nginx's control server, in a folder of its own that is closed to others; `lua/start.lua` names both too. */
  nginxSocket: 'nginx-control/nginx.sock',
  nginxErrorLog: 'nginx-error.log',
  /** What only the master of nginx says; its workers read it. `lua/memory.lua` names it too. */
  nginxAlerts: 'nginx-alerts.log',
  nginxAccessLog: 'nginx-access.log',
  /** The last good state of the cluster, for a blade that starts without one. */
  edgeSnapshot: 'edge-snapshot.json',
  /** The last good certificates of Secrets that are broken or gone. */
  edgeCertificates: 'edge-certificates.json',
  /** The VIPs that were in force, for an agent that starts after an edit took one out of its pool. */
  edgeVips: 'edge-vips.json',
  /** The last good state of the cluster, for a worker that starts without one. */
  networkSnapshot: 'network-snapshot.json',
  /** Folder of compiled modules, in Node's own format. */
  compileCache: 'cache',
} as const;

/**
 * File in the state folder by which a person accepts an implausible loss of this cluster's objects. Each agent (`edge`, `network`) of
 * a server has its own: the one that reads a file first removes it.
 */
export function acceptFileOf(agent: string, cluster: string): string {
  return `accept-${agent}-${cluster}`;
}

/** File in the state folder of what was in force of the platform spec in the API of this cluster, for an agent (`edge`, `network`). */
export function specApiFileOf(agent: string, cluster: string): string {
  return `platform-${agent}-${cluster}.json`;
}

/** The cluster in the name of such a file of an agent that renders (`edge`, `network`); undefined for another file. */
export function clusterOfSpecApiFile(name: string): string | undefined {
  return /^platform-(?:edge|network)-(.+)\.json$/.exec(name)?.[1];
}

/** File in the state folder of what the folder of the platform spec said last when it was good, for an agent (`edge`, `network`). */
export function folderCopyOf(agent: string): string {
  return `platform-${agent}.json`;
}

/** File in the state folder with what this agent, of this cluster if it has one, decided; a second one ends in `.1`. */
export function historyFileOf(agent: string, cluster: string | undefined): string {
  return `${['history', agent, ...(cluster === undefined ? [] : [cluster])].join('-')}.jsonl`;
}

/** File in the state folder of the steering agent with the zones that it has planned. */
export const knownZonesFile = 'steering-zones.json';

/** Folder in the state folder of a scaling agent with what was measured of demand. */
export function demandHistoryOf(cluster: string): string {
  return `demand-${cluster}`;
}

/** Default ports of the agents' own HTTP endpoint. */
export const agentPorts = { network: 9463, edge: 9464, steering: 9465, scaling: 9466 } as const;

/** Default port on which a scaling agent serves the metrics APIs to the aggregator of its cluster. */
export const metricsApiPort = 9467;

/** The Service by which the aggregator of a cluster finds the metrics APIs, in the system namespace. */
export const metricsApiService = 'tideline-scaling';

/** The name that the certificate of its servers must have. */
export const metricsApiName = `${metricsApiService}.${systemNamespace}.svc`;

/** File in the state folder of a scaling agent with what it must not forget by a restart. */
export function scalingMemoryFileOf(cluster: string): string {
  return `scaling-${cluster}.json`;
}

/** Paths of an agent's HTTP endpoint. */
export const agentPaths = {
  metrics: '/metrics',
  status: '/status',
  /** Says whether the agent's server does its work. */
  health: '/healthz',
  /** Only says that the agent answers. */
  alive: '/livez',
  /** What the agent decided since the moment that `since` of the query names (`AgentHistory`). */
  history: '/history',
  /** Of a blade: the little that other blades ask (`BladeVips`). */
  vips: '/vips',
  /** Of a blade: what its table does with the request that `host` and `path` of the query name (`RouteAnswer`). */
  route: '/status/route',
} as const;

/** What an agent says to a path that it does not know, and no other program does. */
export const nothingHere = 'try /metrics, /status, /healthz or /livez';

/** Paths that every blade answers itself, for any host, before it looks at any route; `lua/answers.lua` names `health` too. */
export const bladePaths = {
  /** Prefix of all these paths: no Ingress can take a path below it. */
  reserved: '/.well-known/tideline/',
  /** Says which nginx answers; the blade's own probe asks here. */
  blade: '/.well-known/tideline/blade',
  /** Prefix of the health of each traffic policy; health checks of DNS providers ask here. */
  health: '/.well-known/tideline/health/',
} as const;

/** Path of the health of one traffic policy. */
export function healthPathOf(policy: string): string {
  return `${bladePaths.health}${policy}`;
}

/** The name by which a host is asked for: below a wildcard one that stands for all, because no client sends a `*`. */
export function probeNameOf(host: string): string {
  return host.startsWith('*.') ? `tideline-health${host.slice(1)}` : host;
}
