import { type Answers, answersNow } from '../../../answers/answers.ts';
import type { Holds } from '../../../answers/hold.ts';
import { groupKey, type RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import type { Compiled, Dialect, ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { SteeringError, type SteeringNotice } from '../reasons.ts';
import type { WantedZone } from '../records/changes.ts';
import type { Collection } from './collections.ts';
import type { CountingCheck } from './counting.ts';
import { type Entry, entriesOf, type HealthCheck } from './entries.ts';
import { recoveriesOf, slowRecoveries } from './recovery.ts';
import { type Verification, Verifier } from './verify.ts';

/** Everything that the spec wants of one zone at one provider. */
export interface Intent {
  readonly wanted: WantedZone;
  readonly healthChecks: readonly HealthCheck[];
  readonly countingChecks: readonly CountingCheck[];
  /** The collections of networks that the records refer to, each once. */
  readonly collections: readonly Collection[];
  readonly notices: readonly SteeringNotice[];
  readonly policies: readonly PolicyIntent[];
}

interface PolicyIntent {
  readonly policy: TrafficPolicy;
  readonly answers: Answers;
  readonly entries: readonly Entry[];
  readonly verification: Verification;
}

export interface ZoneAtProvider {
  readonly provider: ProviderName;
  readonly zone: string;
}

/** The zones that the policies name, each with its provider, sorted by provider and zone. */
export function zonesOf(platform: Platform): readonly ZoneAtProvider[] {
  const pairs = [...platform.policies.values()].flatMap(({ spec }) =>
    spec.dns.providers.map((provider) => ({ provider, zone: spec.dns.zone })),
  );
  const textOf = ({ provider, zone }: ZoneAtProvider): string => `${provider} ${zone}`;
  const distinct = new Map(pairs.map((pair) => [textOf(pair), pair]));
  return [...distinct.values()].sort((a, b) => compareText(textOf(a), textOf(b)));
}

/** The policies of one zone and provider, sorted by name. */
export function policiesOf(platform: Platform, provider: ProviderName, zone: string): readonly TrafficPolicy[] {
  return [...platform.policies.values()]
    .filter(({ spec }) => spec.dns.zone === zone && spec.dns.providers.includes(provider))
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name));
}

/**
 * Compiles the policies of one zone and provider, with what the zone holds back, and verifies the records. Drains that expire before
 * `nowMs` do not count.
 */
export function intentOf(
  platform: Platform,
  provider: ProviderName,
  zone: string,
  nowMs: number,
  holds: Holds = new Map(),
): Intent {
  const policies = policiesOf(platform, provider, zone);
  const dialect = dialects[provider];
  const compiled = policies.map((policy) => {
    const answers = answersNow(platform, policy, nowMs, holds.get(policy.metadata.name));
    return compilePolicy(platform, dialect, policy, answers);
  });
  const records = compiled.flatMap(({ result }) => result.records);
  const verifier = new Verifier(dialect.interpret(records));
  return {
    wanted: {
      zone,
      records,
      hosts: policies.flatMap(({ spec }) => spec.hosts).sort(),
    },
    healthChecks: compiled.flatMap(({ result }) => result.healthChecks),
    countingChecks: compiled.flatMap(({ result }) => result.countingChecks),
    collections: [
      ...new Map(
        compiled.flatMap(({ result: { collection } }) => (collection ? [[collection.key, collection]] : [])),
      ).values(),
    ],
    notices: compiled.flatMap((one) => noticesOf(dialect, one)),
    policies: compiled.map(({ policy, answers, entries, result }) => {
      const verification = verifier.verify(result, policy.spec.hosts, entries);
      return { policy, answers, entries, verification };
    }),
  };
}

/** Compiles one policy with a dialect, without verification; `explain` uses it too. */
export function compileWith(
  dialect: Dialect,
  policy: TrafficPolicy,
  answers: Answers,
  entries: readonly Entry[],
): Compiled {
  const { hosts, ttlSeconds, dns } = policy.spec;
  return dialect.compile({ answers, hosts, zone: dns.zone, ttlSeconds, entries });
}

interface CompiledPolicy extends Omit<PolicyIntent, 'verification'> {
  readonly result: Compiled;
}

function compilePolicy(platform: Platform, dialect: Dialect, policy: TrafficPolicy, answers: Answers): CompiledPolicy {
  const entries = entriesOf(platform, policy);
  const result = compileWith(dialect, policy, answers, entries);
  refuseCrowdedNames(dialect, result.records);
  refuseLongValues(dialect, policy, result.records);
  return { policy, answers, entries, result };
}

function noticesOf(dialect: Dialect, { policy, entries, result }: CompiledPolicy): readonly SteeringNotice[] {
  const named = result.notices.map((notice) => ({
    ...notice,
    message: `policy ${policy.metadata.name}: ${notice.message}`,
  }));
  return [...named, ...slowRecoveries(policy, recoveriesOf(dialect, policy, entries))];
}

/**
 * Throws TooManyRecords where the provider would refuse a name. A dialect that can come near its limits refuses earlier, and
 * says what to change.
 */
function refuseCrowdedNames({ title, limits }: Dialect, records: readonly RecordSet[]): void {
  for (const [key, group] of Map.groupBy(records, groupKey)) {
    if (group.length <= limits.recordsPerName) continue;
    throw new SteeringError(
      'TooManyRecords',
      `${key} would have ${group.length} records, ${title} takes ${limits.recordsPerName}`,
    );
  }
}

/** Throws RecordTooLarge where a value is longer than the provider holds. */
function refuseLongValues({ title, limits }: Dialect, policy: TrafficPolicy, records: readonly RecordSet[]): void {
  for (const { name, type, target } of records) {
    const longest = target.kind === 'values' ? Math.max(0, ...target.values.map(({ length }) => length)) : 0;
    if (longest <= limits.valueCharacters) continue;
    throw new SteeringError(
      'RecordTooLarge',
      `policy ${policy.metadata.name}: ${name} ${type} would have ${longest} characters, ${title} takes ${limits.valueCharacters}; let more countries share their order of clusters, or name fewer clusters`,
    );
  }
}
