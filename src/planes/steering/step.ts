import type { SteeringNotice, SteeringReason } from './reasons.ts';

/** What the agent may do: look, look and ask a person to apply, or apply what lies inside the guards. */
export type SteeringMode = 'observe' | 'recommend' | 'automatic';

/** How far the platform spec that is in force can be trusted. */
export interface SpecTrouble {
  /** What is wrong with the newest spec; absent when it is in force. */
  readonly invalid?: string;
  /** Why APIs are not read now, a clause each. */
  readonly unread: readonly string[];
  /** Changes that are not made because they look like mistakes, a clause each. */
  readonly doubts: readonly string[];
  /** Objects that are not in force as they stand there, a clause each. */
  readonly odd: readonly string[];
}

/** What a plan of a zone says that decides whether it is applied. */
export interface PlannedZone {
  /** False when nothing is to do. */
  readonly changes: boolean;
  /** What the guards of the policies do not allow, a sentence each without its end. */
  readonly overGuard: readonly string[];
  /** Policies of which users move while the health of no entry is known. */
  readonly unseen: readonly string[];
  /** What a person did in the zone that the plan would undo. */
  readonly undoes: readonly SteeringNotice[];
  /** How many plans were applied in the zone in the last ten minutes, whoever did it. */
  readonly appliesLately: number;
}

export interface World {
  readonly mode: SteeringMode;
  /** What is said of the Freeze in force. */
  readonly frozen?: string;
  readonly trouble: SpecTrouble;
}

/** What is done about a zone. */
export interface Step {
  readonly does: 'nothing' | 'show' | 'wait' | 'apply';
  /** Why the plan is not applied by itself. */
  readonly because: readonly SteeringNotice[];
}

/** So many plans in ten minutes are no work of one careful person. */
const mostApplies = 6;

/**
 * What is done about a planned zone. Applied is only what nothing speaks against; a Freeze is named first. An agent that observes says what would speak against
 * it, and leaves it at that.
 */
export function stepOf({ mode, frozen, trouble }: World, zone: PlannedZone): Step {
  if (!zone.changes) return { does: 'nothing', because: [] };
  const because = [
    ...(frozen === undefined ? [] : [notice('Frozen', frozen)]),
    ...troubleNotices(trouble),
    ...zone.overGuard.map((message) => notice('NeedsApproval', message)),
    ...zone.unseen.map((policy) =>
      notice('HealthUnseen', `users of policy ${policy} would move, and the health of none of its entries is known`),
    ),
    ...zone.undoes,
    ...(zone.appliesLately < mostApplies
      ? []
      : [notice('AppliedTooOften', `the zone was applied ${zone.appliesLately} times in the last ten minutes`)]),
  ];
  if (mode === 'observe') return { does: 'show', because };
  if (mode === 'recommend' && because.length === 0)
    return { does: 'wait', because: [notice('OnlyRecommended', 'the agent recommends this plan and never applies')] };
  return { does: because.length === 0 ? 'apply' : 'wait', because };
}

/** What speaks against acting on the spec in force. */
function troubleNotices({ invalid, unread, doubts, odd }: SpecTrouble): readonly SteeringNotice[] {
  return [
    ...(invalid === undefined ? [] : [notice('InputInvalid', invalid)]),
    ...unread.map((message) => notice('InputUnread', message)),
    ...doubts.map((message) => notice('InputDoubted', message)),
    ...odd.map((message) => notice('InputContradicts', message)),
  ];
}

function notice(reason: SteeringReason, message: string): SteeringNotice {
  return { reason, message };
}
