import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderRouter } from '../daemons/birdconfig.ts';
import { type Daemon, startDaemon } from '../daemons/process.ts';
import type { Network } from '../net/network.ts';
import { prefixes, router, serverAsn } from './spec.ts';

/** The router of the rack: a namespace with the bridge that servers are plugged into, and a BIRD that hears what they announce. */
export const place = { namespace: 'tor', device: 'br0' } as const;

export async function startRouter(network: Network, folder: string, addresses: readonly string[]): Promise<Daemon> {
  const { namespace, device } = place;
  await network.addNamespace(namespace);
  await network.batch(namespace, [
    `link add ${device} type bridge`,
    `link set ${device} up`,
    `address add ${router.address}/24 dev ${device}`,
  ]);
  // Servers are in one segment with each other: without a router between them it would tell them to bypass it, also to one that is gone.
  await network.sysctl(namespace, [
    'net.ipv4.ip_forward=1',
    'net.ipv4.conf.all.send_redirects=0',
    `net.ipv4.conf.${device}.send_redirects=0`,
    'net.ipv4.fib_multipath_hash_policy=1',
  ]);
  return await startBird(network, folder, addresses);
}

/** BIRD with a session for each of these servers. */
export async function startBird(network: Network, folder: string, addresses: readonly string[]): Promise<Daemon> {
  const config = join(folder, 'bird.conf');
  const accept = Object.values(prefixes).map((prefix) => ({ prefix }));
  const neighbors = addresses.map((address) => ({
    name: `server_${address.replaceAll('.', '_')}`,
    localAddress: router.address,
    address,
    asn: serverAsn,
    accept,
    announce: 'nothing' as const,
  }));
  await writeFile(config, renderRouter({ routerId: router.address, asn: router.asn, neighbors }));
  await rm(join(folder, 'bird.ctl'), { force: true });
  return startDaemon({
    network,
    namespace: place.namespace,
    command: 'bird',
    args: ['-f', '-c', config, '-s', join(folder, 'bird.ctl')],
    logFile: join(folder, 'bird.log'),
  });
}
