import type { TrafficVerdict } from './kinds.ts';

/** What of an overlay decides about traffic. */
export type Proposal = TrafficVerdict['spec']['proposal'];

/**
 * `proposed`: it waits for a person. `in force`: the policy is answered as it says. `equal`: the policy says the same already.
 * `returned`: it has expired, and its traffic returned. `broken`: the policy does not allow any of it.
 */
type OverlayState = 'proposed' | 'in force' | 'equal' | 'rejected' | 'returned' | 'broken';

/**
 * What a person should know. `changed`: what was approved is in force, and what the overlay says by now waits. `own word`: the policy wants
 * another approver than the owner.
 */
export type OverlayTrouble = 'expired' | 'silent' | 'changed' | 'own word';

export interface OverlayView {
  readonly name: string;
  readonly state: OverlayState;
  readonly trouble: readonly OverlayTrouble[];
  /** The version that is in force, else the one that stands there. */
  readonly proposal: Proposal;
  readonly reason: string;
  readonly renewed?: string;
  /** The newest word of a person about it. */
  readonly verdict?: Pick<TrafficVerdict['spec'], 'verdict' | 'by' | 'at' | 'reason'>;
  /** The countries for which it decides, sorted. */
  readonly countries: readonly string[];
  /** The countries for which it is passed over, and why. */
  readonly broken: readonly Broken[];
}

export interface Broken {
  readonly countries: readonly string[];
  /** A clause. */
  readonly why: string;
}
