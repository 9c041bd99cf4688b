import type { Route } from '../../bgp/route.ts';
import type { Prefix } from '../../model/address.ts';
import type { Refusal } from '../../model/problem.ts';
import type { NetworkReason } from './reasons.ts';

/** A prefix or address that is not announced although it looks as if it should be. */
export interface NetworkRefusal extends Refusal<NetworkReason> {
  /** A prefix, an address, or `Kind/name`. */
  readonly subject: string;
}

/** What one node wants of BGP and of the kernel. */
export type NetworkPlan =
  | {
      readonly action: 'announce';
      /** Sorted by prefix. */
      readonly routes: readonly Route[];
      /** Sorted. */
      readonly blackholes: readonly Prefix[];
      readonly refusals: readonly NetworkRefusal[];
      /** Why routes are withdrawn on purpose; set when a large withdrawal is intended. */
      readonly withdrawn?: Extract<NetworkReason, 'NodeDeleted' | 'NodeDrained'>;
    }
  /** Not enough is known to want anything: whatever is announced stays. */
  | { readonly action: 'hold'; readonly reason: NetworkReason; readonly refusals: readonly NetworkRefusal[] };
