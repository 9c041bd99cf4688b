import type { Hold } from '../../answers/hold.ts';
import { type Moving, nextStep, type Progress } from '../../answers/pace.ts';
import type { TrafficPolicy } from '../../model/spec/kinds.ts';

/** How the users of a policy return to a cluster. */
export type Failback = NonNullable<TrafficPolicy['spec']['failback']>;

/** What is known of a cluster: `down` is with all of its addresses, `partly` with some. */
export type Sight = 'healthy' | 'partly' | 'down' | 'unknown';

/**
 * For how long one agent has seen a held cluster healthy. Counted is by its monotonic clock, so a step of the time of day shortens nothing; what
 * others saw before counts as far as they wrote it into the zone.
 */
export interface Count {
  readonly atMs: number;
  readonly was: Sight;
  readonly healthyMs: number;
  /** Since the last step of a return was seen. */
  readonly stepMs: number;
  readonly back: Progress;
}

/** Between two looks so much counts at most: nobody saw what was in a longer gap. */
const longestGapMs = 120_000;

/** The count after one more look. Health that is not known neither counts nor begins anew. */
export function counted(before: Count | undefined, hold: Hold, sight: Sight, monotonicMs: number): Count {
  const start = before ?? {
    was: 'unknown',
    healthyMs: hold.healthySeconds * 1000,
    stepMs: 0,
    back: hold.back,
    atMs: 0,
  };
  const passedMs = Math.min(longestGapMs, Math.max(0, monotonicMs - start.atMs));
  const countedMs = sight === 'healthy' && start.was === 'healthy' ? passedMs : 0;
  const isSameStep = sameProgress(start.back, hold.back);
  const count = { atMs: monotonicMs, was: sight, back: hold.back };
  if (fails(sight)) return { ...count, healthyMs: 0, stepMs: 0 };
  return { ...count, healthyMs: start.healthyMs + countedMs, stepMs: isSameStep ? start.stepMs + countedMs : 0 };
}

const fails = (sight: Sight): boolean => sight === 'down' || sight === 'partly';

/** What a hold depends on. */
export interface Situation {
  readonly cluster: string;
  readonly rule: Failback;
  readonly sight: Sight;
  /** Absent while the cluster is not held. */
  readonly count: Count | undefined;
  /** For the record of the hold. */
  readonly by: string;
  readonly nowMs: number;
  /** Whether the cluster can be held without anybody being answered otherwise now. */
  readonly canHold: () => boolean;
  /** Who is led back when the hold ends, by their answers now. */
  readonly moving: () => readonly Moving[];
}

/**
 * The hold that should be in the zone; undefined for none. It begins when the cluster is down and begins anew when it is down again; it ends when the
 * cluster has been healthy for as long as the policy says, step by step where it says so. The same object while nothing is to be written.
 */
export function nextHold(hold: Hold | undefined, situation: Situation): Hold | undefined {
  const { rule, sight, canHold } = situation;
  if (rule.mode === 'immediate') return undefined;
  if (hold === undefined) return sight === 'down' && canHold() ? begun(situation) : undefined;
  if (fails(sight)) return anew(hold, situation);
  return sight === 'healthy' ? healthier(hold, situation) : hold;
}

function begun({ cluster, by, nowMs }: Situation): Hold {
  return { cluster, sinceMs: Math.floor(nowMs / 1000) * 1000, by, healthySeconds: 0, back: {} };
}

/**
 * Those who were led back fail over by themselves, and stay away from then on; if that cannot be written, nothing is counted all the same. It
 * is the same hold, which has stood since it began: so a cluster that is down again and again shows.
 */
function anew(hold: Hold, situation: Situation): Hold {
  const isFresh = hold.healthySeconds === 0 && sameProgress(hold.back, {});
  if (isFresh) return hold;
  if (sameProgress(hold.back, {}) || situation.canHold()) return { ...hold, healthySeconds: 0, back: {} };
  return hold.healthySeconds === 0 ? hold : { ...hold, healthySeconds: 0 };
}

function healthier(hold: Hold, { rule, count, moving }: Situation): Hold | undefined {
  if (rule.mode === 'byHand' || count === undefined) return hold;
  const healthySeconds = Math.floor(count.healthyMs / 1000);
  const holdSeconds = rule.holdMinutes * 60;
  if (healthySeconds < holdSeconds) {
    const everySeconds = markEverySeconds(rule);
    const marks = [healthySeconds, hold.healthySeconds].map((seconds) => Math.floor(seconds / everySeconds));
    return (marks[0] ?? 0) > (marks[1] ?? 0) ? { ...hold, healthySeconds } : hold;
  }
  if (rule.mode === 'heldDown') return undefined;
  const isFirst = sameProgress(hold.back, {});
  if (!isFirst && count.stepMs < rule.stepMinutes * 60_000) return hold;
  const back = nextStep(hold.back, moving(), rule.stepShare);
  return back === undefined ? undefined : { ...hold, healthySeconds, back };
}

/**
 * So long a hold stands at most while the cluster stays healthy: one that a person ends should not stand at all. Two steps in a row lead back more
 * than one step may.
 */
export function expectedSeconds({ mode, holdMinutes, stepShare, stepMinutes }: Failback): number {
  if (mode === 'byHand') return 0;
  const steps = mode === 'gradual' ? 2 * Math.ceil(1 / stepShare) : 0;
  return (holdMinutes + steps * stepMinutes) * 60;
}

/** How often the zone is told how long the cluster has been healthy: so much is lost when one agent ends and another goes on. */
export const markEverySeconds = ({ holdMinutes }: Failback): number => Math.max(300, holdMinutes * 15);

const sameProgress = (a: Progress, b: Progress): boolean =>
  a.upTo === b.upTo && a.next?.code === b.next?.code && a.next?.parts === b.next?.parts;
