import type { Prefix } from '../../address.ts';
import type { Fleet, Server } from '../kinds.ts';
import type { Objects, Report, Valid } from '../objects.ts';

interface PodsView {
  readonly fleet: Valid<Fleet>;
  /** Valid active servers of its cluster. */
  readonly servers: readonly Valid<Server>[];
}

/** Every worker, and all of them together, have as many addresses as their pods may need. */
export function checkPodAddresses(objects: Objects, { fleet: { at, value }, servers }: PodsView, report: Report): void {
  const workers = servers.filter((server) => server.value.spec.roles.includes('worker'));
  const podsOf = (server: Valid<Server>): number =>
    objects.ServerClass.byName.get(server.value.spec.class)?.value?.spec.maxPods ?? 0;
  const most = workers.reduce((largest, server) => Math.max(largest, podsOf(server)), 0);
  const { ipam, network } = value.spec;
  for (const family of [4, 6] as const) {
    const prefixes = network.pods.filter((prefix) => prefix.family === family);
    if (prefixes.length === 0) continue;
    const { path, each, fix } = shareOf(value.spec.ipam, family);
    if (each < most)
      report(at, path, {
        reason: 'TooFewPodAddresses',
        message: `a worker gets at most ${each} IPv${family} addresses for up to ${most} pods`,
        expected: `at least ${most}`,
        fix,
      });
    const texts = prefixes.map(({ text }) => text).join(', ');
    const needed = workers.reduce((sum, server) => sum + podsOf(server), 0);
    const room = prefixes.reduce((sum, prefix) => sum + addressesOf(family, prefix.length), 0);
    if ('static' in ipam) checkStatic({ at, value }, prefixes, workers.length, report);
    else if (room < needed)
      report(at, ['spec', 'network', 'pods'], {
        reason: 'TooFewPodAddresses',
        message: `${texts} has ${room} addresses for ${workers.length} workers that need ${needed}`,
        expected: `at least ${needed} IPv${family} addresses`,
        fix: 'add a prefix, or take workers out',
      });
  }
}

/** Addresses in a prefix that end at the largest number that is exact. */
function addressesOf(family: 4 | 6, length: number): number {
  return 2 ** Math.min((family === 4 ? 32 : 128) - length, 53);
}

/** What one worker gets of a family. */
function shareOf(ipam: Fleet['spec']['ipam'], family: 4 | 6) {
  if ('static' in ipam)
    return {
      path: ['spec', 'ipam', 'static', `ipv${family}Length`],
      each: addressesOf(family, ipam.static[`ipv${family}Length`]),
      fix: 'take a smaller length, or allow fewer pods in the ServerClass',
    };
  return {
    path: ['spec', 'ipam', 'calico', 'maxBlocksPerWorker'],
    each: addressesOf(family, family === 4 ? ipam.calico.blockLength : 122) * ipam.calico.maxBlocksPerWorker,
    fix: 'allow more or larger blocks, or fewer pods in the ServerClass',
  };
}

/** Bits between the prefix of all pods and that of a worker, in IPv6, that the controller-manager has room for (`clusterSubnetMaxDiff`). */
const mostBits = 16;

/** What kube-controller-manager refuses at its start, or passes over, where it gives workers their prefixes: of the first of a family alone. */
function checkStatic({ at, value }: Valid<Fleet>, prefixes: readonly Prefix[], workers: number, report: Report): void {
  const { ipam, network } = value.spec;
  const [first, second] = prefixes;
  if (!('static' in ipam) || first === undefined) return;
  const field = `ipv${first.family}Length` as const;
  const length = ipam.static[field];
  if (second !== undefined)
    report(at, ['spec', 'network', 'pods', network.pods.indexOf(second)], {
      reason: 'FamilyTwice',
      message: `there are several prefixes of IPv${first.family} for pods (${prefixes.map(({ text }) => text).join(', ')}), and \`ipam.static\` gives workers prefixes of the first alone`,
      expected: 'one prefix of each family, or `ipam: { calico: {} }`',
      fix: 'make one prefix of them',
    });
  const room = Math.floor(2 ** (length - first.length));
  if (room < workers)
    report(at, ['spec', 'ipam', 'static', field], {
      reason: 'TooFewPodAddresses',
      message: `${first.text} has ${room} prefixes of length ${length} for ${workers} workers`,
      expected: `at least ${workers}`,
      fix: 'take a larger length, or a prefix for pods that has more addresses',
    });
  if (first.family === 4 || length - first.length <= mostBits) return;
  report(at, ['spec', 'ipam', 'static', field], {
    reason: 'OutOfRange',
    message: `${length} is ${length - first.length} bits more than ${first.text} has, and kube-controller-manager refuses more than ${mostBits}`,
    expected: `${first.length} to ${first.length + mostBits}`,
    fix: 'take a length in this range, or for pods a prefix that has fewer addresses',
  });
}
