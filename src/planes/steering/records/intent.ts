import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { drainsOfCluster } from '../../../model/spec/lookup.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Answers, answersOf } from '../policy/answers.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { WantedZone } from './changes.ts';
import { type Entry, entriesOf } from './entries.ts';
import { compileLua } from './lua.ts';
import type { HealthCheck } from './record.ts';
import { compileTree } from './tree.ts';
import { type Verification, verifyTree } from './verify.ts';

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
  /** Absent for PowerDNS, whose records hold the answers as they are. */
  readonly verification?: Verification;
}

type ProviderName = TrafficPolicy['spec']['dns']['providers'][number];

/** Zones by provider that the policies name, sorted. */
export function zonesOf(platform: Platform): readonly { readonly provider: ProviderName; readonly zone: string }[] {
  const pairs = [...platform.policies.values()].flatMap(({ spec }) =>
    spec.dns.providers.map((provider) => `${provider} ${spec.dns.zone}`),
  );
  return [...new Set(pairs)].sort().map((pair) => {
    const [provider, zone = ''] = pair.split(' ');
    return { provider: provider === 'route53' ? 'route53' : 'powerdns', zone };
  });
}

/** Compiles the policies of one zone and provider, and verifies what was compiled. `nowMs` ends expired drains. */
export function intentOf(platform: Platform, provider: ProviderName, zone: string, nowMs: number): Intent {
  const policies = [...platform.policies.values()]
    .filter(({ spec }) => spec.dns.zone === zone && spec.dns.providers.includes(provider))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const compiled = policies.map((policy) => compilePolicy(platform, provider, policy, nowMs));
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

/** The answers of a policy with the drains that are in force. */
export function answersNow(platform: Platform, policy: TrafficPolicy, nowMs: number): Answers {
  const drained = [...platform.clusters.keys()].filter((name) => drainsOfCluster(platform, name, nowMs).length > 0);
  return answersOf(policy, new Set(drained));
}

function compilePolicy(platform: Platform, provider: ProviderName, policy: TrafficPolicy, nowMs: number) {
  const answers = answersNow(platform, policy, nowMs);
  const entries = entriesOf(platform, policy);
  const { hosts, ttlSeconds, dns } = policy.spec;
  const input = { answers, hosts, zone: dns.zone, ttlSeconds, entries };
  const named = (notice: SteeringNotice): SteeringNotice => ({
    ...notice,
    message: `policy ${policy.metadata.name}: ${notice.message}`,
  });
  if (provider === 'powerdns') {
    const { records, notices } = compileLua(input);
    return { records, healthChecks: [], notices: notices.map(named), intent: { policy, answers, entries } };
  }
  const tree = compileTree(input);
  const verification = verifyTree(tree, hosts, entries);
  const intent: PolicyIntent = { policy, answers, entries, verification };
  return { records: tree.records, healthChecks: tree.healthChecks, notices: tree.notices.map(named), intent };
}
