import { answersNow, drainedAt } from '../../answers/answers.ts';
import { freezeInForce, freezeLine } from '../../model/platform/freezes.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { nothing } from './compile/failures.ts';
import { type Floor, floorsOf, rememberedArriving } from './compile/floors.ts';
import type { Observed } from './compile/observed.ts';
import type { PresentHealth, ScalingWorld } from './compile/world.ts';
import { demandOf, type Measured } from './demand.ts';
import { floorFindings, readFindings } from './findings.ts';
import { earlierText, type KnownRates, withKnown } from './follow/demand-kept.ts';
import { type KeptFloor, keptFloors } from './follow/floors-kept.ts';
import type { Forecast } from './forecast/forecast.ts';
import { unknownPlace } from './forecast/history.ts';
import { forecastFindings } from './forecast-text.ts';
import { releaseDoubts } from './hold/doubts.ts';
import type { ScalingFinding } from './reasons.ts';
import type { MeasuredNumbers } from './serve/series-of.ts';

/** What edges counted in the last minute, or somebody wrote down. */
export interface MeasuredNow extends Omit<Measured, 'margin'> {
  /** The time over which it was measured. */
  readonly seconds: number;
  readonly hosts: ReadonlyMap<string, number>;
}

/** What one look at everything brought. */
export interface Looked {
  readonly platform: Platform;
  /** The Cluster whose autoscalers are served. */
  readonly cluster: string;
  readonly measured: MeasuredNow;
  /** What is known of each country, of this measurement and of earlier ones. */
  readonly rates: KnownRates;
  readonly health: PresentHealth;
  /** Of the targets of the cluster. */
  readonly observed: ReadonlyMap<string, Observed>;
  readonly margin: number;
  /** What will be asked, where there is a history that says so. */
  readonly forecast?: Forecast | undefined;
  readonly nowMs: number;
}

/** What follows from it. */
export interface Seen {
  readonly world: ScalingWorld;
  /** Of the targets of the cluster. */
  readonly floors: readonly Floor[];
  readonly observed: ReadonlyMap<string, Observed>;
  readonly findings: readonly ScalingFinding[];
  /** Why no floor falls now. */
  readonly doubts: readonly string[];
  /** What autoscalers are told from now on, by target. */
  readonly told: ReadonlyMap<string, KeptFloor>;
  readonly numbers: MeasuredNumbers;
  /** The Freeze because of which floors stay as they were. */
  readonly frozen?: string;
  readonly atMs: number;
}

/** One step: from what was seen, and what autoscalers were told before, to what they are told now. Throws an InputError for demand that cannot be used. */
export function stepOf(before: ReadonlyMap<string, KeptFloor>, looked: Looked): Seen {
  const { platform, cluster, observed, nowMs } = looked;
  const world = worldOf(looked);
  const arriving = rememberedArriving(world);
  const all = floorsOf(world, arriving);
  const floors = all.filter(({ spec }) => spec.cluster === cluster);
  const doubts = releaseDoubts({ world, arriving, floors: all, observed }, nowMs);
  const freeze = freezeInForce(platform, nowMs);
  return {
    world,
    floors,
    observed,
    findings: [
      ...readFindings(world, observed, false),
      ...floors.flatMap((floor) => floorFindings(floor, observed.get(floor.target))),
    ],
    doubts,
    told: freeze === undefined ? keptFloors(before, floors, { nowMs, doubts }) : before,
    numbers: numbersOf(looked, world),
    ...(freeze === undefined ? {} : { frozen: freezeLine(freeze) }),
    atMs: nowMs,
  };
}

/** A history that ends longer ago says nothing of the minutes to come. */
const freshMs = 30 * 60_000;

/** The forecast, of places of which it knows its own errors; undefined where there are none, or it is of an old history. */
function usableForecast({ forecast, nowMs }: Looked): Forecast | undefined {
  if (forecast === undefined || nowMs - forecast.toMs > freshMs) return undefined;
  const places = forecast.places.filter(({ isShort }) => !isShort);
  return places.length === 0 ? undefined : { ...forecast, places };
}

/** What floors are reckoned with: of each place what was measured with the margin, or what is forecast with its own, whichever is more. */
function worldOf(looked: Looked): ScalingWorld {
  const { measured, rates, margin } = looked;
  const known = withKnown({ ...measured, margin }, rates);
  const forecast = usableForecast(looked);
  if (forecast === undefined) return worldWith(looked, known);
  const upper = new Map(forecast.places.map((one) => [one.place, one.requestsPerSecond * (1 + one.margin)]));
  const most = (place: string, rate = 0): number => Math.max(rate * (1 + margin), upper.get(place) ?? 0);
  const places = new Set([...Object.keys(known.rates.requestsPerSecond), ...upper.keys()]);
  places.delete(unknownPlace);
  const expected = [...places].map((place) => [place, most(place, known.rates.requestsPerSecond[place])] as const);
  return worldWith(looked, {
    ...known,
    rates: { ...known.rates, requestsPerSecond: Object.fromEntries(expected) },
    unknownPerSecond: most(unknownPlace, known.unknownPerSecond),
    margin: 0,
    doubts: forecastFindings(forecast),
  });
}

function worldWith({ platform, measured, rates, health, nowMs }: Looked, demanded: Measured): ScalingWorld {
  const earlier = earlierText(rates, measured);
  const demand = demandOf(platform, demanded, nowMs);
  return {
    platform,
    answers: new Map([...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, nowMs)])),
    demand: { ...demand, unheard: [...demand.unheard, ...(earlier === undefined ? [] : [earlier])] },
    drained: drainedAt(platform, nowMs),
    health,
  };
}

/** What is told of now is what was measured, and what is told of soon what is forecast, both without a margin. */
function numbersOf(looked: Looked, { demand: { shares } }: ScalingWorld): MeasuredNumbers {
  const { measured, rates: known } = looked;
  const { rates, seconds, hosts, unknownPerSecond } = measured;
  const all = Object.values(rates.requestsPerSecond).reduce((sum, rate) => sum + rate, unknownPerSecond);
  const now = worldWith(looked, withKnown({ ...measured, margin: 0 }, known));
  const forecast = usableForecast(looked);
  return {
    atMs: rates.measuredAtMs,
    seconds,
    arriving: arrivingIn(now),
    ...(forecast === undefined ? {} : { predicted: arrivingIn(soon(now, forecast)) }),
    policies: new Map([...shares].map(([policy, share]) => [policy, all * share])),
    hosts,
    countries: new Map(Object.entries(rates.requestsPerSecond)),
  };
}

function arrivingIn(world: ScalingWorld): MeasuredNumbers['arriving'] {
  return rememberedArriving(world)(nothing);
}

/** The world in which what is forecast has come; places of which nothing is forecast go on as now. */
function soon(now: ScalingWorld, { places }: Forecast): ScalingWorld {
  const { [unknownPlace]: unknownPerSecond = now.demand.unknownPerSecond, ...forecast } = Object.fromEntries(
    places.map((one) => [one.place, one.requestsPerSecond]),
  );
  const requestsPerSecond = { ...now.demand.rates.requestsPerSecond, ...forecast };
  return { ...now, demand: { ...now.demand, rates: { ...now.demand.rates, requestsPerSecond }, unknownPerSecond } };
}
