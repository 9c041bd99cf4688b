import { type LocalClock, localClock } from '../../../model/geo/local-time.ts';
import { zoneOf } from '../../../model/geo/zones.ts';

/** Figures are of five minutes each. */
export const stepMs = 5 * 60_000;
export const stepsPerDay = 288;

/** What was measured in five minutes. */
export interface Step {
  /** The end of the five minutes, in milliseconds since the epoch. */
  readonly atMs: number;
  /** By country and state, as in MeasuredRates: a place that is absent was not measured. */
  readonly requestsPerSecond: Readonly<Record<string, number>>;
  /** Of users whose country is not known; absent where that was not measured. */
  readonly unknownPerSecond?: number;
}

/** The place of users whose country is not known. It keeps UTC. */
export const unknownPlace = 'unknown';

/** The steps of one place beside each other. */
export interface Series {
  readonly place: string;
  /** Requests a second at each step of the grid; NaN where nothing was measured, or nothing that can be believed. */
  readonly values: Float64Array;
  /** Whether it asks something in nearly every step: then a step without a request is no figure, but a counter that broke. */
  readonly isBusy: boolean;
  readonly clock: LocalClock;
  /** The mean of the values around each step, of so many on each side. Minutes beside each other differ by chance. */
  readonly smooth: Float64Array;
  readonly smoothSteps: number;
  /** For each step its five minutes of the local day, and its local day since that of the first step. */
  readonly slots: Uint16Array;
  readonly days: Uint16Array;
  /** The number of the first local day since the epoch. */
  readonly firstDay: number;
}

const dayMs = stepsPerDay * stepMs;

/** In which local day, since the epoch, and in which five minutes of it a step lies, which is named by its end. */
export function localStep(localMs: number): { readonly day: number; readonly slot: number } {
  const day = Math.floor((localMs - 1) / dayMs);
  return { day, slot: Math.floor((localMs - 1 - day * dayMs) / stepMs) };
}

/** A history on a grid of five minutes. */
export interface Grid {
  /** The end of its first step. */
  readonly fromMs: number;
  /** The end of its last step; every place may lack it. */
  readonly toMs: number;
  readonly steps: number;
  readonly series: readonly Series[];
}

/** Older steps say less of today than they cost. */
const longestSteps = 35 * stepsPerDay;

/**
 * Steps in any order become a grid, up to `nowMs`: later ones come of a clock that was wrong. Of two steps in the same five minutes the
 * last one counts. `untilMs` is the latest moment that is asked for. Undefined where no step is left.
 */
export function gridOf(steps: readonly Step[], nowMs: number, untilMs: number): Grid | undefined {
  const believed = steps.filter(({ atMs }) => Number.isFinite(atMs) && indexOf(atMs) <= indexOf(nowMs) + 1);
  if (believed.length === 0) return undefined;
  const last = believed.reduce((most, { atMs }) => Math.max(most, indexOf(atMs)), -Infinity);
  const first = Math.max(
    last - longestSteps + 1,
    believed.reduce((least, { atMs }) => Math.min(least, indexOf(atMs)), Infinity),
  );
  const count = last - first + 1;
  const byPlace = new Map<string, Float64Array>();
  for (const step of believed) put(byPlace, count, indexOf(step.atMs) - first, step);
  const [fromMs, toMs] = [first * stepMs, last * stepMs];
  const clocks = new Map<string, LocalClock>();
  const series = [...byPlace]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, raw]) => {
      const zone = zoneOf(place) ?? 'UTC';
      const clock = clocks.get(zone) ?? localClock(zone, fromMs, Math.max(toMs, untilMs));
      clocks.set(zone, clock);
      return seriesOf(place, raw, { clock, fromMs });
    });
  return { fromMs, toMs, steps: count, series };
}

/** So many steps on each side are taken together, and two hours where few ask. */
const smoothed = { busy: 2, quiet: 12 };

function seriesOf(
  place: string,
  raw: Float64Array,
  { clock, fromMs }: { readonly clock: LocalClock; readonly fromMs: number },
): Series {
  const isBusy = asksNearlyAlways(raw);
  const values = isBusy ? raw.map((value) => (value === 0 ? Number.NaN : value)) : raw;
  const smoothSteps = isBusy ? smoothed.busy : smoothed.quiet;
  const firstDay = localStep(clock(fromMs)).day;
  const [slots, days] = [new Uint16Array(raw.length), new Uint16Array(raw.length)];
  for (let index = 0; index < raw.length; index += 1) {
    const { day, slot } = localStep(clock(fromMs + index * stepMs));
    slots[index] = slot;
    days[index] = day - firstDay;
  }
  return { place, values, isBusy, clock, smooth: meansAround(values, smoothSteps), smoothSteps, slots, days, firstDay };
}

function meansAround(values: Float64Array, width: number): Float64Array {
  return values.map((_, index) => {
    let [sum, count] = [0, 0];
    for (let at = Math.max(0, index - width); at < Math.min(values.length, index + width + 1); at += 1) {
      const value = values[at] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      sum += value;
      count += 1;
    }
    return count === 0 ? Number.NaN : sum / count;
  });
}

const indexOf = (atMs: number): number => Math.ceil(atMs / stepMs);

function put(byPlace: Map<string, Float64Array>, count: number, index: number, step: Step): void {
  if (index < 0) return;
  const unknown = step.unknownPerSecond === undefined ? [] : [[unknownPlace, step.unknownPerSecond] as const];
  for (const [place, rate] of [...Object.entries(step.requestsPerSecond), ...unknown]) {
    if (!Number.isFinite(rate) || rate < 0) continue;
    const values = byPlace.get(place) ?? new Float64Array(count).fill(Number.NaN);
    values[index] = rate;
    byPlace.set(place, values);
  }
}

const busyShare = 0.8;

function asksNearlyAlways(raw: Float64Array): boolean {
  const known = raw.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  const asking = raw.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  return asking >= busyShare * known;
}
