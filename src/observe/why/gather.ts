import { healthPathOf } from '../../model/contract.ts';
import { entryAddresses } from '../../model/platform/entries.ts';
import { clustersOfPolicy } from '../../model/platform/policies.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { DnsQuery, NameServer } from '../ask-dns.ts';
import type { HealthQuery } from '../ask-health.ts';
import type { FoundPod } from '../pods.ts';
import type { Snapshot, Target } from '../snapshot.ts';
import { bladeTargets } from '../targets.ts';
import type { Asked, DnsPart, Evidence, HealthPart, PodsPart, RoutePart } from './evidence.ts';
import type { HostOfPolicy, Question } from './questions.ts';

/** How to ask. All but `nameServers` and `podsOf` never reject. */
export interface Asking {
  readonly snapshot: () => Promise<Snapshot>;
  readonly dns: (query: DnsQuery) => Promise<DnsPart>;
  readonly health: (query: HealthQuery) => Promise<HealthPart>;
  readonly route: (target: Target, asked: Asked) => Promise<RoutePart>;
  /** The name servers of a zone; rejects when they are not known. */
  readonly nameServers: (zone: string) => Promise<readonly NameServer[]>;
  /** The Pods with an address; rejects when the cluster cannot be read, undefined for one that is not read at all. */
  readonly podsOf: (cluster: string, address: string) => Promise<readonly FoundPod[] | undefined>;
  /** An address of a country; undefined when none is known. */
  readonly addressOf: (country: string) => string | undefined;
  /** The records by which the spec answers a country, when several decide. */
  readonly records: (host: string, country: string | undefined) => readonly string[];
}

/** Asks everything that a question needs, all beside each other. Never rejects for a part that is missing. */
export async function gather(platform: Platform, question: Question, asking: Asking): Promise<Evidence> {
  const hosts = hostsOf(question);
  const country = question.kind === 'country' ? question.country : undefined;
  const [snapshot, dns, health, routes, pods] = await Promise.all([
    asking.snapshot(),
    Promise.all(hosts.map((one) => askNameServers(platform, one, country, asking))),
    Promise.all(hosts.flatMap((one) => healthQueries(platform, one).map(asking.health))),
    Promise.all(requestsOf(platform, question).map(({ target, asked }) => asking.route(target, asked))),
    question.kind === 'pod' ? askPods(platform, question.address.text, asking) : [],
  ]);
  const records = hosts.map(({ host }) => ({ host, records: asking.records(host, country) }));
  return { snapshot, dns: dns.flat(), records, health, routes, pods, supposed: [] };
}

/** The hosts whose DNS is asked, each with its policy. */
function hostsOf(question: Question): readonly HostOfPolicy[] {
  if (question.kind === 'country') return question.hosts;
  if (question.kind !== 'host' || question.policy === undefined) return [];
  return [{ host: question.asked.host, policy: question.policy }];
}

/** Asks every name server of a policy's zone what users of a country are answered. Never rejects. */
export async function askNameServers(
  platform: Platform,
  { host, policy }: HostOfPolicy,
  country: string | undefined,
  asking: Pick<Asking, 'dns' | 'nameServers' | 'addressOf'>,
): Promise<readonly DnsPart[]> {
  const of = { host, ...(country === undefined ? {} : { country }) };
  const { zone } = policy.spec.dns;
  const subnet = country === undefined ? undefined : asking.addressOf(country);
  if (country !== undefined && subnet === undefined)
    return [{ ...of, server: `zone ${zone}`, problem: `no client subnet of ${country} is known` }];
  try {
    const servers = await asking.nameServers(zone);
    const types = addressTypes(platform, policy);
    const query = { ...of, types, ...(subnet === undefined ? {} : { subnet }) };
    return await Promise.all(servers.map((server) => asking.dns({ ...query, server })));
  } catch (error) {
    return [
      {
        ...of,
        server: `zone ${zone}`,
        problem: `its name servers are not known here (${messageOf(error)}); name one with --name-server`,
      },
    ];
  }
}

function addressTypes(platform: Platform, policy: HostOfPolicy['policy']): readonly ('A' | 'AAAA')[] {
  const families = clustersOfPolicy(policy).flatMap((name) =>
    entryAddresses(platform, name).map(({ family }) => family),
  );
  return families.includes(6) ? (families.includes(4) ? ['A', 'AAAA'] : ['AAAA']) : ['A'];
}

/** The checks that DNS providers make, once each. */
function healthQueries(platform: Platform, { host, policy }: HostOfPolicy): readonly HealthQuery[] {
  return clustersOfPolicy(policy).flatMap((name) => {
    const check = platform.clusters.get(name)?.spec.healthCheck;
    if (check === undefined) return [];
    return entryAddresses(platform, name).map(({ text }) => ({
      cluster: name,
      policy: policy.metadata.name,
      address: text,
      port: check.port,
      protocol: check.protocol,
      path: healthPathOf(policy.metadata.name),
      host: policy.spec.hosts[0] ?? host,
      ...withoutUndefined({ searchString: check.searchString }),
    }));
  });
}

/** What is asked of which blade: of every pool that a policy leads to; of all pools for a host that no policy names. */
function requestsOf(
  platform: Platform,
  question: Question,
): readonly { readonly target: Target; readonly asked: Asked }[] {
  const asked =
    question.kind === 'host'
      ? [{ asked: question.asked, policy: question.policy }]
      : question.kind === 'country'
        ? question.hosts.map(({ host, policy }) => ({ asked: { host, path: '/' }, policy }))
        : [];
  const blades = bladeTargets(platform);
  return asked.flatMap((one) => {
    const clusters = one.policy === undefined ? undefined : clustersOfPolicy(one.policy);
    return blades
      .filter(({ cluster }) => clusters === undefined || clusters.includes(cluster))
      .map((target) => ({ target, asked: one.asked }));
  });
}

function askPods(platform: Platform, address: string, { podsOf }: Asking): Promise<readonly PodsPart[]> {
  const parts = [...platform.clusters.keys()].map(async (cluster): Promise<readonly PodsPart[]> => {
    try {
      const pods = await podsOf(cluster, address);
      return pods === undefined ? [] : [{ cluster, pods }];
    } catch (error) {
      return [{ cluster, problem: messageOf(error) }];
    }
  });
  return Promise.all(parts).then((all) => all.flat());
}
