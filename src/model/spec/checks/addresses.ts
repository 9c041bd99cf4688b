import { type Address, contains, hostPrefix, type Prefix } from '../../address.ts';
import type { Path } from '../document.ts';
import type { Cluster, EdgePool, Site } from '../kinds.ts';
import {
  type Declared,
  type Fault,
  listText,
  type Objects,
  type Report,
  type Valid,
  valid,
  whereIs,
} from '../objects.ts';
import { isTooWide, widestText } from './prefixes.ts';

/** Addresses are unique, and lie in the prefixes that their sites may announce. */
export function checkAddresses(objects: Objects, report: Report): void {
  checkUnique(objects, report);
  for (const site of valid(objects.Site.all)) checkServerAsn(site, report);
  for (const pool of valid(objects.EdgePool.all)) checkPool(objects, pool, report);
  for (const cluster of valid(objects.Cluster.all)) checkAnycast(objects, cluster, report);
}

function checkServerAsn({ at, value }: Valid<Site>, report: Report): void {
  if (value.spec.routers.length === 0 || value.spec.serverAsn !== undefined) return;
  report(at, ['spec', 'routers'], {
    reason: 'MissingServerAsn',
    message: 'the site has routers, but its servers have no AS number to speak BGP with',
    expected: 'spec.serverAsn',
    fix: 'add serverAsn, e.g. a private one from 64512 to 65534',
  });
}

function checkPool(objects: Objects, { at, value }: Valid<EdgePool>, report: Report): void {
  const { spec } = value;
  if (spec.blades.length < spec.minAnnouncers)
    report(at, ['spec', 'minAnnouncers'], {
      reason: 'TooFewBlades',
      message: `${spec.minAnnouncers} blades must announce every VIP, but there are ${spec.blades.length}`,
      expected: `at most ${spec.blades.length}`,
      fix: 'add blades, or ask for fewer announcers',
    });
  for (const [index, prefix] of (spec.trustedProxies?.prefixes ?? []).entries())
    if (isTooWide(prefix))
      report(at, ['spec', 'trustedProxies', 'prefixes', index], {
        reason: 'PrefixTooWide',
        message: `${prefix.text} is too wide to be that of your proxies`,
        expected: widestText(prefix),
        fix: 'list the prefixes that the proxies really have',
      });
  const cluster = objects.Cluster.byName.get(spec.cluster)?.value;
  const sites = cluster === undefined ? undefined : sitesOf(objects, cluster);
  if (sites === undefined) return;
  const where = listText(sites.map((site) => site.metadata.name));
  const servers = sites.flatMap((site) => site.spec.prefixes.servers);
  const vips = sites.flatMap((site) => site.spec.prefixes.vips);
  for (const [index, { address }] of spec.blades.entries()) {
    const finding = outside(address, servers, 'servers', where);
    if (finding !== undefined) report(at, ['spec', 'blades', index, 'address'], finding);
  }
  for (const [index, { address }] of spec.vips.entries()) {
    const finding = outside(address, vips, 'vips', where);
    if (finding !== undefined) report(at, ['spec', 'vips', index, 'address'], finding);
  }
}

function checkAnycast(objects: Objects, { at, value }: Valid<Cluster>, report: Report): void {
  if (!('anycast' in value.spec.entry)) return;
  for (const site of sitesOf(objects, value) ?? []) {
    for (const [index, address] of value.spec.entry.anycast.entries()) {
      const finding = outside(address, site.spec.prefixes.vips, 'vips', site.metadata.name);
      if (finding !== undefined) report(at, ['spec', 'entry', 'anycast', index], finding);
    }
  }
}

function outside(
  address: Address,
  prefixes: readonly Prefix[],
  role: 'servers' | 'vips',
  where: string,
): Fault | undefined {
  if (prefixes.some((prefix) => contains(prefix, hostPrefix(address)))) return undefined;
  return {
    reason: role === 'servers' ? 'OutsideServers' : 'OutsideVips',
    message: `${address.text} is outside the ${role} prefixes of ${where}`,
    expected:
      prefixes.length === 0
        ? `a prefix in ${role}, but there is none`
        : `inside ${listText(prefixes.map(({ text }) => text))}`,
    fix: 'correct the address, or add its prefix to the site',
  };
}

/** The sites of a cluster, or undefined when one of them is missing or not valid. */
function sitesOf(objects: Objects, cluster: Cluster): readonly Site[] | undefined {
  const sites = cluster.spec.sites.map((name) => objects.Site.byName.get(name)?.value);
  const found = sites.filter((site) => site !== undefined);
  return found.length === sites.length ? found : undefined;
}

interface Holder {
  readonly at: Declared<unknown>;
  readonly path: Path;
  readonly name?: string;
  readonly address?: Address;
}

/**
 * Blades and routers have names of their own, and every address has one holder; but routers of two sites may share an
 * address, since racks like to have the same gateway.
 */
function checkUnique(objects: Objects, report: Report): void {
  const addresses = new Map<string, Holder>();
  const names = new Map<string, Holder>();
  for (const holder of holders(objects)) {
    const { at, path, name, address } = holder;
    const otherAddress = address === undefined ? undefined : claimAddress(addresses, address.text, holder);
    if (otherAddress !== undefined)
      report(at, path, {
        reason: 'DuplicateAddress',
        message: `${address?.text} is also the address at ${whereIs(otherAddress.at, otherAddress.path)}`,
        fix: 'give each its own address',
      });
    const otherName = name === undefined ? undefined : claim(names, name, holder);
    if (otherName !== undefined)
      report(at, path, {
        reason: 'DuplicateName',
        message: `the name ${name} is also used at ${whereIs(otherName.at, otherName.path)}`,
        fix: 'give each blade, server and router its own name',
      });
  }
}

/** Enters a holder and returns undefined, or returns the holder that had the key before; the first one stays. */
function claim(holders: Map<string, Holder>, key: string, holder: Holder): Holder | undefined {
  const first = holders.get(key);
  if (first === undefined) holders.set(key, holder);
  return first;
}

/** Compares a router only with routers of its own site, and everything else with everything. Routers must be claimed first. */
function claimAddress(addresses: Map<string, Holder>, address: string, holder: Holder): Holder | undefined {
  const everywhere = claim(addresses, address, holder);
  return holder.at.kind === 'Site' ? claim(addresses, `${address} in ${holder.at.name}`, holder) : everywhere;
}

function holders(objects: Objects): readonly Holder[] {
  const routers = valid(objects.Site.byName.values()).flatMap(({ at, value }) =>
    value.spec.routers.flatMap(({ name, address }, index) => named(at, ['spec', 'routers', index], name, address)),
  );
  const pools = valid(objects.EdgePool.byName.values()).flatMap(({ at, value }) => [
    ...value.spec.blades.flatMap(({ name, address }, index) => named(at, ['spec', 'blades', index], name, address)),
    ...value.spec.vips.map(({ address }, index) => ({ at, path: ['spec', 'vips', index, 'address'], address })),
  ]);
  const anycast = valid(objects.Cluster.byName.values()).flatMap(({ at, value }) =>
    'anycast' in value.spec.entry
      ? value.spec.entry.anycast.map((address, index) => ({ at, path: ['spec', 'entry', 'anycast', index], address }))
      : [],
  );
  // A server that is a blade of a pool has its name and address there already; another check compares the two.
  const blades = new Map(
    valid(objects.EdgePool.byName.values()).flatMap(({ value }) =>
      value.spec.blades.map(({ name, address }) => [name, address.text] as const),
    ),
  );
  const servers = valid(objects.Server.byName.values()).flatMap(({ at, value }) => [
    ...(blades.has(at.name) ? [] : [{ at, path: ['metadata', 'name'], name: at.name }]),
    ...value.spec.addresses.flatMap((address, index) =>
      blades.get(at.name) === address.text ? [] : [{ at, path: ['spec', 'addresses', index], address }],
    ),
  ]);
  const apis = valid(objects.Fleet.byName.values()).map(({ at, value }) => ({
    at,
    path: ['spec', 'api', 'vip'],
    address: value.spec.api.vip,
  }));
  return [...routers, ...pools, ...anycast, ...servers, ...apis];
}

function named(at: Declared<unknown>, path: Path, name: string, address: Address): readonly Holder[] {
  return [
    { at, path: [...path, 'name'], name },
    { at, path: [...path, 'address'], address },
  ];
}
