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
  const { platform, cluster, measured, observed, nowMs } = looked;
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
    numbers: numbersOf(measured, world),
    ...(freeze === undefined ? {} : { frozen: freezeLine(freeze) }),
    atMs: nowMs,
  };
}

function worldOf({ platform, measured, rates, health, margin, nowMs }: Looked): ScalingWorld {
  const earlier = earlierText(rates, measured);
  const demand = demandOf(platform, withKnown({ ...measured, margin }, rates), nowMs);
  return {
    platform,
    answers: new Map([...platform.policies].map(([name, policy]) => [name, answersNow(platform, policy, nowMs)])),
    demand: { ...demand, unheard: [...demand.unheard, ...(earlier === undefined ? [] : [earlier])] },
    drained: drainedAt(platform, nowMs),
    health,
  };
}

function numbersOf({ rates, seconds, hosts, unknownPerSecond }: MeasuredNow, world: ScalingWorld): MeasuredNumbers {
  const all = Object.values(rates.requestsPerSecond).reduce((sum, rate) => sum + rate, unknownPerSecond);
  // Floors count with a margin; what is told of now is what was measured.
  const arriving = rememberedArriving({ ...world, demand: { ...world.demand, factor: 1 } })(nothing);
  return {
    atMs: rates.measuredAtMs,
    seconds,
    arriving,
    policies: new Map([...world.demand.shares].map(([policy, share]) => [policy, all * share])),
    hosts,
    countries: new Map(Object.entries(rates.requestsPerSecond)),
  };
}
