import type { Prefix } from '../../model/address.ts';
import type { Site } from '../../model/spec/kinds.ts';
import type { GuardLimits } from '../guard.ts';

/** The guardrails of a server of this site. `beyond` has VIPs that an edit of the Site is about to take. */
export function limitsOf(site: Site, beyond: readonly Prefix[] = []): GuardLimits {
  const { prefixes, limits } = site.spec;
  return {
    allowed: { pods: prefixes.pods, server: prefixes.servers, vip: [...prefixes.vips, ...beyond] },
    maxRoutes: limits.maxRoutesPerServer,
    maxAnnouncementsPerMinute: limits.maxAnnouncementsPerMinute,
    maxWithdrawalsPerMinute: limits.maxWithdrawalsPerMinute,
  };
}
