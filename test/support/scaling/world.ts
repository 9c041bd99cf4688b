import { answersNow, drainedAt } from '../../../src/answers/answers.ts';
import { apiVersion } from '../../../src/model/contract.ts';
import { ScalingTarget } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import type { ScalingWorld } from '../../../src/planes/scaling/compile/world.ts';

/** A time at which no Drain of the examples is in force. */
export const nowMs = Date.UTC(2026, 10, 28, 12);

/** A target of the workload `web` in a region of the cloud of examples/hybrid; `changed` is of its spec. */
export function targetIn(site: string, changed: object = {}): ScalingTarget {
  return ScalingTarget.parse({
    apiVersion,
    kind: 'ScalingTarget',
    metadata: { name: `web-${site}` },
    spec: {
      cluster: 'cloud',
      site,
      workload: { kind: 'Deployment', namespace: 'video', name: `web-${site}` },
      policies: ['video'],
      callsPerSecond: 50,
      replicas: { min: 2, max: 10_000 },
      readySeconds: 120,
      ...changed,
    },
  });
}

/** The platform with these targets, and with data centres that carry so many requests a second. */
export function scaled(platform: Platform, targets: readonly ScalingTarget[], requestsPerSecond?: number): Platform {
  const clusters = new Map(
    [...platform.clusters].map(([name, cluster]) => [
      name,
      name === 'cloud' || requestsPerSecond === undefined
        ? cluster
        : { ...cluster, spec: { ...cluster.spec, capacity: { requestsPerSecond } } },
    ]),
  );
  return { ...platform, clusters, scalingTargets: new Map(targets.map((one) => [one.metadata.name, one])) };
}

/** The world in which these requests a second come, by country, all for the policy `video`. */
export function worldOf(
  platform: Platform,
  requestsPerSecond: Readonly<Record<string, number>>,
  unheard: readonly string[] = [],
): ScalingWorld {
  const { unknown: unknownPerSecond = 0, ...measured } = requestsPerSecond;
  return {
    platform,
    health: { down: new Set() },
    drained: drainedAt(platform, nowMs),
    answers: new Map([...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, nowMs)])),
    demand: {
      rates: { measuredAtMs: nowMs, requestsPerSecond: measured },
      unknownPerSecond,
      unheard,
      shares: new Map([['video', 1]]),
      factor: 1,
    },
  };
}
