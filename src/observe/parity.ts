import { entryAddresses } from '../model/platform/entries.ts';
import { clustersOfPolicy } from '../model/platform/policies.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { HostLack } from '../model/status.ts';
import type { ParityView } from '../model/steering-status.ts';
import { compareText } from '../model/values.ts';
import type { HostProbe } from './ask-host.ts';
import type { ParityReason } from './reasons.ts';
import type { AgentPart } from './snapshot.ts';

/**
 * Parity: whether each cluster that a policy names has what the policy's users need there, before anybody is led to it: the hosts, Ready
 * endpoints for them, and a valid certificate where other clusters have one. A blade says it of its cluster; where none does, what answers at
 * the cluster's address is looked at. What neither tells is not known, and never taken for fine.
 */

/** What is known of one cluster and the hosts of one policy. */
interface Known {
  readonly policy: string;
  readonly cluster: string;
  readonly lacks: readonly HostLack[];
  /** With those that are only counted. */
  readonly count: number;
  /** Hosts that are served there without a certificate. */
  readonly bare: ReadonlySet<string>;
  /** Hosts that are served there with a valid certificate. */
  readonly certified: (host: string) => boolean;
  /** Why it is not known of a host. */
  readonly unknown: ReadonlyMap<string, string>;
}

/** What every cluster lacks of the hosts of each policy that names it, as blades say and what answers at the addresses. */
export function parityOf(
  platform: Platform,
  blades: readonly AgentPart[],
  probes: readonly HostProbe[],
): readonly ParityView[] {
  const told = knownOfBlades(blades);
  const all = [...platform.policies.values()].flatMap((policy) =>
    clustersOfPolicy(policy).map((cluster): Known => {
      const { metadata, spec } = policy;
      const of = { policy: metadata.name, cluster };
      const known = told.find((one) => one.policy === of.policy && one.cluster === cluster);
      const seen = probes.filter((probe) => probe.cluster === cluster && spec.hosts.includes(probe.host));
      return known ?? knownOfProbes(of, spec.hosts, seen, whyNotAsked(platform, cluster, blades));
    }),
  );
  return withCertificatesOfOthers(all);
}

/** What clusters lack as far as their blades say, of the policies that they know. */
export function parityOfBlades(blades: readonly AgentPart[]): readonly ParityView[] {
  return withCertificatesOfOthers(knownOfBlades(blades));
}

/** The clusters of which no blade says what they have, each with the hosts of the policies that name it, sorted. */
export function hostsToProbe(
  platform: Platform,
  blades: readonly AgentPart[],
): readonly { readonly cluster: string; readonly host: string }[] {
  const told = new Set(knownOfBlades(blades).map(({ policy, cluster }) => `${policy} ${cluster}`));
  return [...platform.policies.values()].flatMap((policy) =>
    clustersOfPolicy(policy)
      .filter((cluster) => !told.has(`${policy.metadata.name} ${cluster}`))
      .flatMap((cluster) => policy.spec.hosts.toSorted(compareText).map((host) => ({ cluster, host }))),
  );
}

/** Of a blade that reads its cluster: one that does not knows only what was. */
function knownOfBlades(blades: readonly AgentPart[]): readonly Known[] {
  const views = blades.flatMap((part) =>
    'edge' in part && part.edge.source.phase === 'live'
      ? (part.edge.policyHosts ?? []).map((view) => ({ cluster: part.target.cluster, ...view }))
      : [],
  );
  const groups = Map.groupBy(views, ({ policy, cluster }) => `${policy} ${cluster}`);
  return [...groups.values()].flatMap((same): readonly Known[] => {
    const [first] = same;
    if (first === undefined) return [];
    const { policy, cluster } = first;
    const lacks = uniqueLacks(same.flatMap(({ lacking }) => lacking));
    const bare = new Set(same.flatMap(({ withoutCertificate }) => withoutCertificate));
    const count = Math.max(lacks.length, ...same.map((view) => view.count));
    const faulty = new Set(lacks.filter(isOfCertificate).map(({ host }) => host));
    // Of hosts that are only counted nothing is said one by one.
    const certified = (host: string): boolean => count === lacks.length && !bare.has(host) && !faulty.has(host);
    return [{ policy, cluster, lacks, count, bare, certified, unknown: new Map() }];
  });
}

function uniqueLacks(lacks: readonly HostLack[]): readonly HostLack[] {
  return [...new Map(lacks.map((lack) => [`${lack.host} ${lack.reason}`, lack])).values()].toSorted(
    (a, b) => compareText(a.host, b.host) || compareText(a.reason, b.reason),
  );
}

const isOfCertificate = ({ reason }: HostLack): boolean =>
  reason.startsWith('Certificate') || reason === 'HostNotServed';

/** Why the agents of a cluster do not say what it has. */
function whyNotAsked(platform: Platform, cluster: string, blades: readonly AgentPart[]): string {
  const parts = blades.filter(({ target }) => target.cluster === cluster);
  const [problem] = parts.flatMap((part) => ('problem' in part ? [`${part.target.server} ${part.problem}`] : []));
  const silent = parts.every((part) => 'problem' in part);
  if (problem !== undefined && silent) return problem;
  if (parts.length > 0) return 'its blades do not say it: they are of an older version, or cannot read the cluster';
  return entryAddresses(platform, cluster).length === 0 ? 'it has no address' : 'it has no blades';
}

function knownOfProbes(
  of: Pick<Known, 'policy' | 'cluster'>,
  hosts: readonly string[],
  probes: readonly HostProbe[],
  whyNotAsked: string,
): Known {
  const byHost = new Map(probes.map((probe) => [probe.host, probe]));
  const unknown = new Map<string, string>();
  for (const host of hosts) {
    const probe = byHost.get(host);
    const why = probe === undefined ? whyNotAsked : probe.unknown;
    if (why !== undefined) unknown.set(host, why);
  }
  const lacks = uniqueLacks(probes.flatMap(({ host, lacks: some }) => some.map((lack) => ({ host, ...lack }))));
  return {
    ...of,
    lacks,
    count: lacks.length,
    bare: new Set(probes.filter(({ tls }) => tls === 'none').map(({ host }) => host)),
    certified: (host) => byHost.get(host)?.tls === 'valid',
    unknown,
  };
}

const certificateNone: ParityReason = 'CertificateNone';

/** Adds to each the hosts for which it has no certificate and another cluster of the policy has one. */
function withCertificatesOfOthers(all: readonly Known[]): readonly ParityView[] {
  return all
    .map((known): ParityView => {
      const { policy, cluster, lacks, count, bare, unknown } = known;
      const others = all.filter((one) => one.policy === policy && one.cluster !== cluster);
      const without = [...bare].flatMap((host): readonly HostLack[] => {
        const other = others.find(({ certified }) => certified(host));
        if (other === undefined) return [];
        return [{ host, reason: certificateNone, message: `it has no certificate there, and one at ${other.cluster}` }];
      });
      return {
        policy,
        cluster,
        lacks: [...lacks, ...without].slice(0, mostNamed),
        count: count + without.length,
        unknown: [...Map.groupBy(unknown, ([, why]) => why)].map(([why, some]) => ({
          why,
          hosts: some.slice(0, 3).map(([host]) => host),
          count: some.length,
        })),
      };
    })
    .toSorted((a, b) => compareText(a.policy, b.policy) || compareText(a.cluster, b.cluster));
}

/** How many lacks of one policy at one cluster are named. */
const mostNamed = 100;
