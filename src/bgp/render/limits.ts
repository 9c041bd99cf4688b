import type { Site } from '../../model/spec/kinds.ts';
import type { GuardLimits } from '../guard.ts';

/** The guardrails of a server of this site. */
export function limitsOf(site: Site): GuardLimits {
  const { prefixes, limits } = site.spec;
  return {
    allowed: { pods: prefixes.pods, server: prefixes.servers, vip: prefixes.vips },
    maxRoutes: limits.maxRoutesPerServer,
    maxAnnouncementsPerMinute: limits.maxAnnouncementsPerMinute,
    maxWithdrawalsPerMinute: limits.maxWithdrawalsPerMinute,
  };
}
