import { type Grid, type Series, stepMs, stepsPerDay } from './history.ts';
import { median, upperQuantile } from './medians.ts';
import { type Season, seasonOf } from './season.ts';

/** Requests a second that were measured beside those that the season of the same places says. */
export interface Beside {
  readonly measured: number;
  readonly usual: number;
}

/** One look into the past: what was known at a moment, and what came a horizon later. */
export interface Look {
  /** In the quarter of an hour before it. */
  readonly before: Beside;
  readonly after: Beside;
}

/** A margin needs whole weeks before what it is tried on, and it is tried every quarter of an hour of at most two weeks. */
const learnedDays = 7;
const triedDays = 14;
const everySteps = 3;

/** The quarter of an hour that says how much is asked just now. */
const recentSteps = 3;

/** What was measured at some steps beside what is usual then. A step that was not measured is in neither sum. */
function beside(
  { values }: Series,
  season: Season,
  { fromMs, steps }: { readonly fromMs: number; readonly steps: readonly number[] },
): Beside {
  let [measured, usual] = [0, 0];
  for (const step of steps) {
    const value = values[step] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    measured += value / steps.length;
    usual += season(fromMs + step * stepMs) / steps.length;
  }
  return { measured, usual };
}

/** What was asked in the quarter of an hour that ends with a step. */
export function lately(
  series: Series,
  season: Season,
  last: { readonly fromMs: number; readonly step: number },
): Beside {
  const steps = Array.from({ length: recentSteps }, (_, back) => last.step - back);
  return beside(series, season, { fromMs: last.fromMs, steps });
}

/**
 * Looks at a horizon, the same for every place. Every day is forecast with nothing but what was measured before that day began, so that the season is
 * up to a day older than that of the forecast which is made now.
 */
export function looksOf(series: Series, { fromMs, steps }: Grid, horizonSteps: number): readonly Look[] {
  return cutsOf(steps, horizonSteps).flatMap((cut) => {
    const season = seasonOf({ series, fromMs, end: cut }) ?? (() => 0);
    const looks: Look[] = [];
    for (let now = cut; now < Math.min(cut + stepsPerDay, steps - horizonSteps); now += everySteps)
      looks.push({
        before: lately(series, season, { fromMs, step: now }),
        after: beside(series, season, { fromMs, steps: [now + horizonSteps] }),
      });
    return looks;
  });
}

/** The steps at which the days begin that are tried, the last one first. */
function cutsOf(steps: number, horizonSteps: number): readonly number[] {
  const cuts: number[] = [];
  for (let cut = steps - stepsPerDay; cut >= learnedDays * stepsPerDay && cuts.length < triedDays; cut -= stepsPerDay)
    if (cut + horizonSteps < steps) cuts.push(cut);
  return cuts;
}

/** What the history says of how what is asked just now differs from what is usual. */
export interface Habit {
  /** How far it usually lies apart, as a logarithm: beyond this it is odd. */
  readonly odd: number;
  /** How much of the difference is left after the horizon, 0..1. */
  readonly lasting: number;
}

/** So many usual differences are odd, and less than this never is. */
const oddSpreads = 4;
const leastOdd = 0.2;
const lastings = [0, 0.25, 0.5, 0.75, 1];

/** The habit of a group. What lasts is that part with which the forecasts of these looks would have been nearest. */
export function habitOf(looks: readonly Look[]): Habit {
  const differences = looks.map(({ before }) => Math.log(before.measured / before.usual)).filter(Number.isFinite);
  const middle = median(differences);
  const spread = 1.4826 * median(differences.map((one) => Math.abs(one - middle)));
  const odd = Math.max(leastOdd, Number.isFinite(spread) ? oddSpreads * spread : 0);
  const misses = lastings.map((lasting) => missOf(looks, { odd, lasting }));
  return { odd, lasting: lastings[misses.indexOf(Math.min(...misses))] ?? 0 };
}

function missOf(looks: readonly Look[], habit: Habit): number {
  const errors = errorsOf(looks, habit, lastingSteps + 1);
  const misses = errors.map((error) => Math.abs(Math.log1p(error))).filter(Number.isFinite);
  return misses.length === 0 ? 0 : median(misses);
}

/** How what was asked just now stands beside what is usual; `silent`: nothing was measured. */
export type Standing = 'usual' | 'low' | 'high' | 'silent';

export function standingOf({ measured, usual }: Beside, { odd }: Habit): Standing {
  if (!(usual > 0)) return 'silent';
  const difference = Math.log(measured / usual);
  if (difference < -odd) return 'low';
  return difference > odd ? 'high' : 'usual';
}

/** What is more than usual is taken to last whole for this long. */
const lastingSteps = 12;

/**
 * By which factor a season is corrected after what was asked in the last minutes. What is oddly low may be a broken counter and corrects nothing;
 * what is oddly high is believed whole for an hour.
 */
export function correction(before: Beside, habit: Habit, horizonSteps: number): number {
  const standing = standingOf(before, habit);
  if (standing === 'silent' || standing === 'low') return 1;
  const ratio = before.measured / before.usual;
  return ratio ** (standing === 'high' && horizonSteps <= lastingSteps ? 1 : habit.lasting);
}

/** By how much more came than was forecast, as a part of that; a look of which nothing is known says nothing. */
export function errorsOf(looks: readonly Look[], habit: Habit, horizonSteps: number): readonly number[] {
  return looks.flatMap(({ before, after }) =>
    after.usual > 0 ? [after.measured / (after.usual * correction(before, habit, horizonSteps)) - 1] : [],
  );
}

/** A margin is never less: the future is not quite like the past. */
const leastMargin = 0.02;

/** So much more came at most in a share (`quantile`) of the looks. */
export function marginOf(errors: readonly number[], quantile: number): number {
  return Math.max(leastMargin, upperQuantile(errors, quantile));
}
