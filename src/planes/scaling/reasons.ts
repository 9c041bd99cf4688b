import { InputError } from '../../model/problem.ts';

/** Every reason of this room: why a command ends without a result, and what it finds. */
export const scalingReasons = {
  NoTarget: 'The platform spec has no ScalingTarget, so nobody says what is to be kept ready.',
  DemandTooOld: 'The demand was measured so long ago that nothing can be computed from it.',
  DemandMissing: 'Nobody said how much is asked: neither a measured demand nor a history was named.',
  HistoryUnreadable: 'A history of demand cannot be read, or says nothing.',
  MomentUnusable: 'What was given as a moment is none, is past, or lies too far ahead.',
  HistoryShort: 'The history is too short to know how far its forecasts are off, so that the margin is the given one.',
  HistoryOld: 'The history ends some time ago, so that nothing says how much is asked just now.',
  MeasuredLow: 'Much less was measured just now than is usual: a counter may be broken, and what is usual stands.',
  MeasuredHigh: 'Much more was measured just now than is usual; a forecast goes up with it.',
  ShareMissing: 'Several policies share what was measured, and nobody said which part is for which of them.',
  FloorUnmet: 'A target needs more replicas than there can be, so a failure that it is to survive is an outage.',
  FloorNotHeld: 'Fewer replicas are Ready than the floor of a target.',
  MinimumLow: 'The autoscaler of a target may go below its floor.',
  MaximumLow: 'The autoscaler of a target may have fewer replicas than the target says.',
  WorkloadUnread: 'The replicas of a target could not be read, so nobody knows whether its floor is held.',
  FloorAssumed: 'Nobody was to ask for the replicas of a target, so its floor is taken for held.',
  CapacityShort: 'A cluster would get more requests than it carries.',
  CapacityUnknown: 'Users would come to a cluster of which nobody says what it carries.',
  ClusterDown: 'No entry address of a cluster answers health checks from here; it is reckoned as lost already.',
  HealthUnknown: 'No entry address of any cluster answers from here, so nobody knows which of them serve.',
  PlaceDrained: 'Users would come to a cluster that a Drain took out of service.',
  NobodyLeft: 'Nothing is left that could answer users: each of their clusters is lost.',
  FamiliesDiffer:
    'A policy names clusters of which some have no address of a family: users who come over it are led to fewer of them than is reckoned.',
  SharesPartial: 'The shares of the policies do not add up to one, so requests are left out or counted twice.',
  DemandPartial: 'Countries that the policies tell apart were not measured; they count as asking nothing.',
} as const;
export type ScalingReason = keyof typeof scalingReasons;

/** What a command found, for people and programs. */
export interface ScalingFinding {
  readonly reason: ScalingReason;
  readonly message: string;
}

export function badScaling(reason: ScalingReason, message: string, fix: string): InputError {
  return new InputError({ reason, message, fix });
}
