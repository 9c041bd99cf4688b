import type { Platform } from '../../../src/model/spec/platform.ts';
import { SteeringAgent, type SteeringAgentOptions } from '../../../src/planes/steering/agent.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { Registry } from '../../../src/runtime/metrics.ts';

/** A steering agent whose spec nobody doubts, which looks at the zones every second and sees every entry healthy. */
export function steeringAgent(
  given: Pick<SteeringAgentOptions, 'platform' | 'hands' | 'read'> & Partial<SteeringAgentOptions>,
): SteeringAgent {
  return new SteeringAgent({
    trouble: () => ({ unread: [], doubts: [], odd: [] }),
    providers: 'all',
    probe: async () => 'healthy',
    by: 'agent@test',
    specWords: ['FOLDER'],
    everyMs: 1000,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    registry: new Registry(),
    ...given,
  });
}

/** The platform with a Drain of this cluster that ends at this moment. */
export function withDrainOf(platform: Platform, cluster: string, expiresMs: number): Platform {
  const name = `${cluster}-works`;
  const expires = new Date(expiresMs).toISOString();
  const drain = {
    apiVersion: 'tideline.dev/v1alpha1' as const,
    kind: 'Drain' as const,
    metadata: { name },
    spec: { target: { kind: 'Cluster' as const, name: cluster }, force: false, reason: 'works', expires },
  };
  return { ...platform, drains: new Map(platform.drains).set(name, drain) };
}

/** The platform with a Freeze that does not end by itself. */
export function withFreeze(platform: Platform): Platform {
  const freeze = {
    apiVersion: 'tideline.dev/v1alpha1' as const,
    kind: 'Freeze' as const,
    metadata: { name: 'platform' },
    spec: { reason: 'incident 7', by: 'anna', since: '2026-11-27T10:00:00Z' },
  };
  return { ...platform, freezes: new Map(platform.freezes).set('platform', freeze) };
}

/** The platform whose policies allow this share of the traffic to move, of each plan alone. */
export function withGuard(platform: Platform, maxTrafficShare: number, maxFailoverShare = maxTrafficShare): Platform {
  const policies = [...platform.policies].map(([name, policy]) => {
    const guard = { ...policy.spec.guard, maxTrafficShare, maxFailoverShare, windowMinutes: 0 };
    return [name, { ...policy, spec: { ...policy.spec, guard } }] as const;
  });
  return { ...platform, policies: new Map(policies) };
}
