import { withoutUndefined } from '../../../model/values.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { ZoneProvider } from '../providers/provider.ts';
import { SteeringError } from '../reasons.ts';
import { type AppliedPlan, readApplied, withApplied } from '../records/applied.ts';
import type { Batch } from '../records/batches.ts';
import { nextGeneration, parseHead } from '../records/registry.ts';
import type { HeldBack, Task } from '../records/scope.ts';
import { clockText } from './clock.ts';
import { type Approval, approvalsFor, isApproved, isoTime, overGuardText } from './guard.ts';
import { shareMovedBy } from './holds.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';

/** A zone that was written and answers as its plan says. */
export interface AppliedZone extends ZoneAtProvider {
  readonly generation: number;
  readonly batches: number;
}

/** A zone in which nothing was done after a plan. */
export type InForce = ZoneAtProvider & AppliedPlan;

/** How far the plans were carried out. */
export interface Outcome {
  readonly checksum: string;
  /** The zones that were written, in order. They keep their new answers also when a later zone failed. */
  readonly applied: readonly AppliedZone[];
  /** The hosts of these plans that are left as they stand. */
  readonly heldBack: readonly (ZoneAtProvider & HeldBack)[];
  /** Where the plan of that checksum was carried out before and is in force, so that nothing was to do. */
  readonly inForce?: readonly InForce[];
  /** What ended the work; absent when everything was done. */
  readonly failure?: unknown;
}

/**
 * Carries out these plans, zone after zone, if they are those that a person approved, or finds that the approved one is in force already;
 * else throws PlanChanged or NeedsApproval, and nothing is written. A zone that fails ends the work; the outcome lists the zones written before it.
 */
export async function applyPlans(
  plans: readonly ZonePlan[],
  approval: Approval,
  connect: (provider: ProviderName) => Promise<ZoneProvider>,
): Promise<Outcome> {
  const checksum = checksumOf(plans);
  const heldBack = plans.flatMap(({ provider, zone, heldBack: held }) =>
    held.map((one) => ({ provider, zone, ...one })),
  );
  const inForce = inForceOf(plans, approval.checksum);
  if (inForce.length > 0) return { checksum: approval.checksum, applied: [], heldBack, inForce };
  refuseUnapproved(plans, approval);
  const applied: AppliedZone[] = [];
  try {
    for (const plan of plans.filter((candidate) => !isEmpty(candidate))) {
      await applyZone(plan, await connect(plan.provider), checksum);
      applied.push(appliedOf(plan));
    }
  } catch (failure) {
    return { checksum, applied, heldBack, failure };
  }
  return { checksum, applied, heldBack };
}

function appliedOf({ provider, zone, changes, batches }: ZonePlan): AppliedZone {
  return { provider, zone, generation: changes.registryBefore.generation + batches.length, batches: batches.length };
}

/** Where the agreed plan was the last one that was applied, if nothing is left to do anywhere; else nothing. */
export function inForceOf(plans: readonly ZonePlan[], agreed: string): readonly InForce[] {
  if (!plans.every(isEmpty)) return [];
  const found = pastOf(plans, agreed);
  return found.every(({ isLatest }) => isLatest) ? found.map(({ isLatest: _latest, ...one }) => one) : [];
}

/** Where the agreed plan was applied, as far as it is remembered, and whether others were since. */
function pastOf(plans: readonly ZonePlan[], agreed: string): readonly (InForce & { readonly isLatest: boolean })[] {
  return plans.flatMap(({ provider, zone, state }) =>
    readApplied(zone, state.records)
      .map((one, index) => ({ provider, zone, ...one, isLatest: index === 0 }))
      .filter(({ plan, outcome }) => plan === agreed && outcome === 'done'),
  );
}

function refuseChanged(plans: readonly ZonePlan[], agreed: string): void {
  const checksum = checksumOf(plans);
  if (checksum === agreed) return;
  const [past] = pastOf(plans, agreed);
  const then = past === undefined ? '' : `; ${agreed} was applied by ${past.by} at ${isoTime(past.atMs)}`;
  const now = plans.every(isEmpty)
    ? `nothing is left to do, and ${agreed} is not what was applied last`
    : `the plan is now ${checksum}, not ${agreed}; look at it and apply that one`;
  throw new SteeringError('PlanChanged', `${now}${then}`);
}

/** Throws PlanChanged or NeedsApproval unless a person approved of exactly these plans. */
export function refuseUnapproved(plans: readonly ZonePlan[], approval: Approval): void {
  refuseChanged(plans, approval.checksum);
  const missing = plans.flatMap((plan) => plan.overGuard).filter((over) => !isApproved(over, approval));
  if (missing.length === 0) return;
  const options = approvalsFor(missing);
  throw new SteeringError(
    'NeedsApproval',
    `${missing.map(overGuardText).join('; ')}; if that is right, add ${options.join(' ')}`,
  );
}

/**
 * Carries out the plan of one zone; `checksum` is that of the whole plan. Deletes health checks and collections that an earlier apply retired, to make room; then creates new ones, because records refer to them, and
 * waits until the provider knows their endpoints: a new check counts as healthy before. Then applies every batch in order and
 * waits for each, and changes checks in place. A stop in the middle leaves every host with its old or its new answer, and the
 * next plan goes on from there.
 */
export async function applyZone(plan: ZonePlan, provider: ZoneProvider, checksum = checksumOf([plan])): Promise<void> {
  const { state, changes, checks } = plan;
  const wrong = clockText(plan.provider, state);
  if (wrong !== undefined) throw new SteeringError('ClockWrong', wrong);
  const batches = signed(plan, checksum);
  if (checks.delete.length > 0) await provider.deleteHealthChecks(state, checks.delete);
  if (checks.collections.delete.length > 0) await provider.deleteCollections?.(state, checks.collections.delete);
  const missing = [...checks.create, ...checks.createCounting];
  const generation = nextGeneration(changes.registryBefore);
  const collections = await provider.createCollections?.(state, checks.collections.create, generation);
  const ids = await provider.createHealthChecks(state, missing, generation);
  await provider.awaitHealth(checks.observe.map((one) => ({ ...one, id: ids.get(one.check.key) ?? '' })));
  for (const batch of batches) await provider.applyBatch(state, batch, new Map([...ids, ...(collections ?? [])]));
  const registry = batches.at(-1)?.after ?? changes.before;
  if (checks.update.length > 0) await provider.updateHealthChecks(state, checks.update, registry);
}

/** The batches, which say by whom the plan was applied; those that take our last host from a zone leave no note. */
function signed(plan: ZonePlan, checksum: string): readonly Batch[] {
  const { task, intent, changes, batches, zone, state, author, inputs } = plan;
  const last = batches.at(-1);
  if (last === undefined || (task.kind === 'remove' && intent.wanted.hosts.length === 0)) return batches;
  const { by, nowMs, reason } = author;
  return withApplied(batches, zone, state.records, {
    plan: checksum,
    atMs: nowMs,
    by,
    ...withoutUndefined({ reason }),
    task: nameOf(task),
    first: nextGeneration(changes.registryBefore),
    generation: changes.registryBefore.generation + batches.length,
    share: shareMovedBy(plan),
    inputs,
    records: parseHead(last.after)?.digest ?? 'none',
  });
}

/** A task as the record of an apply names it. */
function nameOf(task: Task): string {
  if (task.kind === 'everything') {
    if (task.returned !== undefined) return `failback:${task.returned.cluster}`;
    if (task.returns !== undefined) return 'return';
    return task.holds?.word ?? (task.rollback === undefined ? 'apply' : `rollback:${task.rollback}`);
  }
  return 'host' in task ? `${task.kind}:${task.host}` : task.kind;
}
