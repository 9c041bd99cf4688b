import { localClock } from '../../../src/model/geo/local-time.ts';
import { zoneOf } from '../../../src/model/geo/zones.ts';
import { type Step, stepMs } from '../../../src/planes/scaling/forecast/history.ts';

/**
 * Made-up traffic of a video site with French roots, the same for the same seed. Users of the Internet by country (World Bank, 2017; China left out) times an
 * affinity that is an assumption; days with the anchors of published measurements: Europe's evening peak of 20:30 and trough of 4:00, a
 * second local peak at 16:00 in the US. On it weekdays, seasons, a growth, noise that lasts hours, crowds of some hours in one country, and the
 * chance of each five minutes.
 */
export interface Traffic {
  readonly fromMs: number;
  readonly days: number;
  readonly seed: number;
  /** On average, of all countries together. */
  readonly requestsPerSecond?: number;
  /** Crowds a month, all countries together. */
  readonly crowds?: number;
  /** All of `trafficCountries` where absent. */
  readonly countries?: readonly string[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Millions of users, times the affinity. */
const users: Readonly<Record<string, number>> = {
  FR: 52.3 * 8,
  US: 244.1,
  DE: 69.3 * 1.5,
  IN: 461.3 * 0.4,
  BR: 141.2 * 0.6,
  JP: 115.8 * 0.8,
  RU: 109.4 * 0.4,
  ID: 85.2 * 0.3,
  MX: 82.5 * 0.4,
  PH: 63 * 0.3,
  GB: 62.6,
  PK: 61.8 * 0.2,
  TR: 52.2 * 1.5,
  KR: 48.5 * 0.8,
  VN: 47.4 * 0.5,
  EG: 43.9 * 0.4,
  ES: 39.2 * 1.2,
  TH: 36.5 * 0.4,
  MA: 22 * 2,
  AU: 21 * 0.7,
  BE: 10 * 4,
  LU: 0.6 * 4,
  IS: 0.3,
};
export const trafficCountries: readonly string[] = Object.keys(users).toSorted();

type Anchors = readonly (readonly [hour: number, level: number])[];
const europe: Anchors = [
  [4, 0.25],
  [9, 0.55],
  [13, 0.65],
  [17, 0.8],
  [20.5, 1],
  [23.5, 0.7],
];
const america: Anchors = [
  [3, 0.6],
  [6, 0.5],
  [16, 0.85],
  [23, 1],
];

/** Between two anchors the day goes along half a cosine. */
function dayLevel(anchors: Anchors, hour: number): number {
  const after = anchors.findIndex(([at]) => at > hour);
  const next = anchors[after === -1 ? 0 : after] ?? [0, 1];
  const last = anchors.at(after === -1 ? -1 : after - 1) ?? [0, 1];
  const length = (next[0] - last[0] + 24) % 24;
  const part = ((hour - last[0] + 24) % 24) / length;
  return last[1] + ((next[1] - last[1]) * (1 - Math.cos(Math.PI * part))) / 2;
}

/** Sundays are fullest; on weekends mornings begin later and have more. */
function weekLevel(weekday: number, hour: number): number {
  const isWeekend = weekday === 0 || weekday === 6;
  const level = [1.12, 0.97, 0.96, 0.97, 0.98, 1, 1.06][weekday] ?? 1;
  return level * (isWeekend && hour > 10 && hour < 17 ? 1 + 0.15 * Math.sin((Math.PI * (hour - 10)) / 7) : 1);
}

/** More in winter; in August France, Italy and Spain are away. */
function seasonLevel(country: string, localMs: number): number {
  const date = new Date(localMs);
  const day = (localMs - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs;
  const august = Math.exp(-(((day - 226) / 12) ** 2));
  return (
    (1 + 0.08 * Math.cos((2 * Math.PI * (day - 15)) / 365)) *
    (['FR', 'ES', 'BE'].includes(country) ? 1 - 0.15 * august : 1)
  );
}

/** Steps of five minutes; the first one ends five minutes after `fromMs`. */
export function trafficSteps(traffic: Traffic): readonly Step[] {
  const { fromMs, days, seed, countries = trafficCountries } = traffic;
  const count = Math.round((days * dayMs) / stepMs);
  const rates = new Map(
    countries.map((country) => [
      country,
      countryRates(traffic, country, seed * 1000 + trafficCountries.indexOf(country)),
    ]),
  );
  return Array.from({ length: count }, (_, index) => ({
    atMs: fromMs + (index + 1) * stepMs,
    requestsPerSecond: Object.fromEntries([...rates].map(([country, values]) => [country, values[index] ?? 0])),
  }));
}

/** The noise differs from a usual day by 5 % (standard deviation), of which 95 % are left after five minutes. */
const noise = { deviation: 0.05, kept: 0.95 };
const growthPerYear = 1.3;

function countryRates(
  { fromMs, days, requestsPerSecond = 3000, crowds = 2 }: Traffic,
  country: string,
  seed: number,
): Float64Array {
  const random = randomOf(seed);
  const total = Object.values(users).reduce((sum, one) => sum + one, 0);
  const share = (users[country] ?? 0) / total;
  // The mean of a day is about two thirds of its peak.
  const peak = (share * requestsPerSecond) / 0.66;
  const clock = localClock(zoneOf(country) ?? 'UTC', fromMs, fromMs + days * dayMs);
  const anchors = ['US', 'BR', 'MX'].includes(country) ? america : europe;
  const crowdChance = ((crowds / 30) * stepMs) / dayMs / trafficCountries.length;
  let [lasting, crowd, fading] = [0, 0, 1];
  return Float64Array.from({ length: Math.round((days * dayMs) / stepMs) }, (_, index) => {
    const localMs = clock(fromMs + (index + 1) * stepMs);
    const hour = (((localMs % dayMs) + dayMs) % dayMs) / hourMs;
    const weekday = new Date(localMs).getUTCDay();
    lasting = noise.kept * lasting + noise.deviation * Math.sqrt(1 - noise.kept ** 2) * random.normal();
    crowd *= fading;
    if (random.uniform() < crowdChance) {
      crowd = 1 + 9 * random.uniform() ** 2;
      fading = Math.exp(-stepMs / ((1 + 2 * random.uniform()) * hourMs));
    }
    const growth = growthPerYear ** ((index * stepMs) / (365 * dayMs));
    const mean =
      peak *
      dayLevel(anchors, hour) *
      weekLevel(weekday, hour) *
      seasonLevel(country, localMs) *
      growth *
      Math.exp(lasting) *
      (1 + crowd);
    return counted(mean, random) / 300;
  });
}

/** How many requests come in five minutes: more scattered than chance alone would have it, because each user asks several times. */
function counted(perSecond: number, random: Random): number {
  const expected = perSecond * 300;
  return Math.max(0, Math.round(expected + Math.sqrt(expected * 4) * random.normal()));
}

interface Random {
  readonly uniform: () => number;
  readonly normal: () => number;
}

/** mulberry32: 32 bits of state are enough for tests, and the same everywhere. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
