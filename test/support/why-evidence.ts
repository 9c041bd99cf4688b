import { findObject } from '../../src/model/platform/find.ts';
import type { AgentPart, EdgePart, NetworkPart, Snapshot } from '../../src/observe/snapshot.ts';
import { bladeTargets, workerTargets } from '../../src/observe/targets.ts';
import type { DnsPart, Evidence, HealthPart, RoutePart, RouteReading } from '../../src/observe/why/evidence.ts';
import type { Question } from '../../src/observe/why/questions.ts';
import { loadPlatformOrThrow } from '../../src/platform/load.ts';

/** The example, where everything is well; each case changes one thing. */
export const platform = await loadPlatformOrThrow(['examples/hybrid']);
export const policy = findObject(platform, 'TrafficPolicy', 'video');

export const takenAtMs = Date.UTC(2026, 10, 27, 14, 2, 51);
export const host = 'www.video.example';
export const source = { phase: 'live' as const, sinceMs: 0, servingSnapshot: false };
export const up = { address: '10.1.0.1', up: true };
export const down = { address: '10.1.0.1', up: false, reason: 'hold timer expired' };
export const vips: Readonly<Record<string, string>> = {
  paris: '192.0.2.10',
  newyork: '198.51.100.10',
  cloud: '203.0.113.10',
};

export const edge = (blade: string, cluster: string, change: Partial<EdgePart> = {}): EdgePart => ({
  startedAtMs: 0,
  platform: { phase: 'current' },
  source,
  cluster,
  blade,
  pool: `${cluster}-edge`,
  vipsMissing: {},
  doubts: [],
  accepted: [],
  nginx: { activeConnections: 3 },
  vips: [{ address: vips[cluster] ?? '', fit: true, announced: true, reasons: [] }],
  bgp: { refusals: [], relay: 'synced', neighbors: [up] },
  draining: false,
  policies: [{ policy: 'video', healthy: true, reason: 'BackendsServing' }],
  conditions: { accepted: 1, partial: 0, refused: 0 },
  ...change,
});

export const blockOf = (worker: string): string =>
  `${worker.startsWith('paris') ? '10.10' : '10.20'}.${worker.at(-1)}.0/26`;
export const network = (node: string, cluster: string, change: Partial<NetworkPart> = {}): NetworkPart => ({
  startedAtMs: 0,
  platform: { phase: 'current' },
  source,
  cluster,
  node,
  doubts: [],
  accepted: [],
  action: 'announce',
  wanted: [{ prefix: blockOf(node) }],
  announced: [{ prefix: blockOf(node), class: 'pods' }],
  refusals: [],
  notices: [],
  blackholes: { wanted: [blockOf(node)], installed: [blockOf(node)] },
  relay: 'synced',
  neighbors: [up],
  ...change,
});

export type Change = Partial<EdgePart> | Partial<NetworkPart> | string;

/** Of an agent that lets this machine not in. */
export const closed = 'refuses to answer: ForeignNetwork (HTTP 403)';

/** Every agent; by server, what is different about it, or why it does not answer. */
export function agents(changes: Readonly<Record<string, Change>> = {}): readonly AgentPart[] {
  const workers = ['paris', 'newyork'].flatMap((cluster) =>
    workerTargets(
      platform,
      cluster,
      [1, 2].map((index) => ({
        name: `${cluster}-worker-${index}`,
        address: cluster === 'paris' ? `10.1.0.1${index}` : `10.2.0.1${index}`,
      })),
    ),
  );
  return [...bladeTargets(platform), ...workers].map((target): AgentPart => {
    const change = changes[target.server] ?? {};
    if (change === closed) return { target, problem: closed, refuses: true };
    if (typeof change === 'string') return { target, problem: change };
    return target.plane === 'edge'
      ? { target, edge: edge(target.server, target.cluster, change as Partial<EdgePart>), ageMs: 2 }
      : { target, network: network(target.server, target.cluster, change as Partial<NetworkPart>), ageMs: 2 };
  });
}

export function snapshot(changes: Readonly<Record<string, Change>> = {}): Snapshot {
  const clusters = [...platform.clusters.keys()].map((name) => ({ name }));
  return { takenAtMs, clusters, pools: [], agents: agents(changes), drains: [] };
}

export const reading: RouteReading = {
  blade: '',
  rule: { host, match: 'prefix', path: '/' },
  ingress: 'video/web',
  faulty: [],
  backend: {
    service: 'video/web',
    port: '80',
    exists: true,
    ready: 2,
    total: 2,
    endpoints: [
      { address: '10.10.1.1', port: 8080 },
      { address: '10.10.2.1', port: 8080 },
    ],
    problems: [],
  },
};

/** What every blade answers; the pods are those of its own cluster. */
export function routes(change: Partial<RouteReading> | ((part: RoutePart) => RoutePart) = {}): readonly RoutePart[] {
  return bladeTargets(platform).map(({ server, cluster, pool = '' }) => {
    const endpoints = [1, 2].map((index) => ({
      address: `${cluster === 'paris' ? '10.10' : '10.20'}.${index}.1`,
      port: 8080,
    }));
    const more = typeof change === 'function' ? {} : change;
    const part: RoutePart = {
      blade: server,
      pool,
      host,
      path: '/',
      answer: {
        ...reading,
        blade: server,
        backend: { ...(reading.backend as NonNullable<RouteReading['backend']>), endpoints },
        ...more,
      },
    };
    return typeof change === 'function' ? change(part) : part;
  });
}

export const health = (changes: Readonly<Record<string, Partial<HealthPart>>> = {}): readonly HealthPart[] =>
  Object.entries(vips).map(([cluster, address]) => ({
    cluster,
    address,
    policy: 'video',
    healthy: true,
    ...(changes[cluster] as object | undefined),
  }));

export const dns = (country: string | undefined, addresses: readonly string[] | string): readonly DnsPart[] => [
  {
    server: '198.18.53.1',
    host,
    ...(country === undefined ? {} : { country, subnet: '176.128.0.0/24' }),
    ...(typeof addresses === 'string'
      ? { problem: addresses }
      : { addresses, rcode: addresses.length === 0 ? 'NXDOMAIN' : 'NOERROR' }),
  },
];

export const well: Evidence = {
  snapshot: snapshot(),
  dns: [...dns('FR', ['192.0.2.10']), ...dns(undefined, ['203.0.113.10'])],
  records: [{ host, records: ['the record'] }],
  health: health(),
  routes: routes(),
  pods: [{ cluster: 'paris', pods: [{ name: 'video/web-1', node: 'paris-worker-1', phase: 'Running' }] }],
  supposed: [],
};

export const france: Question = { kind: 'country', country: 'FR', hosts: [{ host, policy }] };
export const wholeHost: Question = { kind: 'host', asked: { host, path: '/' }, policy };
export const pod: Question = { kind: 'pod', address: { family: 4, text: '10.10.1.1' } };
export const prefix = (text: string): Question => {
  const [networkText = '', length] = text.split('/');
  return { kind: 'route', prefix: { family: 4, network: networkText, length: Number(length), text } };
};
export const blade: Question = { kind: 'blade', blade: 'paris-blade-1' };
