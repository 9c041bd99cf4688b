import { Resolver } from 'node:dns/promises';
import { clientOutside } from '../../geo/prefixes.ts';
import { networksOfPolicy } from '../../model/platform/policies.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { askRoute } from '../../observe/ask.ts';
import { askDns, type NameServer } from '../../observe/ask-dns.ts';
import { askHealth } from '../../observe/ask-health.ts';
import type { FoundPod } from '../../observe/pods.ts';
import type { Asking } from '../../observe/why/gather.ts';
import { explain } from '../../planes/steering/plan/explain.ts';
import { systemClock } from '../../runtime/clock.ts';
import { readCluster } from '../cluster-read.ts';
import { lookAt } from '../look.ts';
import { addressOfNameServer, type NameServerArguments } from '../name-servers.ts';
import { accessOf, type TlsArguments } from '../tls.ts';

/** The limit for each that is asked; they are asked beside each other. */
const patienceMs = 3000;
/** So many name servers of a zone are asked. */
const mostNameServers = 4;

/** How `tideline why` asks: over the network from this machine. */
export async function asking(platform: Platform, given: TlsArguments & NameServerArguments): Promise<Asking> {
  const { nameServer } = given;
  const networks = [...platform.policies.values()].flatMap(({ spec }) => networksOfPolicy(spec));
  const options = { timeoutMs: patienceMs, access: await accessOf(given) };
  return {
    snapshot: () => lookAt(platform, given),
    dns: askDns,
    health: (query) => askHealth(query, patienceMs),
    route: (target, asked) => askRoute(target, asked, options),
    nameServers: (zone) => (nameServer.length > 0 ? Promise.resolve(nameServer) : nameServersOf(zone)),
    podsOf: (cluster, address) => podsOf(platform, cluster, address),
    addressOf: (country) => clientOutside(country, networks),
    records: (host, country) => explain(platform, host, country ?? 'unknown', systemClock.now()).records,
  };
}

/** The name servers of a zone, by the resolver of this machine. Rejects when it knows none. */
async function nameServersOf(zone: string): Promise<readonly NameServer[]> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  const names = (await resolver.resolveNs(zone)).toSorted().slice(0, mostNameServers);
  const servers = await Promise.all(names.map((name) => addressOfNameServer(name).catch(() => undefined)));
  const found = servers.filter((server) => server !== undefined);
  if (found.length === 0) throw new Error(`none of ${names.join(', ')} has an address`);
  return found;
}

/** The Pods with an address, read from the source of a cluster in the spec; undefined for a cluster that is not read at all. */
function podsOf(platform: Platform, name: string, address: string): Promise<readonly FoundPod[] | undefined> {
  return readCluster(platform, name, {
    folder: async (folder) =>
      (await import('../../observe/pods.ts')).podsOfFolder(folder, address, systemClock, patienceMs),
    api: async (client) => (await import('../../observe/pods.ts')).podsOfApi(client, address, patienceMs),
  });
}
