import { drainsOfCluster } from '../../../model/platform/drains.ts';
import { policiesOfCluster } from '../../../model/platform/policies.ts';
import type { EdgePool, TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import type { EdgeReason } from '../reasons.ts';
import { type BackendKey, type Host, noBackend, type PolicyHealth } from '../table.ts';
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

function healthOfPolicy(policy: TrafficPolicy, { platform, pool, nowMs, served }: HealthInput): PolicyHealth {
  const answer = (healthy: boolean, reason: EdgeReason): PolicyHealth => ({
    policy: policy.metadata.name,
    healthy,
    reason,
  });
  if (drainsOfCluster(platform, pool.spec.cluster, nowMs).length > 0) return answer(false, 'ClusterDraining');
  if (served === undefined) return answer(true, 'Unknown');
  const backends = new Set(policy.spec.hosts.flatMap((host) => backendsOf(host, served.hosts)));
  if (backends.size === 0) return answer(false, 'HostNotServed');
  const ready = [...backends].filter((backend) => served.ready(backend) > 0).length;
  return ready / backends.size >= policy.spec.minReadyRatio
    ? answer(true, 'BackendsServing')
    : answer(false, 'BelowThreshold');
}

/** The backends of the host that the data plane would choose for this name. */
function backendsOf(name: string, hosts: readonly Host[]): readonly BackendKey[] {
  const find = (wanted: string | undefined): Host | undefined => hosts.find((host) => host.name === wanted);
  const host = find(name) ?? find(wildcardOf(name)) ?? find('');
  if (host === undefined) return [];
  return [
    ...host.paths.map(({ backend }) => backend),
    ...(host.defaultBackend === undefined ? [] : [host.defaultBackend]),
  ].filter((backend) => backend !== noBackend);
}
