import { drainsOfCluster } from '../../../model/platform/drains.ts';
import { policiesOfCluster } from '../../../model/platform/policies.ts';
import type { EdgePool, TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import type { EdgeReason } from '../reasons.ts';
import { type BackendKey, type Host, noBackend, type PolicyHealth } from '../table.ts';
import { hostFor } from './match.ts';

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
  /** Backends to whose endpoints nginx cannot connect, ready or not. */
  readonly dark?: ReadonlySet<BackendKey>;
}

/**
 * The health of every policy that names the pool's cluster, sorted by policy. It fails open: while nothing is known, a
 * policy is healthy.
 */
export function policyHealth(input: HealthInput): readonly PolicyHealth[] {
  const { platform, pool } = input;
  return policiesOfCluster(platform, pool.spec.cluster)
    .map((policy) => healthOfPolicy(policy, input))
    .sort((a, b) => compareText(a.policy, b.policy));
}

function healthOfPolicy(policy: TrafficPolicy, { platform, pool, nowMs, served, dark }: HealthInput): PolicyHealth {
  const answer = (healthy: boolean, reason: EdgeReason): PolicyHealth => ({
    policy: policy.metadata.name,
    healthy,
    reason,
  });
  if (drainsOfCluster(platform, pool.spec.cluster, nowMs).length > 0) return answer(false, 'ClusterDraining');
  if (served === undefined) return answer(true, 'Unknown');
  const backends = backendsOfPolicy(policy, served.hosts);
  if (backends.size === 0) return answer(false, 'HostNotServed');
  const enough = (some: readonly BackendKey[]): boolean => some.length / backends.size >= policy.spec.minReadyRatio;
  const ready = [...backends].filter((backend) => served.ready(backend) > 0);
  if (!enough(ready)) return answer(false, 'BelowThreshold');
  const reachable = ready.filter((backend) => dark?.has(backend) !== true);
  return enough(reachable) ? answer(true, 'BackendsServing') : answer(false, 'BackendsUnreachable');
}

/**
 * The backends that keep a policy from being healthy, sorted: those without a ready endpoint, or those to which no try connects. Empty
 * where the reason is another.
 */
export function backendsAgainst(
  { policy, reason }: PolicyHealth,
  { platform, served, dark }: HealthInput,
): readonly BackendKey[] {
  const named = platform.policies.get(policy);
  if (named === undefined || served === undefined) return [];
  const backends = [...backendsOfPolicy(named, served.hosts)].toSorted(compareText);
  if (reason === 'BelowThreshold') return backends.filter((backend) => served.ready(backend) === 0);
  return reason === 'BackendsUnreachable' ? backends.filter((backend) => dark?.has(backend) === true) : [];
}

/** The backends of all policies that name the pool's cluster, sorted: nginx counts the tries to connect to these. */
export function backendsOfPolicies({ platform, pool, served }: HealthInput): readonly BackendKey[] {
  const policies = served === undefined ? [] : policiesOfCluster(platform, pool.spec.cluster);
  const keys = policies.flatMap((policy) => [...backendsOfPolicy(policy, served?.hosts ?? [])]);
  return [...new Set(keys)].toSorted(compareText);
}

function backendsOfPolicy({ spec }: TrafficPolicy, hosts: readonly Host[]): ReadonlySet<BackendKey> {
  return new Set(spec.hosts.flatMap((host) => backendsOf(host, hosts)));
}

/** The backends of the host that the data plane would choose for this name. */
function backendsOf(name: string, hosts: readonly Host[]): readonly BackendKey[] {
  const host = hostFor(hosts, name);
  if (host === undefined) return [];
  return [
    ...host.paths.map(({ backend }) => backend),
    ...(host.defaultBackend === undefined ? [] : [host.defaultBackend]),
  ].filter((backend) => backend !== noBackend);
}
