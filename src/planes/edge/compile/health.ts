import { contains, hostPrefix } from '../../../model/address.ts';
import type { Drain, EdgePool, Site, TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import type { EdgeReason } from '../reasons.ts';
import type { BackendKey, Host, PolicyHealth } from '../table.ts';
import { wildcardOf } from './names.ts';

export interface HealthInput {
  readonly platform: Platform;
  readonly pool: EdgePool;
  /** ms since the epoch: expired drains do not count. */
  readonly nowMs: number;
  /** What is served here; absent while nothing is known. */
  readonly served?: {
    readonly hosts: readonly Host[];
    /** Ready endpoints of a backend of the table. */
    readonly ready: (backend: BackendKey) => number;
  };
}

/** Health here of every policy that names the pool's cluster, sorted by policy. Fails open: not knowing is healthy. */
export function policyHealth(input: HealthInput): readonly PolicyHealth[] {
  const { platform, pool } = input;
  return [...platform.policies.values()]
    .filter((policy) => names(policy, pool.spec.cluster))
    .map((policy) => judge(policy, input))
    .sort((a, b) => compareText(a.policy, b.policy));
}

function judge(policy: TrafficPolicy, { platform, pool, nowMs, served }: HealthInput): PolicyHealth {
  const answer = (healthy: boolean, reason: EdgeReason): PolicyHealth => ({
    policy: policy.metadata.name,
    healthy,
    reason,
  });
  if (clusterDrain(platform, pool, nowMs) !== undefined) return answer(false, 'ClusterDraining');
  if (served === undefined) return answer(true, 'Unknown');
  const backends = new Set(policy.spec.hosts.flatMap((host) => backendsOf(host, served.hosts)));
  if (backends.size === 0) return answer(false, 'HostNotServed');
  const ready = [...backends].filter((backend) => served.ready(backend) > 0).length;
  return ready / backends.size >= policy.spec.minReadyRatio
    ? answer(true, 'BackendsServing')
    : answer(false, 'BelowThreshold');
}

function names(policy: TrafficPolicy, cluster: string): boolean {
  return [...policy.spec.rules, policy.spec.default].some(
    ({ clusters, failover }) => clusters.some(({ name }) => name === cluster) || failover.includes(cluster),
  );
}

/** The host that a request for this name would take, as the data plane chooses it. */
function backendsOf(name: string, hosts: readonly Host[]): readonly BackendKey[] {
  const find = (wanted: string | undefined): Host | undefined => hosts.find((host) => host.name === wanted);
  const host = find(name) ?? find(wildcardOf(name)) ?? find('');
  if (host === undefined) return [];
  return [
    ...host.paths.map(({ backend }) => backend),
    ...(host.defaultBackend === undefined ? [] : [host.defaultBackend]),
  ];
}

/** The Drain in force that takes this blade out of service: of itself, its cluster or its site. */
export function bladeDrain(platform: Platform, pool: EdgePool, blade: string, nowMs: number): Drain | undefined {
  const site = siteOf(platform, pool, blade)?.metadata.name;
  return (
    active(platform, nowMs).find(
      ({ spec: { target } }) =>
        (target.kind === 'Blade' && target.name === blade) || (target.kind === 'Site' && target.name === site),
    ) ?? clusterDrain(platform, pool, nowMs)
  );
}

/** A Drain of the cluster, or of its only site, or of the last of its sites. */
function clusterDrain(platform: Platform, pool: EdgePool, nowMs: number): Drain | undefined {
  const drains = active(platform, nowMs);
  const cluster = pool.spec.cluster;
  const direct = drains.find(({ spec: { target } }) => target.kind === 'Cluster' && target.name === cluster);
  if (direct !== undefined) return direct;
  const sites = platform.clusters.get(cluster)?.spec.sites ?? [];
  const bySite = sites.map((site) =>
    drains.find(({ spec: { target } }) => target.kind === 'Site' && target.name === site),
  );
  return bySite.includes(undefined) ? undefined : bySite[0];
}

function active(platform: Platform, nowMs: number): readonly Drain[] {
  return [...platform.drains.values()].filter(({ spec }) => Date.parse(spec.expires) > nowMs);
}

/** The site whose server prefixes hold the blade's address. */
function siteOf(platform: Platform, pool: EdgePool, blade: string): Site | undefined {
  const address = pool.spec.blades.find(({ name }) => name === blade)?.address;
  if (address === undefined) return undefined;
  return (platform.clusters.get(pool.spec.cluster)?.spec.sites ?? [])
    .map((name) => platform.sites.get(name))
    .find((site) => site?.spec.prefixes.servers.some((prefix) => contains(prefix, hostPrefix(address))) === true);
}
