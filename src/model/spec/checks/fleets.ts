import { contains, hostPrefix, overlaps } from '../../address.ts';
import { valueAt } from '../document.ts';
import type { Fleet, Server, Site } from '../kinds.ts';
import { listText, type Objects, type Report, type Valid, valid, whereIs } from '../objects.ts';
import { unknownName } from '../unknown-name.ts';
import { checkCopies, checkFamilies, checkForms, checkLimits } from './fleet-limits.ts';
import { checkPodAddresses } from './fleet-pods.ts';
import { checkVersions } from './fleet-versions.ts';

/** What the checks of a fleet look at. */
export interface FleetView {
  readonly fleet: Valid<Fleet>;
  /** Valid active servers of its cluster. */
  readonly servers: readonly Valid<Server>[];
  readonly sites: readonly Site[];
}

/** A fleet can be built as it is written, and survives the loss of a server. */
export function checkFleets(objects: Objects, report: Report): void {
  const ofCluster = new Map<string, Valid<Fleet>>();
  const servers = Map.groupBy(
    valid(objects.Server.byName.values()).filter(({ value }) => value.spec.state === 'active'),
    ({ value }) => value.spec.cluster,
  );
  // Of a server that is not valid nobody knows what it does: members that are counted without it would be too few.
  const broken = new Set(
    [...objects.Server.all]
      .filter(({ value }) => value === undefined)
      .map(({ document }) => valueAt(document.value, ['spec', 'cluster'])),
  );
  for (const fleet of valid(objects.Fleet.byName.values())) {
    const { at, value } = fleet;
    const { cluster: clusterName, release } = value.spec;
    const cluster = objects.Cluster.byName.get(clusterName);
    if (cluster === undefined)
      report(at, ['spec', 'cluster'], unknownName('Cluster', clusterName, [...objects.Cluster.byName.keys()]));
    if (!objects.Release.byName.has(release))
      report(at, ['spec', 'release'], unknownName('Release', release, [...objects.Release.byName.keys()]));
    const first = ofCluster.get(clusterName);
    if (first === undefined) ofCluster.set(clusterName, fleet);
    else
      report(at, ['spec', 'cluster'], {
        reason: 'FleetTwice',
        message: `the cluster ${clusterName} already has the fleet at ${whereIs(first.at, ['spec', 'cluster'])}`,
        expected: 'one Fleet for a cluster',
        fix: 'make one of both',
      });
    const names = cluster?.value?.spec.sites ?? [];
    const sites = names.flatMap((name) => objects.Site.byName.get(name)?.value ?? []);
    checkVersions(objects, fleet, report);
    checkLimits(fleet, report);
    checkCopies(fleet, report);
    if (names.length === 0 || sites.length < names.length) continue;
    const view: FleetView = { fleet, servers: servers.get(clusterName) ?? [], sites };
    checkPrefixes(objects, view, report);
    checkApiAddress(view, report);
    if (!broken.has(clusterName)) checkControlPlane(view, report);
    checkFamilies(fleet, view.servers, sites, report);
    checkPodAddresses(objects, view, report);
  }
  for (const release of valid(objects.Release.all)) checkForms(release, report);
  for (const { at, value } of valid(objects.Release.all))
    for (const [index, { name, version }] of value.spec.artifacts.entries()) {
      const same = value.spec.artifacts.findIndex((other) => other.name === name && other.version === version);
      if (same === index) continue;
      report(at, ['spec', 'artifacts', index], {
        reason: 'NamedTwice',
        message: `${name} ${version} is named twice`,
        fix: 'remove one',
      });
    }
}

function checkPrefixes(objects: Objects, { fleet: { at, value }, sites }: FleetView, report: Report): void {
  const { pods, services } = value.spec.network;
  const ours = sites.flatMap((site) => site.spec.prefixes.pods);
  for (const [index, prefix] of pods.entries()) {
    if (ours.some((outer) => contains(outer, prefix))) continue;
    report(at, ['spec', 'network', 'pods', index], {
      reason: 'OutsidePods',
      message: `${prefix.text} is outside the pods prefixes of ${listText(sites.map(({ metadata }) => metadata.name))}`,
      expected:
        ours.length === 0 ? 'a prefix in pods, but there is none' : `inside ${listText(ours.map(({ text }) => text))}`,
      fix: 'correct the prefix, or add it to the site: nothing else is ever announced',
    });
  }
  const everywhere = valid(objects.Site.byName.values()).flatMap((site) =>
    (['pods', 'servers', 'vips'] as const).flatMap((role) =>
      site.value.spec.prefixes[role].map((prefix, index) => ({
        prefix,
        at: site.at,
        path: ['spec', 'prefixes', role, index],
      })),
    ),
  );
  for (const [index, prefix] of services.entries()) {
    const path = ['spec', 'network', 'services', index];
    const clash = everywhere.find((other) => overlaps(other.prefix, prefix));
    if (clash !== undefined)
      report(at, path, {
        reason: 'OverlappingPrefixes',
        message: `${prefix.text} shares addresses with ${clash.prefix.text}, see ${whereIs(clash.at, clash.path)}`,
        expected: 'a prefix that no site has: a server translates these addresses and never sends them out',
        fix: 'take another prefix for Services',
      });
    if (services.findIndex(({ family }) => family === prefix.family) < index)
      report(at, path, {
        reason: 'FamilyTwice',
        message: `there are two prefixes of IPv${prefix.family} for Services`,
        expected: 'at most one of each family',
        fix: 'remove one',
      });
    if (!pods.some(({ family }) => family === prefix.family))
      report(at, path, {
        reason: 'FamilyWithoutPods',
        message: `there are Services of IPv${prefix.family}, and no pods`,
        expected: `a prefix of IPv${prefix.family} in spec.network.pods`,
        fix: 'add one, or remove this one',
      });
  }
}

function checkApiAddress({ fleet: { at, value }, sites }: FleetView, report: Report): void {
  const { vip } = value.spec.api;
  const path = ['spec', 'api', 'vip'];
  const vips = sites.flatMap((site) => site.spec.prefixes.vips);
  if (!vips.some((prefix) => contains(prefix, hostPrefix(vip))))
    report(at, path, {
      reason: 'OutsideVips',
      message: `${vip.text} is outside the vips prefixes of ${listText(sites.map(({ metadata }) => metadata.name))}`,
      expected:
        vips.length === 0 ? 'a prefix in vips, but there is none' : `inside ${listText(vips.map(({ text }) => text))}`,
      fix: 'correct the address, or add its prefix to the site',
    });
}

function checkControlPlane({ fleet: { at, value }, servers }: FleetView, report: Report): void {
  const { cluster } = value.spec;
  if (servers.length === 0) {
    report(at, ['spec', 'cluster'], {
      reason: 'NoControlPlane',
      message: `no active server is of the cluster ${cluster}`,
      expected: `Servers with \`cluster: ${cluster}\` and roles, three of them with \`roles: [etcd, control-plane]\``,
      fix: 'declare them; `tideline fleet import` makes them of a list, of NetBox or of grains of Salt',
    });
    return;
  }
  const masters = servers.filter(({ value }) => value.spec.roles.includes('control-plane'));
  if (masters.length === 0)
    report(at, ['spec', 'cluster'], {
      reason: 'NoControlPlane',
      message: 'no active server of the cluster has the role control-plane',
      expected: 'three servers with this role, or one for a test',
      fix: 'give servers of the cluster the role',
    });
  const members = servers.filter(({ value }) => value.spec.roles.includes('etcd'));
  if (members.length % 2 === 0 || members.length > 7)
    report(at, ['spec', 'cluster'], {
      reason: 'EtcdMembers',
      message:
        members.length === 0
          ? 'no active server of the cluster has the role etcd'
          : `${members.length} servers have the role etcd: ${
              members.length > 7 ? 'each write waits for most of them' : 'one less survives as many losses'
            }`,
      expected: '3 or 5 of them, or 1 for a test; at most 7',
      fix:
        members.length === 0
          ? 'give the role to servers of the cluster, each in a rack of its own'
          : 'give the role to one server more or less',
    });
  const tolerated = Math.floor((members.length - 1) / 2);
  if (tolerated === 0) return;
  const racks = Map.groupBy(members, ({ value }) => `${value.spec.site}/${value.spec.rack}`);
  for (const [rack, there] of racks) {
    const [first] = there;
    if (there.length <= tolerated || first === undefined) continue;
    report(first.at, ['spec', 'rack'], {
      reason: 'EtcdInOneRack',
      message: `the rack ${rack} has ${there.length} of ${members.length} members of etcd (${there
        .map(({ at: { name } }) => name)
        .join(', ')}): when it loses power, the cluster loses its quorum`,
      expected: `at most ${tolerated} of them in a rack`,
      fix: 'give the role to servers of other racks',
    });
  }
}
