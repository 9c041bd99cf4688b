import type { Address, Prefix } from '../../../model/address.ts';
import { sitesOfCluster } from '../../../model/platform/places.ts';
import { type PrefixSet, prefixSet } from '../../../model/prefix-set.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { EdgeRefusal } from '../reasons.ts';
import { type CheckedAddress, checkAddress } from './address.ts';
import type { BladePlatform } from './platform.ts';

/**
 * Which endpoints a pool refuses beside those that every pool refuses, and the address family it prefers. Whoever may
 * write an EndpointSlice chooses where nginx connects to, so nothing of the platform itself can be an endpoint: the
 * agents' HTTP ports, kubelets and routers trust the network that the blades are in.
 */
export interface EndpointRules {
  /** Family of the blades' addresses: of a dual-stack Service only these endpoints serve, so that a pod counts once. */
  readonly family: 4 | 6;
  /** VIPs and blades of the pool, canonical text. */
  readonly own: ReadonlySet<string>;
  /** VIPs, blades, routers and anycast entries of the whole platform, canonical text. */
  readonly platform: ReadonlySet<string>;
  /** Where servers and VIPs of the platform have their addresses, but for `ownServers`. */
  readonly reserved: PrefixSet;
  /** The servers of the cluster itself, when the pool lets pods of the host network be endpoints. */
  readonly ownServers: PrefixSet;
  /** Where pods have their addresses; undefined when endpoints may be anywhere else. */
  readonly pods: PrefixSet | undefined;
}

/** The rules of a pool. Those of the compile before are reused while the platform and the pool are the same objects. */
export function endpointRules(
  { platform, pool }: BladePlatform,
  before?: BladePlatform & { readonly rules: EndpointRules },
): EndpointRules {
  if (before !== undefined && before.pool === pool && before.platform === platform) return before.rules;
  const { blades, vips, cluster, endpoints } = pool.spec;
  const sites = [...platform.sites.values()].map(({ spec }) => spec.prefixes);
  const own = sitesOfCluster(platform, cluster).map(({ spec }) => spec.prefixes);
  const ownServers = endpoints.hostNetwork ? own.flatMap(({ servers }) => servers) : [];
  const opened = new Set(ownServers.map(({ text }) => text));
  const servers = sites.flatMap((prefixes) => prefixes.servers).filter(({ text }) => !opened.has(text));
  const pods = own.flatMap((prefixes) => prefixes.pods);
  return {
    family: blades[0]?.address.family ?? 4,
    own: textsOf([...blades, ...vips]),
    platform: platformAddresses(platform, pool),
    reserved: prefixSet([...servers, ...sites.flatMap((prefixes) => prefixes.vips)]),
    ownServers: prefixSet(ownServers),
    pods: allowedPods(endpoints.allow, pods),
  };
}

/** Where no site of the cluster lists pod prefixes, nothing says where its pods are. */
function allowedPods(allow: EdgePool['spec']['endpoints']['allow'], pods: readonly Prefix[]): PrefixSet | undefined {
  return allow === 'anywhere' || pods.length === 0 ? undefined : prefixSet(pods);
}

function platformAddresses(platform: Platform, own: EdgePool): ReadonlySet<string> {
  const pools = [own, ...platform.edgePools.values()];
  const anycast = [...platform.clusters.values()].flatMap(({ spec: { entry } }) =>
    'anycast' in entry ? entry.anycast.map((address) => ({ address })) : [],
  );
  return textsOf([
    ...pools.flatMap(({ spec }) => [...spec.blades, ...spec.vips]),
    ...[...platform.sites.values()].flatMap(({ spec }) => spec.routers),
    ...anycast,
  ]);
}

function textsOf(all: readonly { readonly address: Address }[]): ReadonlySet<string> {
  return new Set(all.map(({ address }) => address.text));
}

/** Whether nginx may connect to an endpoint's address under the rules of a pool. */
export function checkEndpoint(text: unknown, rules: EndpointRules): CheckedAddress {
  const checked = checkAddress(text);
  if (!checked.ok) return checked;
  const refusal = refusalOf(checked.address, rules);
  return refusal === undefined ? checked : { ok: false, ...refusal };
}

function refusalOf(address: string, rules: EndpointRules): EdgeRefusal | undefined {
  if (rules.own.has(address))
    return { reason: 'EndpointIsOwn', message: `${address} is a VIP or a blade of this pool` };
  if (rules.platform.has(address))
    return { reason: 'EndpointOfPlatform', message: `${address} is a VIP, a blade or a router of the platform` };
  if (rules.reserved.has(address))
    return {
      reason: 'EndpointOfPlatform',
      message: `${address} lies in the prefixes of the platform's servers or VIPs`,
    };
  if (rules.pods === undefined || rules.pods.has(address) || rules.ownServers.has(address)) return undefined;
  return {
    reason: 'EndpointOutsidePods',
    message: `${address} lies outside the pod prefixes of the cluster's sites`,
  };
}
