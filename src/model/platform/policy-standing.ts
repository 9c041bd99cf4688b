import type { TrafficPolicy } from '../spec/kinds.ts';
import type { ZoneConditionView, ZoneView } from '../steering-status.ts';

/** Why a policy is in force in DNS or is not, beside the reasons for which a zone waits or fails. */
export const standingReasons = {
  InForce: 'Every zone of the policy answers as the policy says.',
  NotApplied: 'Records of the policy are to be written; nothing was refused.',
  NotLookedAt: 'Whoever looked last did not look at every zone of the policy.',
} as const;

type StandingReason = keyof typeof standingReasons;

/** Whether DNS answers as a policy says; `Unknown` while a zone cannot be read. */
export interface Standing {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  /** A clause. */
  readonly message: string;
}

/** Those of the zones that hold records of the policy. */
export function zonesOfPolicy({ spec }: TrafficPolicy, zones: readonly ZoneView[]): readonly ZoneView[] {
  return zones.filter(
    ({ provider, zone }) => zone === spec.dns.zone && spec.dns.providers.some((one) => one === provider),
  );
}

/**
 * Whether the zones answer as the policy says. What only another policy of a zone waits for does not count: a zone is planned as a whole, and
 * its plan names the policies that it writes.
 */
export function standingOf(policy: TrafficPolicy, zones: readonly ZoneView[]): Standing {
  const standings = policy.spec.dns.providers.map((provider) => {
    const zone = zonesOfPolicy(policy, zones).find((one) => one.provider === provider);
    const where = `${provider} zone ${policy.spec.dns.zone}`;
    return zone === undefined ? notLookedAt(where) : standingInZone(policy, zone, where);
  });
  return (
    standings.find(({ status }) => status === 'False') ??
    standings.find(({ status }) => status === 'Unknown') ?? {
      status: 'True',
      reason: 'InForce' satisfies StandingReason,
      message: standings.map(({ message }) => message).join('; '),
    }
  );
}

function notLookedAt(where: string): Standing {
  return { status: 'Unknown', reason: 'NotLookedAt' satisfies StandingReason, message: `${where} was not looked at` };
}

function standingInZone({ metadata, spec }: TrafficPolicy, zone: ZoneView, where: string): Standing {
  const { state, conditions, plan, generation } = zone;
  if (state === 'unknown' || state === 'standby') return notLookedAt(where);
  const held = conditions.find(({ host }) => host !== undefined && spec.hosts.includes(host));
  if (held !== undefined) return because('False', held, where);
  const writes = plan?.policies.includes(metadata.name) === true;
  const general = conditions.find(({ host }) => host === undefined);
  if (state === 'fails' && general !== undefined) return because(writes ? 'False' : 'Unknown', general, where);
  if (!writes || state === 'inForce')
    return {
      status: 'True',
      reason: 'InForce' satisfies StandingReason,
      message: `${where} answers so, at generation ${generation ?? 0}`,
    };
  return because(
    'False',
    general ?? { reason: 'NotApplied' satisfies StandingReason, message: 'the plan is not carried out' },
    where,
  );
}

function because(
  status: Standing['status'],
  { reason, message, fix }: Pick<ZoneConditionView, 'reason' | 'message' | 'fix'>,
  where: string,
): Standing {
  return { status, reason, message: `${where}: ${message}${fix === undefined ? '' : `; ${fix}`}` };
}
