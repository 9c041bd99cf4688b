import { type Answers, answersFor, answersNow, formatTiers, preferenceOf } from '../../../answers/answers.ts';
import { formatShares } from '../../../answers/distribution.ts';
import { failureSets } from '../../../answers/failures.ts';
import { formatRecord } from '../../../answers/record.ts';
import { countryOf } from '../../../model/geo/countries.ts';
import { countryMeant } from '../../../model/geo/meant.ts';
import { drainsOfCluster } from '../../../model/platform/drains.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Entry, entriesOf } from '../compile/entries.ts';
import { compileWith } from '../compile/intent.ts';
import { dialects } from '../dialects/table.ts';
import { badInput } from '../reasons.ts';

/** Why the users of a country get the answer they get, according to the spec. */
export interface Explanation {
  readonly host: string;
  readonly country: string;
  readonly policy: string;
  readonly rule: string;
  /** Clusters in order of preference: `paris > cloud > newyork`. */
  readonly preference: string;
  readonly drained: readonly { readonly cluster: string; readonly reason: string; readonly expires: string }[];
  readonly answer: string;
  /** The answers while one, two or all clusters have failed. */
  readonly failures: readonly { readonly failed: readonly string[]; readonly answer: string }[];
  /** The records that decide for these users while all is healthy, when several decide; else empty. */
  readonly records: readonly string[];
  /** The providers whose records these are. */
  readonly recordsReadBy: readonly string[];
  readonly addresses: readonly { readonly cluster: string; readonly addresses: readonly string[] }[];
}

/** Explains an answer. `country` is a code, or `unknown` for users whose location nobody knows. */
export function explain(platform: Platform, host: string, country: string, nowMs: number): Explanation {
  const policy = [...platform.policies.values()].find(({ spec }) => spec.hosts.includes(host));
  if (policy === undefined) {
    throw badInput('NoPolicy', `no policy answers for ${host}`, 'ask for a host of spec.hosts of a TrafficPolicy');
  }
  const code = country === 'unknown' ? undefined : country.toUpperCase();
  if (code !== undefined && countryOf(code) === undefined) {
    const meant = countryMeant(country);
    throw badInput(
      'UnknownCountry',
      `${country} is not a country that answers can be given for; "unknown" is taken too`,
      meant === undefined
        ? 'give an ISO 3166-1 alpha-2 code, e.g. FR'
        : `did you mean "${meant.code}" (${meant.name})?`,
    );
  }
  const answers = answersNow(platform, policy, nowMs);
  const { tiers, rule } = preferenceOf(answers, code);
  const entries = entriesOf(platform, policy);
  const clusters = entries.map((entry) => entry.cluster);
  const paths = pathsOf({ policy, answers, entries, host, code });
  return {
    host,
    country: code ?? 'unknown',
    policy: policy.metadata.name,
    rule,
    preference: formatTiers(tiers),
    drained: clusters.flatMap((cluster) =>
      drainsOfCluster(platform, cluster, nowMs).map(({ spec }) => ({
        cluster,
        reason: spec.reason,
        expires: spec.expires,
      })),
    ),
    answer: formatShares(answersFor(tiers, new Set())),
    failures: failureSets(clusters)
      .filter(({ size }) => size > 0 && (size <= 2 || size === clusters.length))
      .map((failed) => ({ failed: [...failed].sort(), answer: formatShares(answersFor(tiers, failed)) })),
    records: paths.flatMap(({ records }) => records),
    recordsReadBy: paths.map(({ title }) => title),
    addresses: entries.map(({ cluster, checks }) => ({ cluster, addresses: checks.map(({ address }) => address) })),
  };
}

/** The lines of an explanation as a person reads it. */
export function renderExplanation(explanation: Explanation): readonly string[] {
  const { host, country, policy, rule, preference, drained, answer, failures, records, recordsReadBy } = explanation;
  return [
    `${host} for ${country}: ${answer}`,
    `  because: policy ${policy}, ${rule}`,
    `  order: ${preference}`,
    ...drained.map(({ cluster, reason, expires }) => `  drained: ${cluster} until ${expires}: ${reason}`),
    '  when clusters fail:',
    ...failures.map(({ failed, answer: then }) => `    without ${failed.join(' and ')}: ${then}`),
    ...(records.length === 0
      ? []
      : [`  records that ${recordsReadBy.join(', ')} reads:`, ...records.map((record) => `    ${record}`)]),
    '  addresses:',
    ...explanation.addresses.map(
      ({ cluster, addresses }) => `    ${cluster}: ${addresses.join(', ') || 'none public'}`,
    ),
  ];
}

interface Path {
  readonly title: string;
  readonly records: readonly string[];
}

/** For each provider of the policy whose answers pass several names: the records that decide, as that provider reads them. */
function pathsOf(question: {
  readonly policy: TrafficPolicy;
  readonly answers: Answers;
  readonly entries: readonly Entry[];
  readonly host: string;
  readonly code: string | undefined;
}): readonly Path[] {
  const { policy, answers, entries, host, code } = question;
  const layered = policy.spec.dns.providers.map((name) => dialects[name]).filter(({ limits }) => limits.levels > 1);
  const paths = layered.map((dialect): Path => {
    const { records, effective } = compileWith(dialect, policy, answers, entries);
    const reading = dialect.interpret(records);
    const trace = [...effective.keys()].flatMap((type) => reading.view(host, type, []).trace(code));
    return { title: dialect.title, records: trace.map(formatRecord) };
  });
  return paths.filter(({ records }) => records.length > 0);
}
