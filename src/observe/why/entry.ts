import { entryAddresses } from '../../model/platform/entries.ts';
import type { EdgePool } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { type AgentPart, type EdgePart, isCarried } from '../snapshot.ts';
import { inputHops, silence } from './agent.ts';
import { nginxHop, reasonsAgainst } from './blade.ts';
import { fails, type Hop, type HopName, holds, markConsequences, unknown } from './chain.ts';
import type { Asked, Evidence, HealthPart } from './evidence.ts';
import { ruleHops } from './rule.ts';

/** A cluster as users meet it, and what they ask for there. */
interface Entry {
  readonly cluster: string;
  readonly policy?: string;
  readonly asked?: Asked;
}

const composite: ReadonlySet<HopName> = new Set(['health']);

/** From the entry of a cluster to the pods: health, VIP, who announces it, blade, rule, Service, endpoints, worker, block, kernel. */
export function entryHops(platform: Platform, evidence: Evidence, { cluster, policy, asked }: Entry): readonly Hop[] {
  const entry = platform.clusters.get(cluster)?.spec.entry;
  const health = policy === undefined ? [] : healthHops(platform, evidence, cluster, policy);
  const pool = entry !== undefined && 'edgePool' in entry ? platform.edgePools.get(entry.edgePool) : undefined;
  if (pool === undefined) return health;
  return markConsequences([...health, ...poolHops(evidence, pool, asked)], composite);
}

/** From the VIPs of a pool to the pods. */
export function poolHops(evidence: Evidence, pool: EdgePool, asked: Asked | undefined): readonly Hop[] {
  const { name } = pool.metadata;
  const parts = evidence.snapshot.agents.filter(({ target }) => target.pool === name);
  const vips = pool.spec.vips.map(({ address }) => address.text);
  const announcers = parts.filter((part) => vips.some((vip) => 'edge' in part && announces(part.edge, vip)));
  const hops = [
    ...vips.flatMap((vip) => vipHops(evidence, pool, parts, vip)),
    ...announcers.flatMap((part) => ('edge' in part ? bladeHops(part.target.server, part.edge) : [])),
  ];
  if (asked === undefined) return hops;
  const blades = new Set(announcers.map(({ target }) => target.server));
  return [...hops, ...ruleHops(evidence, asked, { name, cluster: pool.spec.cluster, blades })];
}

function announces({ vips }: EdgePart, vip: string): boolean {
  return vips.some(({ address, announced }) => address === vip && announced);
}

/** Whether nothing is wrong with a blade but that a Drain wants it to go: it serves until another blade can. */
function isKeptByDrained({ vips }: EdgePart, vip: string): boolean {
  const reasons = vips.find(({ address }) => address === vip)?.reasons ?? [];
  return reasons.includes('LastAnnouncer') && reasons.every((reason) => ['Draining', 'LastAnnouncer'].includes(reason));
}

function vipHops({ snapshot }: Evidence, pool: EdgePool, parts: readonly AgentPart[], vip: string): readonly Hop[] {
  const answered = parts.flatMap((part) => ('edge' in part ? [{ name: part.target.server, edge: part.edge }] : []));
  const silent = parts.flatMap((part) =>
    'problem' in part ? [`${part.target.server}: ${silence(snapshot, part)}`] : [],
  );
  const fit = answered.filter(({ edge }) => edge.vips.some(({ address, fit: isFit }) => address === vip && isFit));
  const announcers = answered.filter(({ edge }) => announces(edge, vip));
  const unfit = answered
    .filter((one) => !fit.includes(one))
    .map(({ name, edge }) => `${name}: ${reasonsAgainst(edge, vip).join(', ') || 'not judged yet'}`);
  const others = [...unfit, ...silent].join('; ');
  const of = `of pool ${pool.metadata.name}`;
  if (fit.length === 0 && answered.length === 0)
    return [unknown('VIP', vip, `${of} is served or not: no blade answers (${silent.join('; ') || 'none was asked'})`)];
  const kept = announcers.filter(({ edge }) => isKeptByDrained(edge, vip));
  if (fit.length === 0 && kept.length > 0)
    return [
      holds(
        'VIP',
        vip,
        `${of} stays with the drained ${namesOf(kept)}, because no other blade can take it (${others})`,
      ),
      holds('announced by', vip, `is announced by ${namesOf(kept)}`),
    ];
  if (fit.length === 0)
    return [fails('VIP', vip, 'VipUnserved', `${of} is served by no blade that is fit (${others})`)];
  const served = holds('VIP', vip, `${of} is served by ${namesOf(fit)}${others === '' ? '' : `; not by ${others}`}`);
  if (announcers.length > 0) return [served, holds('announced by', vip, `is announced by ${namesOf(announcers)}`)];
  const why = fit.map(({ name, edge }) => `${name}: ${whyNotAnnounced(edge, vip)}`).join('; ');
  if (silent.length > 0)
    return [
      served,
      unknown('announced by', vip, `is announced by no blade that answers (${why}); silent: ${silent.join('; ')}`),
    ];
  return [served, fails('announced by', vip, 'VipNotAnnounced', `is announced by nobody (${why})`)];
}

function namesOf(blades: readonly { readonly name: string }[]): string {
  return blades.map(({ name }) => name).join(', ');
}

function whyNotAnnounced(edge: EdgePart, vip: string): string {
  const { relay, neighbors } = edge.bgp;
  if (relay !== 'synced' && relay !== 'syncing') return `no ExaBGP answers (${relay})`;
  if (isCarried(neighbors, vip)) return reasonsAgainst(edge, vip).join(', ') || 'ExaBGP does not have it (yet)';
  const down = neighbors.map(({ address, reason = 'no reason given' }) => `${address}: ${reason}`);
  return `no BGP session (${down.join('; ') || 'none is known'})`;
}

/** What a user that meets this blade depends on; one hop when all is well. */
function bladeHops(name: string, edge: EdgePart): readonly Hop[] {
  const hops = [...inputHops(name, edge), nginxHop(name, edge)];
  const bad = hops.filter(({ verdict }) => verdict !== 'holds');
  return bad.length > 0 ? bad : [holds('blade', name, 'reads its cluster and serves the newest table')];
}

function healthHops(platform: Platform, evidence: Evidence, cluster: string, policy: string): readonly Hop[] {
  const addresses = entryAddresses(platform, cluster).map(({ text }) => text);
  return addresses.map((address) => {
    const part = evidence.health.find(
      (one) => one.cluster === cluster && one.address === address && one.policy === policy,
    );
    return healthHop(evidence, cluster, address, part);
  });
}

function healthHop({ snapshot }: Evidence, cluster: string, address: string, part: HealthPart | undefined): Hop {
  const subject = `cluster ${cluster}`;
  if (part === undefined) return unknown('health', subject, `was not asked at ${address}`);
  if (!('healthy' in part)) return unknown('health', subject, `was not asked at ${address}: ${part.problem}`);
  if (part.healthy) return holds('health', subject, `is healthy for policy ${part.policy} at ${address}`);
  const blades = snapshot.agents.flatMap((one) => ('edge' in one && one.target.cluster === cluster ? [one.edge] : []));
  const said = blades.flatMap(({ blade, policies }) =>
    policies
      .filter(({ policy, healthy }) => policy === part.policy && !healthy)
      .map(({ reason }) => `${blade}: ${reason}`),
  );
  const because = said.length === 0 ? '' : ` (${said.join('; ')})`;
  if (part.answered)
    return fails(
      'health',
      subject,
      'HealthFailing',
      `is not healthy for policy ${part.policy}: ${address} ${part.problem}${because}`,
    );
  const agents = snapshot.agents.filter(({ target }) => target.cluster === cluster);
  const silent = agents.filter((one) => 'problem' in one);
  const dead =
    agents.length > 0 && silent.length === agents.length ? `; none of its ${agents.length} agents answers either` : '';
  return fails('health', subject, 'EntrySilent', `does not answer at ${address}: ${part.problem}${dead}${because}`);
}

/** The clusters whose entry does not answer as healthy for a policy; a cluster is healthy when one of its addresses is. */
export function unhealthyClusters({ health }: Evidence, policy: string): ReadonlySet<string> {
  const byCluster = Map.groupBy(
    health.filter((part) => part.policy === policy),
    ({ cluster }) => cluster,
  );
  return new Set(
    [...byCluster]
      .filter(([, parts]) => parts.every((part) => 'healthy' in part && !part.healthy))
      .map(([cluster]) => cluster),
  );
}

/**
 * The clusters that answer for a policy at fewer addresses than they need to be a first choice (`spec.healthCheck.minHealthyAddresses`): in some family, and in
 * all that they have. What was not asked counts as healthy.
 */
export function shortOfAddresses(
  platform: Platform,
  { health }: Evidence,
  policy: string,
): { readonly inSome: ReadonlySet<string>; readonly inAll: ReadonlySet<string> } {
  const families = Map.groupBy(
    health.filter((part) => part.policy === policy),
    ({ cluster, address }) => `${cluster} ${address.includes(':')}`,
  );
  const judged = [...families.values()].flatMap((parts) => {
    const cluster = parts[0]?.cluster ?? '';
    const least = Math.min(platform.clusters.get(cluster)?.spec.healthCheck.minHealthyAddresses ?? 1, parts.length);
    const up = parts.filter((part) => !('healthy' in part) || part.healthy).length;
    return { cluster, isShort: up < least };
  });
  const enough = new Set(judged.filter(({ isShort }) => !isShort).map(({ cluster }) => cluster));
  const inSome = new Set(judged.filter(({ isShort }) => isShort).map(({ cluster }) => cluster));
  return { inSome, inAll: new Set([...inSome].filter((cluster) => !enough.has(cluster))) };
}
