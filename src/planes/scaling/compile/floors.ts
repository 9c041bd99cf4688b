import type { ScalingTarget } from '../../../model/spec/kinds.ts';
import { type Failure, nothing, survivedBy } from './failures.ts';
import { type Arriving, arrivingUnder } from './load.ts';
import { type ScalingWorld, targetsOf, utilisationOf } from './world.ts';

/** How full a cluster may get under a failure; what is down already is one as well. */
export function utilisationUnder({ platform, health }: ScalingWorld, cluster: string, failure: Failure): number {
  return utilisationOf(platform, cluster, failure !== nothing || health.down.size > 0);
}

/** What a target would need while something is lost. */
export interface Need {
  readonly failure: string;
  readonly callsPerSecond: number;
  /** Replicas for these calls, whether there can be so many or not. */
  readonly replicas: number;
  /** Who sends them, the most first. */
  readonly from: readonly { readonly place: string; readonly callsPerSecond: number }[];
}

/** So many replicas a target must have Ready at every moment. */
export interface Floor {
  readonly target: string;
  readonly spec: ScalingTarget['spec'];
  /** Between the bounds of the target. */
  readonly replicas: number;
  /** What it needs while nothing is lost. */
  readonly now: Need;
  /** What it needs in each failure that it is to survive, the most first. */
  readonly needs: readonly Need[];
  /** The one that decides: the first of `needs` or `now`; absent where the least replicas of the target are enough for all of them. */
  readonly binding?: Need;
  /** Replicas that are needed and cannot be had. */
  readonly missing: number;
}

/** Where requests arrive under a failure; each failure is computed once for all targets. */
export type ArrivingUnder = (failure: Failure) => readonly Arriving[];

export function rememberedArriving(world: ScalingWorld): ArrivingUnder {
  const known = new Map<string, readonly Arriving[]>();
  return (failure) => {
    const found = known.get(failure.name) ?? arrivingUnder(world, failure);
    known.set(failure.name, found);
    return found;
  };
}

/** The floor of every target, in the order of their names. */
export function floorsOf(world: ScalingWorld, arriving: ArrivingUnder = rememberedArriving(world)): readonly Floor[] {
  return targetsOf(world.platform).map(([target, { spec }]) => {
    const need = (failure: Failure): Need => needOf(world, spec, failure, arriving(failure));
    const now = need(nothing);
    const needs = survivedBy(world.platform, { spec })
      .map(need)
      .toSorted((a, b) => b.replicas - a.replicas);
    const [most] = needs;
    const deciding = most !== undefined && most.replicas > now.replicas ? most : now;
    const { min, max } = spec.replicas;
    return {
      target,
      spec,
      replicas: Math.min(max, Math.max(min, deciding.replicas)),
      now,
      needs,
      ...(deciding.replicas > min ? { binding: deciding } : {}),
      missing: Math.max(0, deciding.replicas - max),
    };
  });
}

type Spec = ScalingTarget['spec'];

/** Whether a request is one of those that reach a target. */
export function reaches({ cluster, site, policies }: Spec, request: Arriving): boolean {
  return request.cluster === cluster && request.site === site && policies.includes(request.policy);
}

interface Calls {
  readonly callsPerSecond: number;
  /** While something is lost replicas may be fuller. */
  readonly failure: Failure;
}

/** Replicas for so many calls, whether there can be so many or not. */
export function replicasFor(world: ScalingWorld, spec: Spec, { callsPerSecond, failure }: Calls): number {
  const each = spec.callsPerSecond * utilisationUnder(world, spec.cluster, failure);
  // Sums of shares are a little more than the whole at times, which is no reason for one more replica.
  return Math.ceil(callsPerSecond / each - 1e-9);
}

function needOf(world: ScalingWorld, spec: Spec, failure: Failure, arriving: readonly Arriving[]): Need {
  const from = new Map<string, number>();
  for (const one of arriving)
    if (reaches(spec, one))
      from.set(one.place, (from.get(one.place) ?? 0) + one.requestsPerSecond * spec.callsPerRequest);
  const callsPerSecond = [...from.values()].reduce((sum, calls) => sum + calls, 0);
  return {
    failure: failure.name,
    callsPerSecond,
    replicas: replicasFor(world, spec, { callsPerSecond, failure }),
    from: [...from]
      .map(([place, calls]) => ({ place, callsPerSecond: calls }))
      .toSorted((a, b) => b.callsPerSecond - a.callsPerSecond || (a.place < b.place ? -1 : 1)),
  };
}
