import { type Return, type Returns, returningOverlays } from '../../../answers/returns.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { policiesOf } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { ZoneState } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import { readReturns } from '../records/holds.ts';
import type { Task } from '../records/scope.ts';
import { isoTime } from './guard.ts';
import { stepText } from './holds.ts';

/** A zone as somebody read it. */
type AtProvider = Pick<ZoneState, 'zone' | 'records'> & { readonly provider: ProviderName };

/** Which overlays that have ended the zone still follows, as the policies and overlays are now. */
export function standingReturns(platform: Platform, { provider, zone, records }: AtProvider): Returns {
  const standing = readReturns(zone, records);
  return new Map(
    policiesOf(platform, provider, zone).flatMap((policy) => {
      const known = new Set(returningOverlays(platform, policy).map(({ name }) => name));
      const some = (standing.get(policy.metadata.name) ?? []).filter(({ overlay }) => known.has(overlay));
      return some.length === 0 ? [] : [[policy.metadata.name, some] as const];
    }),
  );
}

/** The same when the task is done. */
export function returnsAfter(task: Task, platform: Platform, at: AtProvider): Returns {
  if (task.kind === 'everything' && task.returns !== undefined) return task.returns;
  return standingReturns(platform, at);
}

/** Where the users of overlays that have ended stand. */
export function returnNotices(policies: readonly TrafficPolicy[], returns: Returns): readonly SteeringNotice[] {
  return returnViews(policies, returns).map(({ policy, overlay, sinceMs, ends }) => ({
    reason: 'OverlayReturning',
    message: `policy ${policy}: overlay ${overlay} has ended; since ${isoTime(sinceMs)} ${ends}`,
  }));
}

/** The same, each with how it ends, as a clause. */
export function returnViews(
  policies: readonly TrafficPolicy[],
  returns: Returns,
): readonly (Omit<Return, 'back'> & { readonly policy: string; readonly ends: string })[] {
  return policies.flatMap(({ metadata: { name: policy }, spec: { failback } }) =>
    (returns.get(policy) ?? []).flatMap(({ back, ...rest }) =>
      failback === undefined ? [] : [{ ...rest, policy, ends: stepText(back, failback) }],
    ),
  );
}
