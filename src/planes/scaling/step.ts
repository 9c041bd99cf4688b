import { answersFor, answersNow, drainedAt, preferenceOf } from '../../answers/answers.ts';
import { freezeInForce, freezeLine } from '../../model/platform/freezes.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { nothing } from './compile/failures.ts';
import { type Floor, floorsOf, rememberedArriving } from './compile/floors.ts';
import type { Observed } from './compile/observed.ts';
import type { PresentHealth, ScalingWorld } from './compile/world.ts';
import { demandOf, type Measured } from './demand.ts';
import { floorFindings, readFindings } from './findings.ts';
import { earlierText, type KnownRates, knownRates, namesOf, withKnown } from './follow/demand-kept.ts';
import { keptFloors } from './follow/floors-kept.ts';
import type { Remembrance } from './follow/remembrance.ts';
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
  /** Clusters of which a blade is silent: of their users some may not have been counted. */
  readonly partial: ReadonlySet<string>;
}

/** What one look at everything brought. */
export interface Looked {
  readonly platform: Platform;
  /** The Cluster whose autoscalers are served. */
  readonly cluster: string;
  readonly measured: MeasuredNow;
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
  /** What autoscalers are told from now on, and what is believed. */
  readonly kept: Remembrance;
  readonly numbers: MeasuredNumbers;
  readonly atMs: number;
}

/**
 * One step: from what was seen, and what autoscalers were told and the agent believed before, to what is told and believed now. Throws an InputError for
 * demand that cannot be used.
 */
export function stepOf(before: Remembrance, seen: Looked): Seen {
  const { looked, sudden } = believed(before, seen);
  const { platform, cluster, observed, nowMs } = looked;
  const world = worldOf(looked);
  const arriving = rememberedArriving(world);
  const all = floorsOf(world, arriving);
  const floors = all.filter(({ spec }) => spec.cluster === cluster);
  const freeze = freezeInForce(platform, nowMs);
  const frozen = freeze === undefined ? undefined : freezeLine(freeze);
  const doubts = [
    ...(frozen === undefined ? [] : [frozen]),
    ...(sudden.length === 0 ? [] : [`${namesOf(sudden)} ask less than half of what they did within the hour`]),
    ...releaseDoubts({ world, arriving, floors: all, observed }, nowMs),
  ];
  const ready = new Map(
    [...observed].flatMap(([target, one]) => (one.state === 'read' ? [[target, one.ready] as const] : [])),
  );
  return {
    world,
    floors,
    observed,
    findings: [
      ...readFindings(world, observed, false),
      ...earlierFindings(looked),
      ...floors.flatMap((floor) => floorFindings(floor, observed.get(floor.target))),
    ],
    doubts,
    kept: {
      floors: keptFloors(before.floors, floors, { nowMs, doubts, ready }),
      rates: looked.rates,
      shares: world.demand.shares,
    },
    numbers: numbersOf(looked, world),
    atMs: nowMs,
  };
}

/** A look with what is believed of it. */
interface Believed extends Looked {
  readonly rates: KnownRates;
}

/** What is believed of a look: where not all was counted, more may have come than was. */
function believed(
  before: Remembrance,
  looked: Looked,
): { readonly looked: Believed; readonly sudden: readonly string[] } {
  const { platform, measured, health, nowMs } = looked;
  const partial = new Set([...measured.partial, ...health.down]);
  const answers = [...platform.policies.values()].map((policy) => answersNow(platform, policy, nowMs));
  const isPartial = (country: string): boolean =>
    answers.some((one) =>
      [...answersFor(preferenceOf(one, country).tiers, new Set()).keys()].some((name) => partial.has(name)),
    );
  const { rates, sudden } = knownRates(before.rates, measured, { nowMs, isPartial });
  const isKnown = [...platform.policies.keys()].every((name) => before.shares.has(name));
  const shares = partial.size > 0 && isKnown && measured.shares.size > 0 ? before.shares : measured.shares;
  return { looked: { ...looked, measured: { ...measured, shares }, rates }, sudden };
}

function earlierFindings({ rates, measured }: Believed): readonly ScalingFinding[] {
  const message = earlierText(rates, measured);
  return message === undefined ? [] : [{ reason: 'DemandPartial', message }];
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
function worldOf(looked: Believed): ScalingWorld {
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

function worldWith({ platform, health, nowMs }: Looked, demanded: Measured): ScalingWorld {
  return {
    platform,
    answers: new Map([...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, nowMs)])),
    demand: demandOf(platform, demanded, nowMs),
    drained: drainedAt(platform, nowMs),
    health,
  };
}

/** What is told of now is what was measured, and what is told of soon what is forecast, both without a margin. */
function numbersOf(looked: Believed, { demand: { shares } }: ScalingWorld): MeasuredNumbers {
  const { measured, rates: known } = looked;
  const { rates, seconds, hosts, unknownPerSecond, partial } = measured;
  const countries = new Map(
    Object.keys(rates.requestsPerSecond).map((country) => [country, known.get(country)?.requestsPerSecond ?? 0]),
  );
  const all = [...countries.values()].reduce((sum, rate) => sum + rate, unknownPerSecond);
  const now = worldWith(looked, withKnown({ ...measured, margin: 0 }, known));
  const forecast = usableForecast(looked);
  return {
    atMs: rates.measuredAtMs,
    seconds,
    arriving: viewsOf(now),
    ...(forecast === undefined ? {} : { predicted: viewsOf(soon(now, forecast)) }),
    policies: new Map([...shares].map(([policy, share]) => [policy, all * share])),
    hosts: partial.size > 0 ? new Map() : hosts,
    countries,
  };
}

/**
 * Where requests arrive: as health checks from here say, and as if everything answered. One look from one machine does not tell which of both is true,
 * and blades may go on counting what it takes for lost.
 */
function viewsOf(world: ScalingWorld): MeasuredNumbers['arriving'] {
  const healthy = { ...world, health: { down: new Set<string>() } };
  return (world.health.down.size === 0 ? [healthy] : [world, healthy]).map((one) => rememberedArriving(one)(nothing));
}

/** The world in which what is forecast has come; places of which nothing is forecast go on as now. */
function soon(now: ScalingWorld, { places }: Forecast): ScalingWorld {
  const { [unknownPlace]: unknownPerSecond = now.demand.unknownPerSecond, ...forecast } = Object.fromEntries(
    places.map((one) => [one.place, one.requestsPerSecond]),
  );
  const requestsPerSecond = { ...now.demand.rates.requestsPerSecond, ...forecast };
  return { ...now, demand: { ...now.demand, rates: { ...now.demand.rates, requestsPerSecond }, unknownPerSecond } };
}
