import type { Address, Prefix } from '../../address.ts';
import { overlaps, parsePrefix } from '../../address.ts';
import type { ArtifactName } from '../kinds/release.ts';
import type { Fleet, Release, Server, Site } from '../kinds.ts';
import { listText, type Report, type Valid } from '../objects.ts';

/** Ports that other programs of a control-plane server have: etcd, kubelet, controller-manager and scheduler. */
const takenPorts: ReadonlyMap<number, string> = new Map([
  [2379, 'etcd'],
  [2380, 'etcd'],
  [2381, 'etcd'],
  [10_250, 'the kubelet'],
  [10_257, 'kube-controller-manager'],
  [10_259, 'kube-scheduler'],
]);

/**
 * Lengths of a prefix for Services: the tenth address is that of DNS, and the API server takes at most 2^20 addresses (its flag
 * `--service-cluster-ip-range`).
 */
const serviceLengths = { 4: [12, 28], 6: [108, 124] } as const;

/** Prefixes of which no packet reaches a Service: loopback, multicast, link-local and reserved ones. */
const unusable = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].flatMap((text) => parsePrefix(text) ?? []);

/** What kube-apiserver and the programs beside it would refuse at their start. */
export function checkLimits({ at, value }: Valid<Fleet>, report: Report): void {
  const { api, network } = value.spec;
  const holder = takenPorts.get(api.port);
  if (holder !== undefined)
    report(at, ['spec', 'api', 'port'], {
      reason: 'PortTaken',
      message: `${holder} listens on ${api.port} of a control-plane server`,
      expected: 'another port, e.g. 6443',
      fix: 'take another port',
    });
  for (const [index, prefix] of network.services.entries()) {
    const [shortest, longest] = serviceLengths[prefix.family];
    const fits = prefix.length >= shortest && prefix.length <= longest && !unusable.some((no) => overlaps(no, prefix));
    if (fits) continue;
    report(at, ['spec', 'network', 'services', index], {
      reason: 'ServicesUnfit',
      message: `${prefix.text} cannot be a prefix of Services`,
      expected: `an IPv${prefix.family} prefix with a length from ${shortest} to ${longest}, of addresses that packets may have`,
      fix:
        prefix.family === 4
          ? 'take a private prefix that no site has, e.g. 10.96.0.0/16'
          : 'take a prefix such as fd00:96::/112',
    });
  }
}

/** A copy that cannot begin, or that never has the snapshot in it, would be noticed when it is needed. */
export function checkCopies({ at, value }: Valid<Fleet>, report: Report): void {
  const words = value.spec.etcd.snapshots.copyCommand;
  if (words === undefined) return;
  const [program = '', ...more] = words;
  const faults = [
    ...(/^\/[^{}]+$/.test(program) ? [] : [`${program} is not the path of a program`]),
    ...(more.some((word) => word.includes('{snapshot}')) ? [] : ['no argument has {snapshot} in it']),
  ];
  if (faults.length === 0) return;
  report(at, ['spec', 'etcd', 'snapshots', 'copyCommand'], {
    reason: 'SnapshotUncopied',
    message: faults.join(', and '),
    expected: "the path of a program, and its arguments with {snapshot} where the snapshot's path is to stand",
    fix: 'write for example [/usr/bin/rsync, "{snapshot}", "rsync://backup.example/etcd/{server}/"]',
  });
}

interface FamilyNeed {
  readonly families: readonly (4 | 6)[];
  readonly why: string;
}

/** Servers have addresses of the families that they need, and a router to announce the API's address to. */
export function checkFamilies(
  { value }: Valid<Fleet>,
  servers: readonly Valid<Server>[],
  sites: readonly Site[],
  report: Report,
): void {
  const { api, network } = value.spec;
  const [services] = network.services;
  const families = (some: readonly (Address | Prefix)[]) => [...new Set(some.map(({ family }) => family))];
  for (const { at, value: server } of servers) {
    const { roles, addresses } = server.spec;
    const needs: readonly FamilyNeed[] = [
      { families: [api.vip.family], why: 'to reach the API' },
      ...(roles.includes('worker') ? [{ families: families(network.pods), why: 'for its pods' }] : []),
      ...(roles.includes('control-plane') && services !== undefined
        ? [{ families: [services.family], why: 'for the first prefix of Services, whose family the API server has' }]
        : []),
    ];
    if (roles.length === 0 || roles.includes('blade')) continue;
    for (const { families: needed, why } of needs)
      for (const family of needed) {
        if (addresses.some((address) => address.family === family)) continue;
        report(at, ['spec', 'addresses'], {
          reason: 'FamilyWithoutServers',
          message: `the server has no IPv${family} address, and needs one ${why}`,
          expected: `an IPv${family} address beside ${listText(addresses.map(({ text }) => text))}`,
          fix: 'give the server one, or leave the family out of the fleet',
        });
      }
    const site = sites.find(({ metadata }) => metadata.name === server.spec.site);
    if (!roles.includes('control-plane') || site === undefined) continue;
    if (site.spec.routers.some(({ address }) => address.family === api.vip.family)) continue;
    report(at, ['spec', 'site'], {
      reason: 'ApiUnannounced',
      message: `the site ${server.spec.site} has no router with an IPv${api.vip.family} address, so nobody takes the API's address ${api.vip.text} from this server`,
      expected: `a router with an IPv${api.vip.family} address in the Site`,
      fix: 'add the router, or take an address of the other family for the API',
    });
  }
}

/** Forms in which programs that are several files can come; all others are one file. */
const forms: Readonly<Partial<Record<ArtifactName, readonly string[]>>> = {
  containerd: ['tar'],
  'cni-plugins': ['tar'],
  tideline: ['tar', 'deb'],
};

/** A file of a Release is what its unit starts: the program, or a folder of programs. */
export function checkForms({ at, value }: Valid<Release>, report: Report): void {
  for (const [index, { name, package: form }] of value.spec.artifacts.entries()) {
    const fit = forms[name] ?? ['file'];
    if (fit.includes(form)) continue;
    report(at, ['spec', 'artifacts', index, 'package'], {
      reason: 'PackageUnfit',
      message: `${name} cannot come as ${form}`,
      expected: listText(fit),
      fix: fit.includes('tar')
        ? `pack its programs into an archive with the programs at its top, and say \`package: ${fit[0]}\``
        : 'take the program itself out of the archive or package',
    });
  }
}
