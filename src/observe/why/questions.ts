import { type Address, contains, hostPrefix, type Prefix } from '../../model/address.ts';
import { clustersOfPolicy } from '../../model/platform/policies.ts';
import type { Site, TrafficPolicy } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { bladeHops } from './blade.ts';
import { type Chain, fails, type Hop, holds, markConsequences, unknown, verdictOf } from './chain.ts';
import { dnsHops } from './dns.ts';
import { entryHops, poolHops } from './entry.ts';
import type { Asked, Evidence } from './evidence.ts';
import { routeOfServer } from './server.ts';
import { routeOfWorker } from './worker.ts';

/** A question, with its names resolved. */
export type Question =
  | { readonly kind: 'host'; readonly asked: Asked; readonly policy?: TrafficPolicy }
  | { readonly kind: 'country'; readonly country?: string; readonly hosts: readonly HostOfPolicy[] }
  | { readonly kind: 'pod'; readonly address: Address }
  | { readonly kind: 'route'; readonly prefix: Prefix }
  | { readonly kind: 'blade'; readonly blade: string };

export interface HostOfPolicy {
  readonly host: string;
  readonly policy: TrafficPolicy;
}

/** The whole chain of a question, from what was asked. Pure: the same evidence gives the same answer. */
export function answer(platform: Platform, evidence: Evidence, question: Question): Chain {
  const { outcome, hops } = answered(platform, evidence, question);
  return { question: textOf(question), supposed: evidence.supposed, outcome, ...verdictOf(hops) };
}

function textOf(question: Question): string {
  switch (question.kind) {
    case 'host':
      return `host ${question.asked.host}${question.asked.path}`;
    case 'country':
      return `country ${question.country ?? 'unknown'}`;
    case 'pod':
      return `pod ${question.address.text}`;
    case 'route':
      return `route ${question.prefix.text}`;
    case 'blade':
      return `blade ${question.blade}`;
  }
}

type Answered = Pick<Chain, 'outcome' | 'hops'>;

function answered(platform: Platform, evidence: Evidence, question: Question): Answered {
  switch (question.kind) {
    case 'host':
      return hostHops(platform, evidence, question.asked, question.policy);
    case 'country': {
      const parts = question.hosts.map((one) => countryHops(platform, evidence, one, question.country));
      return { outcome: parts.flatMap(({ outcome }) => outcome), hops: parts.flatMap(({ hops }) => hops) };
    }
    case 'pod':
      return { outcome: [], hops: podHops(platform, evidence, question.address) };
    case 'route':
      return { outcome: [], hops: routeHops(platform, evidence, question.prefix) };
    case 'blade':
      return { outcome: [], hops: bladeHops(platform, evidence.snapshot, question.blade) };
  }
}

/** Every cluster that may answer for the host, those first that do so for users of unknown location. */
function hostHops(platform: Platform, evidence: Evidence, asked: Asked, policy: TrafficPolicy | undefined): Answered {
  if (policy === undefined) return { outcome: [], hops: privateHostHops(platform, evidence, asked) };
  const { hops, clusters, outcome } = dnsHops(platform, evidence, { policy, host: asked.host });
  const all = [...new Set([...clusters, ...clustersOfPolicy(policy)])];
  const ways = all.flatMap((cluster) =>
    entryHops(platform, evidence, { cluster, policy: policy.metadata.name, asked }),
  );
  return { outcome: [outcome], hops: [...hops, ...ways] };
}

/** A host that no policy names: DNS is not ours, and any pool may serve it. */
function privateHostHops(platform: Platform, evidence: Evidence, asked: Asked): readonly Hop[] {
  const spec = holds('spec', asked.host, 'is named by no TrafficPolicy: its records are not written by Tideline');
  const serving = [...platform.edgePools.values()].filter(({ metadata }) =>
    evidence.routes.some(
      (part) =>
        part.pool === metadata.name &&
        'answer' in part &&
        !['HostUnknown', 'NoTable'].includes(part.answer.refused ?? ''),
    ),
  );
  if (serving.length > 0) return [spec, ...serving.flatMap((pool) => poolHops(evidence, pool, asked))];
  const silent = evidence.routes.filter((part) => 'problem' in part);
  const problems = evidence.routes.flatMap((part) =>
    'answer' in part ? part.answer.faulty.flatMap((one) => one.problems) : [],
  );
  const because = problems[0] === undefined ? '' : `; ${problems[0].message} (${problems[0].reason})`;
  if (silent.length > 0)
    return [
      spec,
      unknown(
        'rule',
        asked.host,
        `is served by no blade that answers; ${silent.length} of ${evidence.routes.length} are silent`,
      ),
    ];
  return [
    spec,
    fails('rule', asked.host, 'HostUnknown', `is served by none of the ${evidence.routes.length} blades${because}`),
  ];
}

/** The clusters that answer now, and before them those that the spec would rather have and that are not healthy. */
function countryHops(
  platform: Platform,
  evidence: Evidence,
  { host, policy }: HostOfPolicy,
  country: string | undefined,
): Answered {
  const { hops, clusters, wanted, outcome } = dnsHops(platform, evidence, {
    policy,
    host,
    ...(country === undefined ? {} : { country }),
  });
  const asked = { host, path: '/' };
  const all = [...new Set([...wanted, ...clusters])];
  const ways = all.flatMap((cluster) =>
    entryHops(platform, evidence, { cluster, policy: policy.metadata.name, asked }),
  );
  return { outcome: [outcome], hops: [...hops, ...ways] };
}

function podHops(platform: Platform, evidence: Evidence, address: Address): readonly Hop[] {
  const host = hostPrefix(address);
  const site = siteHolding(platform, host, 'pods');
  const { text } = address;
  if (site === undefined) return [fails('spec', text, 'AddressOutsideSites', 'lies in the pod prefixes of no Site')];
  const spec = holds('spec', text, `lies in the pod prefixes of site ${site.metadata.name}`);
  const clusters = clustersOfSite(platform, site);
  const parts = evidence.pods.filter(({ cluster }) => clusters.includes(cluster));
  const found = parts.flatMap((part) =>
    'pods' in part ? part.pods.map((pod) => ({ ...pod, cluster: part.cluster })) : [],
  );
  const [pod] = found;
  if (pod !== undefined) {
    const what = `is Pod ${pod.name} of cluster ${pod.cluster} on ${pod.node ?? 'no worker yet'}, ${pod.phase ?? 'phase unknown'}`;
    const way = { prefix: host, cluster: pod.cluster, ...(pod.node === undefined ? {} : { node: pod.node }) };
    return [spec, holds('pod', text, what), ...routeOfWorker(evidence.snapshot, way)];
  }
  const problems = parts.flatMap((part) => ('problem' in part ? [`cluster ${part.cluster}: ${part.problem}`] : []));
  const missing =
    problems.length > 0 || parts.length === 0
      ? unknown('pod', text, `may be a Pod or not: ${problems.join('; ') || 'no cluster was asked'}`)
      : fails('pod', text, 'PodMissing', `is the address of no Pod that cluster ${clusters.join(', ')} lists`);
  return [spec, missing, ...clusters.flatMap((cluster) => routeOfWorker(evidence.snapshot, { prefix: host, cluster }))];
}

function routeHops(platform: Platform, evidence: Evidence, prefix: Prefix): readonly Hop[] {
  for (const kind of ['pods', 'servers', 'vips'] as const) {
    const site = siteHolding(platform, prefix, kind);
    if (site === undefined) continue;
    const spec = holds('spec', prefix.text, `lies in the ${kind} prefixes of site ${site.metadata.name}`);
    const clusters = clustersOfSite(platform, site);
    if (kind === 'pods')
      return [spec, ...clusters.flatMap((cluster) => routeOfWorker(evidence.snapshot, { prefix, cluster }))];
    if (kind === 'servers') return [spec, ...routeOfServer(evidence.snapshot, prefix)];
    const pools = [...platform.edgePools.values()].filter(({ spec: { vips } }) =>
      vips.some(({ address }) => contains(prefix, hostPrefix(address))),
    );
    if (pools.length === 0)
      return [spec, unknown('VIP', prefix.text, 'is the VIP of no EdgePool; what a cloud announces is not known here')];
    return [
      spec,
      ...markConsequences(
        pools.flatMap((pool) => poolHops(evidence, pool, undefined)),
        new Set(),
      ),
    ];
  }
  return [fails('spec', prefix.text, 'AddressOutsideSites', 'lies in the prefixes of no Site')];
}

function siteHolding(platform: Platform, prefix: Prefix, kind: 'pods' | 'servers' | 'vips'): Site | undefined {
  return [...platform.sites.values()].find(({ spec }) => spec.prefixes[kind].some((one) => contains(one, prefix)));
}

function clustersOfSite(platform: Platform, { metadata }: Site): readonly string[] {
  return [...platform.clusters.values()]
    .filter(({ spec }) => spec.sites.includes(metadata.name))
    .map((one) => one.metadata.name);
}
