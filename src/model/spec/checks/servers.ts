import { contains, hostPrefix } from '../../address.ts';
import { compareText } from '../../values.ts';
import type { EdgePool, Server, Site } from '../kinds.ts';
import { listText, type Objects, type Report, type Valid, valid, whereIs } from '../objects.ts';
import { unknownName } from '../unknown-name.ts';

/** Names that programs on every server resolve to themselves or to the API. */
const reserved: ReadonlySet<string> = new Set(['localhost', 'kubernetes']);

/** Servers name what exists, lie in the prefixes of their site, and agree with the edge pools about the blades. */
export function checkServers(objects: Objects, report: Report): void {
  for (const server of valid(objects.Server.all)) {
    const { at, value } = server;
    checkNamed(objects, server, report);
    checkRoles(server, report);
    if (reserved.has(at.name))
      report(at, ['metadata', 'name'], {
        reason: 'ReservedName',
        message: `${at.name} means something else on every server`,
        expected: 'a name of its own',
        fix: 'rename the server',
      });
    const site = objects.Site.byName.get(value.spec.site)?.value;
    if (site !== undefined) checkPlace(server, site, report);
    const [first, second] = value.spec.addresses;
    if (first !== undefined && first.family === second?.family)
      report(at, ['spec', 'addresses', 1], {
        reason: 'FamilyTwice',
        message: `${first.text} and ${second.text} are both IPv${first.family} addresses`,
        expected: 'at most one address of each family',
        fix: 'keep the one that the routers and the other servers know',
      });
  }
  for (const { at, value } of valid(objects.ServerClass.all))
    for (const [index, disk] of value.spec.disks.entries())
      for (const field of ['device', 'use'] as const) {
        if (value.spec.disks.findIndex((other) => other[field] === disk[field]) === index) continue;
        report(at, ['spec', 'disks', index, field], {
          reason: 'NamedTwice',
          message: `the ${field} ${disk[field]} is named twice`,
          fix: 'remove one',
        });
      }
  for (const pool of valid(objects.EdgePool.byName.values())) checkBlades(objects, pool, report);
}

function checkNamed(objects: Objects, { at, value }: Valid<Server>, report: Report): void {
  const { site, class: className, cluster: clusterName } = value.spec;
  if (!objects.Site.byName.has(site))
    report(at, ['spec', 'site'], unknownName('Site', site, [...objects.Site.byName.keys()]));
  if (!objects.ServerClass.byName.has(className))
    report(at, ['spec', 'class'], unknownName('ServerClass', className, [...objects.ServerClass.byName.keys()]));
  if (clusterName === undefined) return;
  const cluster = objects.Cluster.byName.get(clusterName);
  if (cluster === undefined) {
    report(at, ['spec', 'cluster'], unknownName('Cluster', clusterName, [...objects.Cluster.byName.keys()]));
    return;
  }
  const sites = cluster.value?.spec.sites ?? [site];
  if (!sites.includes(site))
    report(at, ['spec', 'site'], {
      reason: 'ServerOutsideCluster',
      message: `the server stands in ${site}, and the cluster ${clusterName} is not there, see ${whereIs(cluster, ['spec', 'sites'])}`,
      expected: listText(sites),
      fix: 'correct the site or the cluster of the server, or add the site to the cluster',
    });
}

/** Roles that may share a server. */
const together: ReadonlySet<string> = new Set(['control-plane,etcd']);

function checkRoles({ at, value }: Valid<Server>, report: Report): void {
  const { cluster, roles, state } = value.spec;
  const path = ['spec', 'roles'];
  if (state === 'active' && cluster !== undefined && roles.length === 0)
    report(at, path, {
      reason: 'RoleMissing',
      message: `the server is one of the cluster ${cluster} and has no role`,
      expected: 'etcd, control-plane, worker or blade',
      fix: 'say what it does, or remove `cluster` to keep it as a spare',
    });
  if (cluster === undefined && roles.length > 0)
    report(at, path, {
      reason: 'RoleWithoutCluster',
      message: `the server is to be ${listText(roles)}, but of no cluster`,
      expected: 'spec.cluster',
      fix: 'name its cluster, or remove the roles to keep it as a spare',
    });
  const [one, two] = roles;
  if (one === undefined || two === undefined) return;
  if (one === two)
    report(at, path, { reason: 'NamedTwice', message: `the role ${one} is named twice`, fix: 'remove one' });
  else if (!together.has([...roles].sort(compareText).join(',')))
    report(at, path, {
      reason: 'RolesApart',
      message: `${one} and ${two} do not share a server: a busy pod or client would starve the other`,
      expected: 'one role, or etcd with control-plane',
      fix: 'take another server for one of them',
    });
}

function checkPlace({ at, value }: Valid<Server>, site: Site, report: Report): void {
  const { servers } = site.spec.prefixes;
  for (const [index, address] of value.spec.addresses.entries()) {
    if (servers.some((prefix) => contains(prefix, hostPrefix(address)))) continue;
    report(at, ['spec', 'addresses', index], {
      reason: 'OutsideServers',
      message: `${address.text} is outside the servers prefixes of ${site.metadata.name}`,
      expected:
        servers.length === 0
          ? 'a prefix in servers, but there is none'
          : `inside ${listText(servers.map(({ text }) => text))}`,
      fix: 'correct the address, or add its prefix to the site',
    });
  }
}

/** Where there are servers with the role blade, a pool and they are one list: the same names, the same addresses. */
function checkBlades(objects: Objects, { at, value }: Valid<EdgePool>, report: Report): void {
  for (const [index, blade] of value.spec.blades.entries()) {
    const server = objects.Server.byName.get(blade.name);
    if (server?.value === undefined) continue;
    const { roles, cluster, addresses } = server.value.spec;
    if (!roles.includes('blade') || cluster !== value.spec.cluster)
      report(at, ['spec', 'blades', index, 'name'], {
        reason: 'BladeDiffers',
        message: `the server ${blade.name} is not a blade of the cluster ${value.spec.cluster}, see ${whereIs(server, ['spec'])}`,
        expected: `a Server with \`cluster: ${value.spec.cluster}\` and \`roles: [blade]\``,
        fix: 'correct the server, or take another one for the pool',
      });
    else if (!addresses.some(({ text }) => text === blade.address.text))
      report(at, ['spec', 'blades', index, 'address'], {
        reason: 'BladeDiffers',
        message: `the server ${blade.name} has another address than the blade, see ${whereIs(server, ['spec', 'addresses'])}`,
        expected: listText(addresses.map(({ text }) => text)),
        fix: 'write the address of the server here',
      });
  }
}

/** Servers with the role blade that no pool of their cluster names: nothing would be announced from them. */
export function checkServersOfPools(objects: Objects, report: Report): void {
  const blades = new Set(
    valid(objects.EdgePool.byName.values()).flatMap(({ value }) => value.spec.blades.map(({ name }) => name)),
  );
  for (const { at, value } of valid(objects.Server.byName.values())) {
    if (value.spec.state !== 'active' || !value.spec.roles.includes('blade') || blades.has(at.name)) continue;
    report(at, ['spec', 'roles'], {
      reason: 'BladeOfNoPool',
      message: `the server is a blade, and no EdgePool names it`,
      expected: `an EdgePool of the cluster ${value.spec.cluster ?? ''} with a blade named ${at.name}`,
      fix: 'add it to the blades of a pool, or give it another role',
    });
  }
}
