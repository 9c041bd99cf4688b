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

/** A version of an overlay, and what becomes of it. */
export interface OverlayVersion {
  readonly state: OverlayState;
  readonly trouble: readonly OverlayTrouble[];
  readonly proposal: Proposal;
  /** The countries for which it decides, sorted. */
  readonly countries: readonly string[];
  /** The countries for which it is passed over, and why. */
  readonly broken: readonly Broken[];
}

/** An overlay by the version that was approved, else by the one that stands there. */
export interface OverlayView extends OverlayVersion {
  readonly name: string;
  /** The version that stands there, where another was approved: what it says waits for a person. */
  readonly proposed?: OverlayVersion;
  readonly reason: string;
  readonly renewed?: string;
  /** The newest word of a person about it. */
  readonly verdict?: Pick<TrafficVerdict['spec'], 'verdict' | 'by' | 'at' | 'reason'>;
}

export interface Broken {
  readonly countries: readonly string[];
  /** A clause. */
  readonly why: string;
}
