import { type Answers, answersOf, formatTiers, preferenceOf } from '../../../answers/answers.ts';
import { nextStep } from '../../../answers/pace.ts';
import { type Return, type Returns, returningOverlays, withReturns } from '../../../answers/returns.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { OverlayView } from '../../../model/spec/overlay-view.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { compareText } from '../../../model/values.ts';
import { policiesOf } from '../compile/intent.ts';
import { type Count, counted } from '../failback.ts';
import type { ZoneReader } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import { type Counts, movingBetween, type Watch } from './failback.ts';
import { overGuardText } from './guard.ts';
import { policiesThen } from './last-applied.ts';
import { isEmpty, planStep, type ZonePlan } from './plan.ts';

/**
 * The plan that leads the users of overlays that have ended back in steps, at the pace of `spec.failback`; the given plan when nothing of that is to be done. First the zone is told
 * that they return, and they stay where they are. A step is made only of a zone that is as the policies want it, and only when the guard allows it: it waits for room in the guard and not for a
 * person, so that nothing else waits with it.
 */
export async function planReturns(
  platform: Platform,
  reader: ZoneReader,
  plan: ZonePlan,
  { counts, nowMs, monotonicMs, asked }: Watch,
): Promise<{ readonly plan: ZonePlan; readonly counts: Counts }> {
  const { zone, state, provider } = plan;
  const planWith = (returns: Returns): Promise<ZonePlan> => {
    const purpose = { kind: 'everything', returns } as const;
    return planStep(platform, { ...reader, read: async () => state }, { zone, purpose }, nowMs, asked);
  };
  const known = new Map<string, Count>();
  const begun = new Map<string, readonly Return[]>();
  const next = new Map<string, readonly Return[]>();
  // Read only when something has ended: it is much of the work of a look.
  const then = (name: string): TrafficPolicy | undefined =>
    policiesThen(zone, state.records, plan.changes.registryBefore).get(name);
  for (const policy of policiesOf(platform, provider, zone)) {
    const { name } = policy.metadata;
    const standing = plan.returns.get(name) ?? [];
    const fresh = returningOverlays(platform, policy)
      .filter((view) => standing.every(({ overlay }) => overlay !== view.name))
      .filter((view) => isFollowed(platform, policy, view, then(name)))
      .map(
        (view): Return => ({ overlay: view.name, sinceMs: wholeSeconds(nowMs), by: asked.by ?? 'unknown', back: {} }),
      );
    if (fresh.length > 0) begun.set(name, [...standing, ...fresh].sort(byOverlay));
    // One after the other, so that no more than one step is made at a time.
    const [first, ...others] = standing;
    if (first === undefined) continue;
    const key = `${name} overlay ${first.overlay}`;
    const count = counted(counts.get(key), { ...first, cluster: '', healthySeconds: 0 }, 'healthy', monotonicMs);
    known.set(key, count);
    const stepped = nextReturn(first, count, { platform, policy, weights: plan.weights });
    if (stepped !== first) next.set(name, [...(stepped === undefined ? [] : [stepped]), ...others]);
  }
  if (begun.size > 0) return { plan: await planWith(new Map([...plan.returns, ...begun])), counts: known };
  if (next.size === 0 || !isEmpty(plan)) return { plan, counts: known };
  const made = await planWith(new Map([...plan.returns, ...next]));
  return { plan: made.overGuard.length === 0 ? made : withWaiting(plan, made, [...next.keys()]), counts: known };
}

/** The return after one more step, if its time has come; undefined when that is the last. */
function nextReturn(
  now: Return,
  count: Count,
  {
    platform,
    policy,
    weights,
  }: { readonly platform: Platform; readonly policy: TrafficPolicy; readonly weights: ZonePlan['weights'] },
): Return | undefined {
  const { failback } = policy.spec;
  const isFirst = now.back.upTo === undefined && now.back.next === undefined;
  if (failback === undefined || (!isFirst && count.stepMs < failback.stepMinutes * 60_000)) return now;
  const from = followed(platform, policy, now.overlay);
  const moving = movingBetween(from, answersOf(policy, new Set()), { down: new Set() }, weights);
  const back = nextStep(
    now.back,
    moving.filter(({ share }) => share > 0),
    failback.stepShare,
  );
  return back === undefined ? undefined : { ...now, back };
}

/** Whether the users of an overlay are answered as it says by what the zone was made of: nobody is led to one that has ended. */
function isFollowed(
  platform: Platform,
  policy: TrafficPolicy,
  { name, countries }: OverlayView,
  was: TrafficPolicy | undefined,
): boolean {
  if (was === undefined) return false;
  const [before, laid, now] = [
    answersOf(was, new Set()),
    followed(platform, policy, name),
    answersOf(policy, new Set()),
  ];
  const first = (answers: Answers, code: string): string => formatTiers(preferenceOf(answers, code).tiers.slice(0, 1));
  const moving = countries.filter((code) => first(laid, code) !== first(now, code));
  return moving.length > 0 && moving.every((code) => first(before, code) === first(laid, code));
}

/** The answers of a policy while nobody of this overlay has been led back. */
function followed(platform: Platform, policy: TrafficPolicy, overlay: string): Answers {
  const { name } = policy.metadata;
  const returns = new Map([[name, [{ overlay, sinceMs: 0, by: '', back: {} }]]]);
  return answersOf(withReturns(platform, returns).policies.get(name) ?? policy, new Set());
}

/** The plan, which says that the next step waits for room in the guard. */
function withWaiting(plan: ZonePlan, made: ZonePlan, policies: readonly string[]): ZonePlan {
  const why = made.overGuard.map(overGuardText).join('; ');
  const waits = policies.map((policy): SteeringNotice => {
    const overlay = plan.returns.get(policy)?.[0]?.overlay ?? '';
    const message = `policy ${policy}: overlay ${overlay} has ended, and the next step of its users back waits for the guard: ${why}; reject it to lead all of them back by an apply (tideline steering reject ${overlay} FOLDER)`;
    return { reason: 'OverlayReturnWaits', message };
  });
  return { ...plan, notices: [...plan.notices, ...waits] };
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;
const byOverlay = (a: Return, b: Return): number => compareText(a.overlay, b.overlay);
