import { forecast } from '../../../src/planes/scaling/forecast/forecast.ts';
import { type Step, stepMs, stepsPerDay } from '../../../src/planes/scaling/forecast/history.ts';

export interface Backtest {
  readonly horizonSteps: number;
  /** The history that each forecast has. */
  readonly days: number;
  /** So many steps lie between two forecasts; no whole number of days, so that every hour is tried. */
  readonly everySteps: number;
}

/** How good forecasts of a series of steps were, beside the same moment of the day before and of the week before, as it was measured. */
export interface Outcome {
  readonly forecasts: number;
  /** The share of all places and moments at which no more came than forecast and margin together. */
  readonly covered: number;
  /** Of all places together: the mean relative error. */
  readonly error: number;
  readonly errorOfYesterday: number;
  readonly errorOfLastWeek: number;
  /** The margin of the place that asks most, on average. */
  readonly largestMargin: number;
}

export function backtest(steps: readonly Step[], { horizonSteps, days, everySteps }: Backtest): Outcome {
  const week = 7 * stepsPerDay;
  const tried: { covered: number[]; errors: readonly [number, number, number]; margin: number }[] = [];
  for (let now = (days + 7) * stepsPerDay; now + horizonSteps < steps.length; now += everySteps) {
    const history = steps.slice(now + 1 - days * stepsPerDay, now + 1);
    const nowMs = steps[now]?.atMs ?? 0;
    const question = { atMs: nowMs + horizonSteps * stepMs, nowMs, quantile: 0.975, fallbackMargin: 0.2 };
    const places = forecast(history, question)?.places ?? [];
    const at = (index: number): Readonly<Record<string, number>> => steps[index]?.requestsPerSecond ?? {};
    const sum = (rates: Readonly<Record<string, number>>): number =>
      Object.values(rates).reduce((all, one) => all + one, 0);
    const target = now + horizonSteps;
    const [came, yesterday, lastWeek] = [
      at(target),
      at(target - Math.ceil(horizonSteps / stepsPerDay) * stepsPerDay),
      at(target - Math.ceil(horizonSteps / week) * week),
    ];
    const expected = places.reduce((all, { requestsPerSecond }) => all + requestsPerSecond, 0);
    const off = (guess: number): number => Math.abs(guess / sum(came) - 1);
    tried.push({
      covered: places.map(({ place, requestsPerSecond, margin }) =>
        (came[place] ?? 0) <= requestsPerSecond * (1 + margin) ? 1 : 0,
      ),
      errors: [off(expected), off(sum(yesterday)), off(sum(lastWeek))],
      margin: places.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond)[0]?.margin ?? 0,
    });
  }
  const mean = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0) / values.length;
  return {
    forecasts: tried.length,
    covered: mean(tried.flatMap(({ covered }) => covered)),
    error: mean(tried.map(({ errors }) => errors[0])),
    errorOfYesterday: mean(tried.map(({ errors }) => errors[1])),
    errorOfLastWeek: mean(tried.map(({ errors }) => errors[2])),
    largestMargin: mean(tried.map(({ margin }) => margin)),
  };
}
