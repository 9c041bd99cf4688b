import { answersFor, answersNow, preferenceOf } from '../../answers/answers.ts';
import { contains, hostPrefix, parseAddress, parsePrefix } from '../../model/address.ts';
import { entryAddresses } from '../../model/platform/entries.ts';
import { policyOfHost } from '../../model/platform/policies.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { AgentPart, Snapshot } from '../snapshot.ts';
import { shortOfAddresses, unhealthyClusters } from './entry.ts';
import type { DnsPart, Evidence, HealthPart, RoutePart } from './evidence.ts';

/** An object that is supposed to be down. */
export interface Down {
  readonly kind: (typeof downKinds)[number];
  readonly name: string;
}

export const downKinds = ['Site', 'Cluster', 'Blade', 'Worker'] as const;

const problem = 'is down, as supposed';

/**
 * What would be seen if these objects were down: their agents are silent, their endpoints are gone, an entry without a blade does not
 * answer, and DNS answers as the spec says for that health. Everything else stays as it was seen. Pure.
 */
export function suppose(platform: Platform, evidence: Evidence, downs: readonly Down[]): Evidence {
  if (downs.length === 0) return evidence;
  const isDown = ({ target }: Pick<AgentPart, 'target'>): boolean =>
    downs.some(
      ({ kind, name }) =>
        (kind === 'Site' && target.site === name) ||
        (kind === 'Cluster' && target.cluster === name) ||
        (kind === 'Blade' && target.plane === 'edge' && target.server === name) ||
        (kind === 'Worker' && target.plane === 'network' && target.server === name),
    );
  const agents = evidence.snapshot.agents.map(
    (part): AgentPart => (isDown(part) ? { target: part.target, problem } : part),
  );
  const snapshot = { ...evidence.snapshot, agents };
  const gone = prefixesOf(evidence.snapshot.agents.filter(isDown));
  const deadBlades = new Set(
    agents.flatMap(({ target }, at) => (evidence.snapshot.agents[at] !== agents[at] ? [target.server] : [])),
  );
  const routes = evidence.routes.map((part) => routeWithout(part, deadBlades, gone));
  const seen = sightOf(evidence);
  const health = seen.map((part) => healthAfter(platform, { snapshot, routes, downs }, part));
  const supposed = [...evidence.supposed, ...downs.map(({ kind, name }) => `${kind}/${name}`)];
  const after: Evidence = { ...evidence, snapshot, routes, health, supposed };
  return { ...after, dns: evidence.dns.map((part) => predicted(platform, after, part)) };
}

/** The health of the entries. Where nobody at all answers this machine, their silence says nothing of them: then it is not known. */
function sightOf({ health, snapshot }: Evidence): readonly HealthPart[] {
  const blind =
    snapshot.agents.every((part) => 'problem' in part) &&
    health.every((part) => !('healthy' in part) || (!part.healthy && !part.answered));
  if (!blind) return health;
  return health.map(({ cluster, address, policy }) => ({
    cluster,
    address,
    policy,
    problem: 'nothing of the platform answers this machine',
  }));
}

/** The prefixes of pods that these workers announce. */
function prefixesOf(parts: readonly AgentPart[]) {
  return parts.flatMap((part) =>
    'network' in part
      ? part.network.announced.flatMap((one) => (one.class === 'pods' ? (parsePrefix(one.prefix) ?? []) : []))
      : [],
  );
}

/** The answer of a blade without the endpoints that are gone; none of a blade that is down. */
function routeWithout(part: RoutePart, dead: ReadonlySet<string>, gone: ReturnType<typeof prefixesOf>): RoutePart {
  const { blade, pool, host, path } = part;
  if (dead.has(blade)) return { blade, pool, host, path, problem };
  if (!('answer' in part) || part.answer.backend === undefined) return part;
  const { backend } = part.answer;
  const endpoints = backend.endpoints.filter(({ address }) => {
    const parsed = parseAddress(address);
    return parsed === undefined || !gone.some((prefix) => contains(prefix, hostPrefix(parsed)));
  });
  const lost = backend.endpoints.length - endpoints.length;
  if (lost === 0) return part;
  const total = backend.total - lost;
  const left = { ...backend, endpoints, total, ready: Math.max(0, backend.ready - lost) };
  return { ...part, answer: { ...part.answer, backend: left, ...(total === 0 ? { refused: 'NoEndpoints' } : {}) } };
}

/** The health of an entry after that: it needs a blade that announces its VIP, and a pod. */
function healthAfter(
  platform: Platform,
  after: { readonly snapshot: Snapshot; readonly routes: readonly RoutePart[]; readonly downs: readonly Down[] },
  part: HealthPart,
): HealthPart {
  const { cluster, address, policy } = part;
  const spec = platform.clusters.get(cluster)?.spec;
  const down = (kind: Down['kind'], name: string): boolean =>
    after.downs.some((one) => one.kind === kind && one.name === name);
  const isGone = down('Cluster', cluster) || (spec?.sites ?? []).every((site) => down('Site', site));
  const fallen: HealthPart = { cluster, address, policy, healthy: false, answered: false, problem };
  if (isGone) return fallen;
  if (spec === undefined || !('edgePool' in spec.entry)) return part;
  const pool = spec.entry.edgePool;
  const announcers = after.snapshot.agents.filter(
    (one) =>
      one.target.pool === pool &&
      'edge' in one &&
      one.edge.vips.some((vip) => vip.address === address && vip.announced),
  );
  const touched = after.snapshot.agents.some(
    (one) => one.target.pool === pool && 'problem' in one && one.problem === problem,
  );
  if (announcers.length === 0) return touched ? fallen : part;
  const hosts = platform.policies.get(policy)?.spec.hosts ?? [];
  const answers = after.routes.flatMap((one) =>
    one.pool === pool && hosts.includes(one.host) && 'answer' in one ? [one.answer] : [],
  );
  const isEmpty = answers.length > 0 && answers.every(({ refused }) => refused === 'NoEndpoints');
  return isEmpty ? { ...fallen, answered: true, problem: 'would answer 503, because no endpoint is left' } : part;
}

/** What DNS would answer once its health checks have seen it. */
function predicted(platform: Platform, after: Evidence, part: DnsPart): DnsPart {
  const policy = policyOfHost(platform, part.host);
  if (policy === undefined) return part;
  const { server, host, country, subnet } = part;
  const { tiers } = preferenceOf(answersNow(platform, policy, after.snapshot.takenAtMs), country);
  const { name } = policy.metadata;
  const short = shortOfAddresses(platform, after, name).inAll;
  const clusters = [...answersFor(tiers, unhealthyClusters(after, name), short).keys()];
  const addresses = clusters.flatMap((cluster) => entryAddresses(platform, cluster).map(({ text }) => text));
  return {
    server: `${server} (as the spec says)`,
    host,
    ...(country === undefined ? {} : { country }),
    ...(subnet === undefined ? {} : { subnet }),
    addresses,
    rcode: 'NOERROR',
  };
}
