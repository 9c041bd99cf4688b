import {
  type Answers,
  answersFor,
  answersNow,
  formatTiers,
  preferenceOf,
  type Tier,
} from '../../../answers/answers.ts';
import { formatShares } from '../../../answers/distribution.ts';
import { failureSets } from '../../../answers/failures.ts';
import { formatRecord } from '../../../answers/record.ts';
import { choicesOf } from '../../../answers/tiers.ts';
import { parseLoosePrefix, unmapped } from '../../../model/address.ts';
import { countryOf } from '../../../model/geo/countries.ts';
import { placeFix } from '../../../model/geo/meant.ts';
import { networkHolding } from '../../../model/geo/networks.ts';
import { countryOfPlace, stateOf } from '../../../model/geo/states.ts';
import { drainsOfCluster } from '../../../model/platform/drains.ts';
import { decidingOverlay } from '../../../model/platform/overlays.ts';
import { networksOfPolicy, policyOfHost } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { didYouMean } from '../../../model/spec/similar.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type AddressType, addressTypes, type Entry, entriesOf, entriesOfType, familyOf } from '../compile/entries.ts';
import { compileWith } from '../compile/intent.ts';
import { type Recovery, recoveriesOf, recoveryText } from '../compile/recovery.ts';
import { servedBy } from '../dialects/servable.ts';
import { dialects } from '../dialects/table.ts';
import { badInput } from '../reasons.ts';

/** Where users are led. */
interface Led {
  /** Over IPv4, where the families differ. */
  readonly answer: string;
  /** The answers of each family; absent where they are the same, or all addresses are of one family. */
  readonly families?: Readonly<Record<string, string>>;
  /** What records of a provider answer instead, where they cannot hold all of the policy; absent where they answer the same. */
  readonly otherwise?: readonly { readonly provider: string; readonly family: string; readonly answer: string }[];
}

/**
 * Why the users of a country, or of a network, get the answer they get, according to the spec. The answer is that while everything is healthy or, when clusters are
 * supposed to be down, while these are.
 */
export interface Explanation extends Led {
  readonly host: string;
  readonly country: string;
  /** The network that was asked about; absent when none was. */
  readonly network?: string;
  readonly policy: string;
  readonly rule: string;
  /** The overlay by which this rule decides; absent when the policy itself does. */
  readonly overlay?: {
    readonly name: string;
    readonly owner: string;
    readonly reason: string;
    readonly expires: string;
  };
  /** Clusters in order of preference: `paris > cloud > newyork`. */
  readonly preference: string;
  /** Clusters that these users never reach, whatever fails. */
  readonly never: readonly string[];
  /** What a provider holds of that order where it cannot hold all of it: `Route 53 A: paris > cloud`. */
  readonly held: readonly string[];
  readonly drained: readonly { readonly cluster: string; readonly reason: string; readonly expires: string }[];
  /** Clusters that are supposed to be down. */
  readonly supposed: readonly string[];
  /** The answers while one, two or all clusters have failed. */
  readonly failures: readonly (Led & { readonly failed: readonly string[] })[];
  /** The records that decide for these users in that health, when several decide; else empty. */
  readonly records: readonly string[];
  /** The providers whose records these are. */
  readonly recordsReadBy: readonly string[];
  /** How long these users may be led to a cluster after it failed, by provider. */
  readonly recovery: readonly (Recovery & { readonly provider: string })[];
  readonly addresses: readonly {
    readonly cluster: string;
    readonly addresses: readonly string[];
    /** How many of a family must answer for the cluster to be a first choice; absent where one is enough. */
    readonly minHealthyAddresses?: number;
  }[];
}

/** What an explanation supposes beside the country of the users. */
export interface Supposed {
  /** Clusters that are down. */
  readonly down?: readonly string[];
  /** An address or network in which the users are. */
  readonly network?: string;
}

/** Explains an answer. `country` is a code, or `unknown` for users whose location nobody knows; a network that a rule names beats it. */
export function explain(
  platform: Platform,
  host: string,
  country: string,
  nowMs: number,
  { down = [], network }: Supposed = {},
): Explanation {
  const policy = answeringPolicy(platform, host);
  const ofCountry = country === 'unknown' ? undefined : country.toUpperCase();
  if (ofCountry !== undefined && countryOf(ofCountry) === undefined && stateOf(ofCountry) === undefined) {
    throw badInput(
      'UnknownCountry',
      `${country} is not a country or state that answers can be given for; "unknown" is taken too`,
      placeFix(country),
    );
  }
  const code = (network === undefined ? undefined : networkOf(policy, network)) ?? ofCountry;
  const answers = answersNow(platform, policy, nowMs);
  const { tiers, rule, never } = preferenceOf(answers, code);
  const overlay = decidingOverlay(platform, policy.metadata.name, code);
  const entries = entriesOf(platform, policy);
  const clusters = entries.map((entry) => entry.cluster);
  const paths = pathsOf({ policy, answers, entries, host, code, down });
  const led = (failed: ReadonlySet<string>): Led => {
    const otherwise = paths.flatMap(({ cut }) => cut.flatMap((one) => answerOfCut(one, failed) ?? []));
    return { ...ledTo(tiers, entries, failed), ...(otherwise.length === 0 ? {} : { otherwise }) };
  };
  return {
    host,
    country: ofCountry ?? 'unknown',
    ...withoutUndefined({ network }),
    policy: policy.metadata.name,
    rule,
    ...(overlay === undefined
      ? {}
      : {
          overlay: {
            name: overlay.name,
            owner: overlay.proposal.owner,
            reason: overlay.reason,
            expires: overlay.proposal.expires,
          },
        }),
    preference: formatTiers(tiers),
    never,
    held: paths.flatMap(({ cut }) =>
      cut.map(({ provider, type, left }) => `${provider} ${type}: ${formatTiers(left)}`),
    ),
    drained: clusters.flatMap((cluster) =>
      drainsOfCluster(platform, cluster, nowMs).map(({ spec }) => ({
        cluster,
        reason: spec.reason,
        expires: spec.expires,
      })),
    ),
    ...led(new Set(down)),
    supposed: [...down].sort(),
    failures: failureSets(clusters)
      .filter(({ size }) => size > 0 && (size <= 2 || size === clusters.length))
      .map((failed) => ({ failed: [...failed].sort(), ...led(failed) })),
    records: paths.flatMap(({ records }) => records),
    recordsReadBy: paths.map(({ title }) => title),
    recovery: policy.spec.dns.providers.flatMap((provider) =>
      recoveriesOf(dialects[provider], policy, entries).map((one) => ({ provider, ...one })),
    ),
    addresses: entries.map(({ cluster, checks }) => ({
      cluster,
      addresses: checks.map(({ address }) => address),
      ...withoutUndefined({ minHealthyAddresses: checks[0]?.minHealthyAddresses }),
    })),
  };
}

/**
 * The network of a rule in which these users are; throws an InputError for a text that is no address or network of clients, and for a network
 * of which a rule names a part only.
 */
function networkOf({ metadata, spec }: TrafficPolicy, text: string): string | undefined {
  const asked = parseLoosePrefix(text);
  if (asked === undefined)
    throw badInput('BadNetwork', `${text} is neither an address nor a network`, 'write it like 192.0.2.0/24');
  const plain = unmapped(asked);
  if (plain !== undefined)
    throw badInput(
      'BadNetwork',
      `${text} is an IPv4-mapped form, which no client has`,
      `write ${text.includes('/') ? plain.text : plain.network}`,
    );
  const networks = networksOfPolicy(spec);
  const holding = networkHolding(networks, text);
  const parts = holding === undefined ? networks.filter((one) => networkHolding([asked.text], one) !== undefined) : [];
  if (parts.length > 0) {
    const named = parts.length > 6 ? `${parts.slice(0, 5).join(', ')} and ${parts.length - 5} more` : parts.join(', ');
    throw badInput(
      'NetworkTooWide',
      `${text} has no one answer: policy ${metadata.name} has rules for parts of it, ${named}`,
      `ask for ${parts.length > 1 ? 'one of these' : named}, or for an address outside`,
    );
  }
  return holding;
}

/** The policy that answers for a host; throws an InputError when there is none. */
export function answeringPolicy(platform: Platform, host: string): TrafficPolicy {
  const policy = policyOfHost(platform, host);
  if (policy !== undefined) return policy;
  const hosts = [...platform.policies.values()].flatMap(({ spec }) => spec.hosts);
  const fix = didYouMean(host, hosts, 'ask for a host of spec.hosts of a TrafficPolicy');
  throw badInput('NoPolicy', `no policy answers for ${host}`, fix);
}

/** The lines of an explanation as a person reads it. */
export function renderExplanation(explanation: Explanation): readonly string[] {
  const { host, country, policy, rule, overlay, preference, drained, failures, records, recordsReadBy } = explanation;
  return [
    `${host} for ${country}${inText(explanation)}${supposedText(explanation)}: ${ledText(explanation)}`,
    `  because: policy ${policy}, ${rule}`,
    ...(overlay === undefined
      ? []
      : [`  by overlay: ${overlay.name} of ${overlay.owner}, until ${overlay.expires}: ${overlay.reason}`]),
    `  order: ${preference}`,
    ...(explanation.never.length === 0
      ? []
      : [`  never: ${explanation.never.join(', ')}, also when all of the order has failed (spec.never)`]),
    ...explanation.held.map((order) => `  of which the records hold, ${order}`),
    ...drained.map(({ cluster, reason, expires }) => `  drained: ${cluster} until ${expires}: ${reason}`),
    '  when clusters fail:',
    ...failures.map((one) => `    without ${one.failed.join(' and ')}: ${ledText(one)}`),
    ...explanation.recovery.map((one) => `  time to recover at ${one.provider}: ${recoveryText(one)}`),
    ...(records.length === 0
      ? []
      : [
          `  records that the policy has in ${recordsReadBy.join(' and ')}, where it is applied:`,
          ...records.map((record) => `    ${record}`),
        ]),
    '  addresses:',
    ...explanation.addresses.map(
      ({ cluster, addresses, minHealthyAddresses = 1 }) =>
        `    ${cluster}: ${addresses.join(', ') || 'none public'}${minHealthyAddresses > 1 ? `; a first choice only while ${minHealthyAddresses} of a family answer` : ''}`,
    ),
  ];
}

/** A rule that names the network decides; without one the country does. */
function inText({ network }: Explanation): string {
  return network === undefined ? '' : ` in ${network}`;
}

function supposedText({ supposed }: Explanation): string {
  if (supposed.length === 0) return '';
  return ` while ${supposed.join(' and ')} ${supposed.length === 1 ? 'is' : 'are'} down, as supposed`;
}

/** Where an order of clusters leads while some are down. A cluster without an address of a family answers nobody in it. */
function ledTo(tiers: readonly Tier[], entries: readonly Entry[], failed: ReadonlySet<string>): Led {
  const families = addressTypes.flatMap((type) => {
    const left = servedBy(tiers, entriesOfType(entries, type));
    return left.length === 0 ? [] : [[familyOf(type), formatShares(answersFor(left, failed))] as const];
  });
  const [[, answer] = ['', formatShares(answersFor(tiers, failed))]] = families;
  return families.every(([, other]) => other === answer)
    ? { answer }
    : { answer, families: Object.fromEntries(families) };
}

/** `newyork over IPv4; cloud over IPv6`, where they differ; then what records that cannot hold the policy answer instead. */
function ledText({ answer, families, otherwise = [] }: Led): string {
  const wanted =
    families === undefined
      ? answer
      : Object.entries(families)
          .map(([family, text]) => `${text} over ${family}`)
          .join('; ');
  const others = otherwise.map((one) => `, but the records of ${one.provider} answer ${one.answer} over ${one.family}`);
  return `${wanted}${others.join('')}`;
}

/** An order of clusters of which the records of a provider hold a part only. */
interface Cut {
  readonly provider: string;
  readonly type: AddressType;
  readonly wanted: readonly Tier[];
  readonly left: readonly Tier[];
}

/** What the records answer while some clusters are down, where that is not what the policy wants. */
function answerOfCut({ provider, type, wanted, left }: Cut, failed: ReadonlySet<string>) {
  const [answer, policy] = [left, wanted].map((tiers) => formatShares(answersFor(tiers, failed)));
  return answer === undefined || answer === policy ? undefined : { provider, family: familyOf(type), answer };
}

interface Path {
  readonly title: string;
  readonly records: readonly string[];
  readonly cut: readonly Cut[];
}

/** For each provider of the policy whose answers pass several names: the records that decide, as that provider reads them. */
function pathsOf(question: {
  readonly policy: TrafficPolicy;
  readonly answers: Answers;
  readonly entries: readonly Entry[];
  readonly host: string;
  readonly code: string | undefined;
  readonly down: readonly string[];
}): readonly Path[] {
  const { policy, answers, entries, host, code, down } = question;
  const dead = new Set(
    entries
      .filter(({ cluster }) => down.includes(cluster))
      .flatMap(({ checks }) => checks.map(({ address }) => address)),
  );
  const layered = policy.spec.dns.providers.map((name) => dialects[name]).filter(({ limits }) => limits.levels > 1);
  const paths = layered.map((dialect): Path => {
    const { records, effective } = compileWith(dialect, policy, answers, entries);
    const reading = dialect.interpret(records);
    const failed = reading.checks.filter(({ address }) => dead.has(address));
    const trace = [...effective.keys()].flatMap((type) => reading.view(host, type, failed).trace(code));
    const { tiers } = preferenceOf(answers, code);
    const cut = [...effective].flatMap(([type, byCountry]): readonly Cut[] => {
      const addresses = entriesOfType(entries, type);
      const wanted = servedBy(tiers, addresses);
      const left = byCountry.get(code ?? '') ?? byCountry.get(countryOfPlace(code ?? '')) ?? [];
      return sameOrder(wanted, left) ? [] : [{ provider: dialect.title, type, wanted, left }];
    });
    return { title: dialect.title, records: trace.map(formatRecord), cut };
  });
  return paths.filter(({ records }) => records.length > 0);
}

/** True when both name the same clusters in the same order; weights may be scaled. */
function sameOrder(a: readonly Tier[], b: readonly Tier[]): boolean {
  const [first, second] = [a, b].map((tiers) =>
    tiers.filter(({ length }) => length > 0).map((tier) => tier.map((one) => choicesOf(one).join('>')).join()),
  );
  return first?.join(' > ') === second?.join(' > ');
}
