import { localStep, type Series, stepMs, stepsPerDay } from './history.ts';
import { agreed, median } from './medians.ts';

const dayMs = stepsPerDay * stepMs;

/** What a place asks at any moment by its time of day, its weekday and its trend, whatever it asks right now. */
export type Season = (atMs: number) => number;

export interface SeasonInput {
  readonly series: Series;
  /** The end of the first step of the series. */
  readonly fromMs: number;
  /** Only steps before this one are looked at. */
  readonly end: number;
}

/** One local day: what was measured at each five minutes of it, smoothed; NaN where nothing was. */
type Day = Float64Array;

interface Days {
  /** The number of the first local day since the epoch. */
  readonly first: number;
  readonly days: readonly Day[];
}

/** Two whole days are the least of which anything can be said; undefined where there are fewer. */
export function seasonOf(input: SeasonInput): Season | undefined {
  const table = daysOf(input);
  const profile = profileOf(table.days);
  if (profile === undefined) return undefined;
  const weekday = weekdayEffects(table, profile);
  const { clock } = input.series;
  const shape: Season = (atMs) => {
    const { day, slot } = localStep(clock(atMs));
    return (profile.shape[slot] ?? 0) * weekday(weekdayOf(day), slot);
  };
  const level = levelNow(input, shape) ?? profile.trend.at(-1) ?? 0;
  const perDay = growthPerDay(profile.levels);
  // The level is that of the middle of the time in which it was taken.
  const levelMs = input.fromMs + (input.end - 1) * stepMs - (levelDays * dayMs) / 2;
  return (atMs) => shape(atMs) * level * perDay ** ((atMs - levelMs) / dayMs);
}

/** 0 is Sunday; the epoch was a Thursday. */
const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7;

/** The last steps are left out, because their means know what comes after the end. */
function daysOf({ series, end }: SeasonInput): Days {
  const { smooth, smoothSteps, slots, days: dayOf, firstDay } = series;
  const days: Day[] = [];
  for (let index = 0; index < end - smoothSteps; index += 1) {
    const day = dayOf[index] ?? 0;
    while (days.length <= day) days.push(new Float64Array(stepsPerDay).fill(Number.NaN));
    const row = days[day];
    if (row !== undefined) row[slots[index] ?? 0] = smooth[index] ?? Number.NaN;
  }
  return { first: firstDay, days };
}

interface Profile {
  /** What is asked at each five minutes of a usual day, as a part of the level of the day. */
  readonly shape: Float64Array;
  /** The level of each day, NaN where too little was measured, and that of the week around it. */
  readonly levels: readonly number[];
  readonly trend: readonly number[];
}

/** A day counts as whole from so many of its steps on, and has a level from two hours on. */
const wholeSteps = 0.7 * stepsPerDay;
const fewestSteps = 24;
/** Each round brings levels and shape nearer to each other; after three they stand. */
const rounds = 3;

/** Days are a level times a shape. Both are medians, so that an odd hour, or an odd day, moves neither. */
function profileOf(days: readonly Day[]): Profile | undefined {
  const counts = days.map((day) => day.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0));
  if (counts.filter((count) => count >= wholeSteps).length < 2) return undefined;
  let levels = days.map((day, index) => ((counts[index] ?? 0) >= wholeSteps ? median(day) : Number.NaN));
  // A place that asks nothing for most of each day has a median of nothing.
  if (!levels.some((level) => level > 0))
    levels = days.map((day) => {
      const known = day.filter((value) => !Number.isNaN(value));
      return known.length >= wholeSteps ? known.reduce((sum, value) => sum + value, 0) / known.length : Number.NaN;
    });
  let shape = shapeOf(days, levels);
  for (let round = 1; round < rounds; round += 1) {
    levels = days.map((day, index) =>
      (counts[index] ?? 0) < fewestSteps ? Number.NaN : levelOf(day, shape, levels[index]),
    );
    shape = shapeOf(days, levels);
  }
  return { shape, levels, trend: levels.map((_, index) => levelAround(levels, index)) };
}

function shapeOf(days: readonly Day[], levels: readonly number[]): Float64Array {
  const shape = new Float64Array(stepsPerDay);
  for (let slot = 0; slot < stepsPerDay; slot += 1)
    shape[slot] = median(days.map((day, index) => ratio(day[slot] ?? Number.NaN, levels[index] ?? Number.NaN)));
  return filled(shape);
}

/** Steps are smoothed, so that every third says nearly all. */
const levelEvery = 3;

function levelOf(day: Day, shape: Float64Array, before: number | undefined): number {
  const ratios = new Float64Array(stepsPerDay / levelEvery).map((_, index) =>
    ratio(day[index * levelEvery] ?? Number.NaN, shape[index * levelEvery] ?? Number.NaN),
  );
  const level = median(ratios);
  return Number.isNaN(level) ? (before ?? Number.NaN) : level;
}

const ratio = (value: number, of: number): number => (of > 0 ? value / of : Number.NaN);

/** Five minutes that no day has take the nearest that some day has. */
function filled(shape: Float64Array): Float64Array {
  return shape.map((value, slot) => {
    if (!Number.isNaN(value)) return value;
    for (let distance = 1; distance < stepsPerDay; distance += 1)
      for (const at of [slot - distance, slot + distance]) {
        const near = shape[(at + stepsPerDay) % stepsPerDay] ?? Number.NaN;
        if (!Number.isNaN(near)) return near;
      }
    return 0;
  });
}

/** The median of the week around a day, or of the first or last whole week: a level without weekdays. */
function levelAround(levels: readonly number[], index: number): number {
  const start = Math.max(0, Math.min(index - 3, levels.length - 7));
  return median(levels.slice(start, start + 7));
}

/** Weekdays are looked at every half hour, an hour at a time. */
const bandSteps = 6;
const bands = stepsPerDay / bandSteps;

/** By weekday and step: how much more, as a factor, is asked then than on a usual day. */
function weekdayEffects({ first, days }: Days, { shape, trend }: Profile): (weekday: number, slot: number) => number {
  const known = new Map<number, number>();
  const atBand = (weekday: number, band: number): number => {
    const key = weekday * bands + band;
    const found = known.get(key);
    if (found !== undefined) return found;
    const factors = days.flatMap((day, index) =>
      weekdayOf(first + index) === weekday
        ? [bandFactor(day, shape, trend[index] ?? Number.NaN, band * bandSteps)]
        : [],
    );
    const effect = agreed(factors);
    known.set(key, effect);
    return effect;
  };
  return (weekday, slot) => {
    const band = Math.floor(slot / bandSteps);
    const part = (slot % bandSteps) / bandSteps;
    const here = atBand(weekday, band);
    // The band after midnight is of the next day.
    return part === 0 || band + 1 === bands ? here : here * (1 - part) + atBand(weekday, band + 1) * part;
  };
}

function bandFactor(day: Day, shape: Float64Array, level: number, middle: number): number {
  const ratios: number[] = [];
  for (let slot = Math.max(0, middle - bandSteps); slot < Math.min(stepsPerDay, middle + bandSteps + 1); slot += 1)
    ratios.push(ratio(day[slot] ?? Number.NaN, (shape[slot] ?? 0) * level));
  return median(ratios);
}

/** The level is that of the last two days: an hour, and a whole night, of broken counters do not move it. */
const levelDays = 2;

function levelNow({ series, fromMs, end }: SeasonInput, shape: Season): number | undefined {
  const indexes = Array.from({ length: Math.min(end, levelDays * stepsPerDay) }, (_, back) => end - 1 - back);
  const known = indexes.filter((index) => !Number.isNaN(series.values[index] ?? Number.NaN));
  const seen = known.map((index) => ({ value: series.values[index] ?? 0, usual: shape(fromMs + index * stepMs) }));
  // The median step of a place that is silent for most of them says nothing of it.
  const level = series.isBusy
    ? median(seen.map(({ value, usual }) => ratio(value, usual)))
    : ratio(sumOf(seen.map(({ value }) => value)), sumOf(seen.map(({ usual }) => usual)));
  return Number.isNaN(level) ? undefined : level;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** At most so much a day, up or down: what grows faster is no trend. */
const fastest = Math.log(1.03);

/** Half of what the last week had more than the week before it, as a factor a day; 1 with less than two weeks. */
function growthPerDay(levels: readonly number[]): number {
  if (levels.length < 14) return 1;
  const grown = Math.log(median(levels.slice(-7)) / median(levels.slice(-14, -7))) / 7 / 2;
  return Number.isFinite(grown) ? Math.exp(Math.max(-fastest, Math.min(fastest, grown))) : 1;
}
