import { healthPathOf } from '../../../model/contract.ts';
import type { Cluster, TrafficPolicy } from '../../../model/spec/kinds.ts';
import { clustersOfPolicy, entryAddresses } from '../../../model/spec/lookup.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { contentName } from './hash.ts';
import type { HealthCheck } from './record.ts';

/** Where the answers for a cluster lead and how its health is seen, for one policy. */
export interface Entry {
  readonly cluster: string;
  readonly checks: readonly HealthCheck[];
}

export type AddressType = 'A' | 'AAAA';

/** The entries of every cluster that the policy names, sorted by cluster; a cluster without public address has no checks. */
export function entriesOf(platform: Platform, policy: TrafficPolicy): readonly Entry[] {
  return clustersOfPolicy(policy).flatMap((name) => {
    const cluster = platform.clusters.get(name);
    return cluster === undefined ? [] : [{ cluster: name, checks: checksOf(platform, policy, cluster) }];
  });
}

/** The entries with only the addresses of one record type. */
export function entriesOfType(
  entries: readonly Entry[],
  type: AddressType,
): ReadonlyMap<string, readonly HealthCheck[]> {
  const wantsColon = type === 'AAAA';
  const ofType = entries.map(({ cluster, checks }): [string, readonly HealthCheck[]] => [
    cluster,
    checks.filter((check) => check.address.includes(':') === wantsColon),
  ]);
  return new Map(ofType.filter(([, checks]) => checks.length > 0));
}

function checksOf(platform: Platform, policy: TrafficPolicy, cluster: Cluster): readonly HealthCheck[] {
  const { healthCheck } = cluster.spec;
  const host = policy.spec.hosts[0] ?? policy.spec.dns.zone;
  return entryAddresses(platform, cluster.metadata.name).map((address) => {
    const settings = {
      address: address.text,
      port: healthCheck.port,
      protocol: healthCheck.protocol,
      path: healthPathOf(policy.metadata.name),
      host,
      intervalSeconds: healthCheck.intervalSeconds,
      failureThreshold: healthCheck.failureThreshold,
    };
    return { key: contentName(JSON.stringify(settings)), ...settings };
  });
}
