import type { Address } from '../../model/address.ts';
import { isKeeper } from '../../model/platform/keepers.ts';
import { bladeOf, poolOfBlade, siteOfServer } from '../../model/platform/places.ts';
import { InputError } from '../../model/problem.ts';
import type { Site } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { LeaseTerms } from '../wire.ts';

/** One server's side of BGP, as the platform spec describes it. */
export interface ServerSpec {
  readonly name: string;
  readonly address: Address;
  readonly localAsn: number;
  readonly site: Site;
  readonly routers: readonly {
    readonly name: string;
    readonly address: Address;
    readonly asn: number;
    /** The server's own end of the session, where it is not `address`; it is the next hop of every route on this session. */
    readonly local?: Address;
  }[];
  /** Present for a blade: its VIPs fail closed on this lease. Absent for a worker: its routes fail static. */
  readonly blade?: { readonly vips: readonly Address[]; readonly lease: LeaseTerms };
}

/**
 * One uplink of a server whose address is on its loopback interface: the server's address on that link and, where every server
 * has another one, the router's.
 */
export interface Uplink {
  readonly router: string;
  readonly local: Address;
  readonly remote?: Address;
}

/** The BGP side of a server. Blades are found by name in the pools; every other name is a worker and needs `givenAddress`. */
export function resolveServer(
  platform: Platform,
  name: string,
  givenAddress: Address | undefined,
  uplinks: readonly Uplink[] = [],
): ServerSpec {
  const pool = poolOfBlade(platform, name);
  const address = givenAddress ?? (pool === undefined ? undefined : bladeOf(pool, name)?.address);
  if (address === undefined)
    throw bad(name, 'it is a blade of no EdgePool', "give the worker's address with --address");
  if (address.family !== 4)
    throw bad(name, `${address.text} is no IPv4 address, and it is also the BGP router id`, 'give an IPv4 address');
  const site = siteOfServer(platform, address);
  if (site === undefined)
    throw bad(
      name,
      `no Site has ${address.text} in spec.prefixes.servers`,
      'add its prefix to the Site, or correct the address',
    );
  const { serverAsn, routers } = site.spec;
  if (serverAsn === undefined)
    throw bad(`Site/${site.metadata.name}`, 'spec.serverAsn is missing', 'write the AS number of its servers');
  const reachable = sessionsOf(routers, uplinks, address, name);
  if (reachable.length === 0)
    throw bad(`Site/${site.metadata.name}`, 'spec.routers has no IPv4 router', 'add the router with its IPv4 address');
  return {
    name,
    address,
    localAsn: serverAsn,
    site,
    routers: reachable,
    ...(pool === undefined
      ? {}
      : {
          blade: {
            vips: pool.spec.vips.map((vip) => vip.address),
            lease: { seconds: pool.spec.leaseSeconds, keeper: isKeeper(pool, name) },
          },
        }),
  };
}

/** The sessions over the uplinks that were given, else one from the server's address to each router of its family. */
function sessionsOf(
  routers: Site['spec']['routers'],
  uplinks: readonly Uplink[],
  address: Address,
  server: string,
): ServerSpec['routers'] {
  if (uplinks.length === 0) return routers.filter((router) => router.address.family === address.family);
  return uplinks.map(({ router: name, local, remote }) => {
    const router = routers.find((candidate) => candidate.name === name);
    if (router === undefined)
      throw bad(
        server,
        `--uplink: its Site has no router ${name}`,
        `name one of ${routers.map((one) => one.name).join(', ')}`,
      );
    const session = { ...router, address: remote ?? router.address, local };
    if (session.address.family !== local.family)
      throw bad(
        server,
        `--uplink: ${local.text} and ${session.address.text} are of different families`,
        'give both ends of one link',
      );
    return session;
  });
}

function bad(object: string, message: string, fix: string): InputError {
  return new InputError({ reason: 'ServerUnresolved', object, message, fix });
}
