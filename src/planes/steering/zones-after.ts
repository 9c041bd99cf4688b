import type { Platform } from '../../model/spec/platform.ts';
import type { ZoneView } from '../../model/steering-status.ts';
import type { Outcome } from './plan/apply.ts';
import { drainedIn } from './plan/drained.ts';
import { isEmpty, type ZonePlan } from './plan/plan.ts';
import { heldBackNotice, type Told, toldOf } from './told.ts';
import { viewOf } from './zone-memory.ts';

/** How far plans were carried out; `refused` when nothing was written at all. */
export type Carried = Pick<Outcome, 'applied' | 'failure'> | { readonly refused: unknown };

/** The zones of these plans as a person leaves them who carried them out, or was refused. */
export function zonesAfter(
  platform: Platform,
  plans: readonly ZonePlan[],
  carried: Carried,
  nowMs: number,
): readonly ZoneView[] {
  return plans.map((plan): ZoneView => {
    const { provider, zone, changes, author, heldBack } = plan;
    const written = 'refused' in carried ? undefined : carried.applied.find((one) => isOf(plan, one));
    const left = leftIn(plan, carried, written !== undefined);
    const generation = written?.generation ?? changes.registryBefore.generation;
    const conditions = [...left, ...heldBack.map(heldBackNotice)].map((told) => ({ ...told, sinceMs: nowMs }));
    return {
      provider,
      zone,
      state: left.length === 0 ? 'inForce' : 'waits',
      sinceMs: nowMs,
      plannedAtMs: author.nowMs,
      generation,
      ...(left.length === 0 ? {} : { plan: viewOf(plan) }),
      conditions,
      drains: drainedIn(plan, platform, { nowMs, isWritten: written !== undefined }),
    };
  });
}

const isOf = ({ provider, zone }: ZonePlan, one: { readonly provider: string; readonly zone: string }): boolean =>
  one.provider === provider && one.zone === zone;

/** Why a zone is not as its policies say now, whatever becomes of single hosts. */
function leftIn(plan: ZonePlan, carried: Carried, isWritten: boolean): readonly Told[] {
  const { task } = plan;
  if (isEmpty(plan)) return [];
  if (!isWritten) return [toldOf('refused' in carried ? carried.refused : carried.failure)];
  if (task.kind !== 'everything' || task.rollback === undefined) return [];
  return [{ reason: 'RolledBack', message: `a person rolled the zone back to generation ${task.rollback}` }];
}
