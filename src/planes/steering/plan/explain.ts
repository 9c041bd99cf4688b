import { countryOf } from '../../../model/geo/countries.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { drainsOfCluster } from '../../../model/spec/lookup.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Answers, answersFor, formatTiers, preferenceOf } from '../policy/answers.ts';
import { SteeringError } from '../reasons.ts';
import { type Entry, entriesOf } from '../records/entries.ts';
import { answersNow } from '../records/intent.ts';
import { Interpreter } from '../records/interpreter.ts';
import { formatRecord } from '../records/record.ts';
import { compileTree } from '../records/tree.ts';
import { failureSets, formatShares } from '../records/verify.ts';

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
  /** What each set of one or two failed clusters, and the loss of all, would give. */
  readonly failures: readonly { readonly failed: readonly string[]; readonly answer: string }[];
  /** The records that Route 53 reads for these users while all is healthy; empty when the policy does not use it. */
  readonly records: readonly string[];
  readonly addresses: readonly { readonly cluster: string; readonly addresses: readonly string[] }[];
}

/** `country` is a code, or `unknown` for users whose location nobody knows. */
export function explain(platform: Platform, host: string, country: string, nowMs: number): Explanation {
  const policy = [...platform.policies.values()].find(({ spec }) => spec.hosts.includes(host));
  if (policy === undefined) throw new SteeringError('NoPolicy', `no policy answers for ${host}`);
  const code = country === 'unknown' ? undefined : country.toUpperCase();
  if (code !== undefined && countryOf(code) === undefined) {
    throw new SteeringError(
      'UnknownCountry',
      `${country} is not a country that answers can be given for; "unknown" is taken too`,
    );
  }
  const answers = answersNow(platform, policy, nowMs);
  const { tiers, rule } = preferenceOf(answers, code);
  const entries = entriesOf(platform, policy);
  const clusters = entries.map((entry) => entry.cluster);
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
    records: policy.spec.dns.providers.includes('route53') ? recordsFor({ policy, answers, entries, host, code }) : [],
    addresses: entries.map(({ cluster, checks }) => ({ cluster, addresses: checks.map(({ address }) => address) })),
  };
}

export function renderExplanation(explanation: Explanation): string {
  const { host, country, policy, rule, preference, drained, answer, failures, records } = explanation;
  return [
    `${host} for ${country}: ${answer}`,
    `  because: policy ${policy}, ${rule}`,
    `  order: ${preference}`,
    ...drained.map(({ cluster, reason, expires }) => `  drained: ${cluster} until ${expires}: ${reason}`),
    '  when clusters fail:',
    ...failures.map(({ failed, answer: then }) => `    without ${failed.join(' and ')}: ${then}`),
    ...(records.length === 0 ? [] : ['  records that Route 53 reads:', ...records.map((record) => `    ${record}`)]),
    '  addresses:',
    ...explanation.addresses.map(
      ({ cluster, addresses }) => `    ${cluster}: ${addresses.join(', ') || 'none public'}`,
    ),
    '',
  ].join('\n');
}

function recordsFor(question: {
  readonly policy: TrafficPolicy;
  readonly answers: Answers;
  readonly entries: readonly Entry[];
  readonly host: string;
  readonly code: string | undefined;
}): readonly string[] {
  const { policy, answers, entries, host, code } = question;
  const { hosts, ttlSeconds, dns } = policy.spec;
  const tree = compileTree({ answers, hosts, zone: dns.zone, ttlSeconds, entries });
  const interpreter = new Interpreter(tree.records);
  return [...tree.effective.keys()].flatMap((type) =>
    interpreter
      .query({ name: host, type }, () => true)
      .trace(code)
      .map(formatRecord),
  );
}
