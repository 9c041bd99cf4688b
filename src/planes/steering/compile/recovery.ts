import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { Entry, HealthCheck } from './entries.ts';

/** How long users may be led to a cluster after it failed: until the provider notices, and then until resolvers ask again. */
export interface Recovery {
  /** The clusters of which this is true, sorted. */
  readonly clusters: readonly string[];
  readonly detectSeconds: number;
  /** What `detectSeconds` is made of. */
  readonly detection: string;
  readonly ttlSeconds: number;
  /** `detectSeconds` and `ttlSeconds` together. Resolvers that keep answers for longer than they may are not in it. */
  readonly totalSeconds: number;
}

/** The slowest first; empty for a policy with no more than one cluster to answer with, which has nothing to fail over to. */
export function recoveriesOf(dialect: Dialect, policy: TrafficPolicy, entries: readonly Entry[]): readonly Recovery[] {
  const answering = entries.filter(({ checks }) => checks.length > 0);
  if (answering.length < 2) return [];
  const { ttlSeconds } = policy.spec;
  const grouped = Map.groupBy(answering, ({ checks }) => JSON.stringify(slowest(dialect, checks)));
  return [...grouped]
    .map(([, some]): Recovery => {
      const { seconds, because } = slowest(dialect, some[0]?.checks ?? []);
      const clusters = some.map(({ cluster }) => cluster);
      return {
        clusters,
        detectSeconds: seconds,
        detection: because,
        ttlSeconds,
        totalSeconds: seconds + ttlSeconds,
      };
    })
    .sort((a, b) => b.totalSeconds - a.totalSeconds);
}

/** The same of several policies, each with its name. */
export function recoveriesByPolicy(
  dialect: Dialect,
  policies: readonly { readonly policy: TrafficPolicy; readonly entries: readonly Entry[] }[],
): readonly (Recovery & { readonly policy: string })[] {
  return policies.flatMap(({ policy, entries }) =>
    recoveriesOf(dialect, policy, entries).map((one) => ({ policy: policy.metadata.name, ...one })),
  );
}

function slowest(dialect: Dialect, checks: readonly HealthCheck[]): ReturnType<Dialect['detection']> {
  const [most = { seconds: 0, because: '' }] = checks
    .map((check) => dialect.detection(check))
    .sort((a, b) => b.seconds - a.seconds);
  return most;
}

export function recoveryText({ clusters, detectSeconds, detection, ttlSeconds, totalSeconds }: Recovery): string {
  return `${clusters.join(', ')}: within ${duration(totalSeconds)} (${duration(detectSeconds)} for ${detection}, then the TTL of ${duration(ttlSeconds)})`;
}

/** Longer than this, a failover is no help to those who use the site at that moment. */
const longestSeconds = 300;

/** What to say about a policy whose failover takes so long that it is hardly one. */
export function slowRecoveries(policy: TrafficPolicy, recoveries: readonly Recovery[]): readonly SteeringNotice[] {
  const [slow] = recoveries;
  if (slow === undefined || slow.totalSeconds <= longestSeconds) return [];
  const most = longestSeconds - slow.detectSeconds;
  const fix =
    most > 0
      ? `at most ${most} in spec.ttlSeconds makes it ${duration(longestSeconds)}`
      : 'lower healthCheck.failureThreshold of the Clusters, and spec.ttlSeconds';
  const message = `policy ${policy.metadata.name}: users are led to a cluster for up to ${duration(slow.totalSeconds)} after it failed; ${fix}`;
  return [{ reason: 'SlowRecovery', message }];
}

/** `45 s`, `5 min`, `24 h`, and `90 s` rather than a fraction. */
export function duration(seconds: number): string {
  if (seconds > 0 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 7200) {
    const minutes = Math.floor((seconds % 3600) / 60);
    return `${Math.floor(seconds / 3600)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  if (seconds >= 300 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}
