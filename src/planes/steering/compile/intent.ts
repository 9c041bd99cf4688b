import { type Answers, answersNow } from '../../../answers/answers.ts';
import { groupKey, type RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import type { Compiled, Dialect, ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { SteeringError, type SteeringNotice } from '../reasons.ts';
import type { WantedZone } from '../records/changes.ts';
import { type Entry, entriesOf, type HealthCheck } from './entries.ts';
import { type Verification, verify } from './verify.ts';

/** Everything that the spec wants of one zone at one provider. */
export interface Intent {
  readonly wanted: WantedZone;
  readonly healthChecks: readonly HealthCheck[];
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

/** Compiles the policies of one zone and provider, and verifies the records. Drains that expire before `nowMs` do not count. */
export function intentOf(platform: Platform, provider: ProviderName, zone: string, nowMs: number): Intent {
  const policies = [...platform.policies.values()]
    .filter(({ spec }) => spec.dns.zone === zone && spec.dns.providers.includes(provider))
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name));
  const compiled = policies.map((policy) => compilePolicy(platform, dialects[provider], policy, nowMs));
  return {
    wanted: {
      zone,
      records: compiled.flatMap(({ records }) => records),
      hosts: policies.flatMap(({ spec }) => spec.hosts).sort(),
    },
    healthChecks: compiled.flatMap(({ healthChecks }) => healthChecks),
    notices: compiled.flatMap(({ notices }) => notices),
    policies: compiled.map(({ intent }) => intent),
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

function compilePolicy(platform: Platform, dialect: Dialect, policy: TrafficPolicy, nowMs: number) {
  const answers = answersNow(platform, policy, nowMs);
  const entries = entriesOf(platform, policy);
  const compiled = compileWith(dialect, policy, answers, entries);
  refuseCrowdedNames(dialect, compiled.records);
  const verification = verify(dialect, compiled, policy.spec.hosts, entries);
  const intent: PolicyIntent = { policy, answers, entries, verification };
  const { records, healthChecks } = compiled;
  const notices = compiled.notices.map((notice) => ({
    ...notice,
    message: `policy ${policy.metadata.name}: ${notice.message}`,
  }));
  return { records, healthChecks, notices, intent };
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
