import {
  type Beside,
  correction,
  errorsOf,
  habitOf,
  lately,
  looksOf,
  marginOf,
  type Standing,
  standingOf,
} from './errors.ts';
import { type Grid, gridOf, type Series, type Step, stepMs, stepsPerDay } from './history.ts';
import { median } from './medians.ts';
import { seasonOf } from './season.ts';

export interface Question {
  /** The moment for which demand is forecast, and the present one. */
  readonly atMs: number;
  readonly nowMs: number;
  /** The share of its own past errors, from 0 to 1, that the margin covers: 0.975. */
  readonly quantile: number;
  /** The margin, as a part of the demand, where the history is too short to know its own errors. */
  readonly fallbackMargin: number;
}

export interface PlaceForecast {
  readonly place: string;
  readonly requestsPerSecond: number;
  /** So much more may come, as a part of it. */
  readonly margin: number;
  /** How many times a forecast was tried on the history for that. */
  readonly looks: number;
  /** Too few times: the margin is not less than the one that was given. */
  readonly isShort: boolean;
  /** What was asked in the last quarter of an hour beside what is usual, and how that stands: only `usual` and `high` correct the forecast. */
  readonly before: Beside;
  readonly standing: Standing;
}

export interface Forecast {
  readonly question: Question;
  /** The history that was used. */
  readonly fromMs: number;
  readonly toMs: number;
  /** In the order of their codes. */
  readonly places: readonly PlaceForecast[];
}

/** A margin is known from this many looks on: those of a whole day. */
const fewestLooks = stepsPerDay / 3;

/** What each place will ask at a moment, by its history. Undefined for a history without any step. */
export function forecast(steps: readonly Step[], question: Question): Forecast | undefined {
  const grid = gridOf(steps, question.nowMs, question.atMs);
  if (grid === undefined) return undefined;
  const horizonSteps = Math.max(1, Math.ceil((question.atMs - grid.toMs) / stepMs));
  const now = { grid, question, horizonSteps };
  return {
    question,
    fromMs: grid.fromMs,
    toMs: grid.toMs,
    places: grid.series.map((series) => placeForecast(now, series)),
  };
}

interface Now {
  readonly grid: Grid;
  readonly question: Question;
  readonly horizonSteps: number;
}

function placeForecast(now: Now, series: Series): PlaceForecast {
  const { grid, question, horizonSteps } = now;
  const season = seasonOf({ series, fromMs: grid.fromMs, end: grid.steps });
  if (season === undefined) return shortForecast(now, series);
  const looks = looksOf(series, grid, horizonSteps);
  const habit = habitOf(looks);
  const errors = errorsOf(looks, habit, horizonSteps);
  const before = lately(series, season, { fromMs: grid.fromMs, step: grid.steps - 1 });
  const own = errors.length === 0 ? 0 : marginOf(errors, question.quantile);
  const isShort = errors.length < fewestLooks;
  return {
    place: series.place,
    requestsPerSecond: season(question.atMs) * correction(before, habit, horizonSteps),
    margin: isShort ? Math.max(own, question.fallbackMargin) : own,
    looks: errors.length,
    before,
    standing: standingOf(before, habit),
    isShort,
  };
}

/** Within an hour what was measured last stands for what comes; later, the most that was measured. */
function shortForecast({ question, horizonSteps }: Now, { place, values }: Series): PlaceForecast {
  const known = [...values].filter((value) => !Number.isNaN(value));
  const hours = known.flatMap((_, index) => (index % shortSteps === 0 ? [known.slice(index, index + shortSteps)] : []));
  const requestsPerSecond =
    horizonSteps <= shortSteps
      ? median(known.slice(-shortSteps))
      : hours.reduce((most, hour) => Math.max(most, median(hour)), 0);
  return {
    place,
    requestsPerSecond: Number.isNaN(requestsPerSecond) ? 0 : requestsPerSecond,
    margin: question.fallbackMargin,
    looks: 0,
    isShort: true,
    before: { measured: 0, usual: 0 },
    standing: 'silent',
  };
}

const shortSteps = 12;
