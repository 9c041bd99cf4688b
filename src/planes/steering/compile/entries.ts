import { healthPathOf, probeNameOf } from '../../../model/contract.ts';
import { entryAddresses } from '../../../model/platform/entries.ts';
import { clustersOfPolicy } from '../../../model/platform/policies.ts';
import type { Cluster, TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { contentName } from '../records/hash.ts';

/**
 * What the provider probes. The key is made of the settings that a provider cannot change, or whose change is another endpoint
 * (address, type, path, interval); all others may change while the check stays the same.
 */
export interface HealthCheck {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  /** What the start of the answer must hold; absent where the status of the answer alone counts. */
  readonly searchString?: string;
  readonly path: string;
  /** Every value that the Host header may have, at least one; a new check sends the first. */
  readonly hosts: readonly string[];
  readonly intervalSeconds: 10 | 30;
  readonly failureThreshold: number;
  /** How many addresses of the cluster must answer for it to be a first choice; absent where one is enough. */
  readonly minHealthyAddresses?: number;
}

/** The addresses that answers for a cluster lead to, each with its health check, for one policy. */
export interface Entry {
  readonly cluster: string;
  readonly checks: readonly HealthCheck[];
}

export type AddressType = 'A' | 'AAAA';
export const addressTypes: readonly AddressType[] = ['A', 'AAAA'];

/** What people call the addresses that records of this type hold. */
export const familyOf = (type: AddressType): string => (type === 'A' ? 'IPv4' : 'IPv6');

/** The checks of each cluster that has an address of one type. */
export type Addresses = ReadonlyMap<string, readonly HealthCheck[]>;

/** The entries of every cluster that the policy names, sorted by cluster; a cluster without public address has no checks. */
export function entriesOf(platform: Platform, policy: TrafficPolicy): readonly Entry[] {
  return clustersOfPolicy(policy).flatMap((name) => {
    const cluster = platform.clusters.get(name);
    return cluster === undefined ? [] : [{ cluster: name, checks: checksOf(platform, policy, cluster) }];
  });
}

/** The entries with only the addresses of one record type. */
export function entriesOfType(entries: readonly Entry[], type: AddressType): Addresses {
  const wantsColon = type === 'AAAA';
  const ofType = entries.map(({ cluster, checks }): [string, readonly HealthCheck[]] => [
    cluster,
    checks.filter((check) => check.address.includes(':') === wantsColon),
  ]);
  return new Map(ofType.filter(([, checks]) => checks.length > 0));
}

/** How many of these checks, of the addresses of a cluster in one family, must succeed for the cluster to be a first choice. */
export function leastOf(checks: readonly Pick<HealthCheck, 'minHealthyAddresses'>[]): number {
  return Math.min(checks[0]?.minHealthyAddresses ?? 1, checks.length);
}

type KeySettings = 'address' | 'type' | 'path' | 'intervalSeconds';

/**
 * The key of settings, ours or those that a provider returns. Settings that we would never write have a key that no plan wants.
 */
export function healthCheckKey(settings: Readonly<Record<KeySettings, unknown>>): string {
  const { address, type: protocol, path, intervalSeconds } = settings;
  return contentName(JSON.stringify({ address, protocol, path, intervalSeconds }));
}

type CheckType = 'HTTP' | 'HTTPS' | 'HTTP_STR_MATCH' | 'HTTPS_STR_MATCH';

/** What a check does, in Route 53's words: no check learns to search, or stops searching, but another text may be searched for. */
export function checkType({ protocol, searchString }: Pick<HealthCheck, 'protocol' | 'searchString'>): CheckType {
  return searchString === undefined ? protocol : `${protocol}_STR_MATCH`;
}

/** The names that a check may ask for, those without a wildcard first: no client sends a `*`, and no certificate is asked for by one. */
function probedHosts(hosts: readonly string[]): readonly string[] {
  const named = hosts.filter((host) => !host.startsWith('*.'));
  const below = hosts.filter((host) => host.startsWith('*.')).map(probeNameOf);
  return [...named, ...below];
}

function checksOf(platform: Platform, policy: TrafficPolicy, cluster: Cluster): readonly HealthCheck[] {
  const { healthCheck } = cluster.spec;
  return entryAddresses(platform, cluster.metadata.name).map((address) => {
    const settings = {
      address: address.text,
      port: healthCheck.port,
      protocol: healthCheck.protocol,
      ...withoutUndefined({ searchString: healthCheck.searchString }),
      path: healthPathOf(policy.metadata.name),
      hosts: probedHosts(policy.spec.hosts),
      intervalSeconds: healthCheck.intervalSeconds,
      failureThreshold: healthCheck.failureThreshold,
      ...withoutUndefined({ minHealthyAddresses: healthCheck.minHealthyAddresses }),
    };
    return { key: healthCheckKey({ ...settings, type: checkType(settings) }), ...settings };
  });
}
