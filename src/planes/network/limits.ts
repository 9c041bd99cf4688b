import type { GuardLimits } from '../../bgp/guard.ts';
import type { Prefix } from '../../model/address.ts';
import type { Site } from '../../model/spec/kinds.ts';

/**
 * The guardrails of a worker of a cluster with these sites: it may announce the pod and server prefixes of any of them
 * (the compile step has already kept to the worker's own site), and no VIP. `beyond` has what it may announce all the same: what
 * an edit of a Site is about to take.
 */
export function limitsOfSites(sites: readonly Site[], beyond: readonly Prefix[] = []): GuardLimits {
  const least = (pick: (limits: Site['spec']['limits']) => number): number =>
    Math.min(...sites.map(({ spec }) => pick(spec.limits)));
  return {
    allowed: {
      pods: [...sites.flatMap(({ spec }) => spec.prefixes.pods), ...beyond],
      server: [...sites.flatMap(({ spec }) => spec.prefixes.servers), ...beyond],
      vip: [],
    },
    maxRoutes: least(({ maxRoutesPerServer }) => maxRoutesPerServer),
    maxAnnouncementsPerMinute: least(({ maxAnnouncementsPerMinute }) => maxAnnouncementsPerMinute),
    maxWithdrawalsPerMinute: least(({ maxWithdrawalsPerMinute }) => maxWithdrawalsPerMinute),
  };
}
