import type { Prefix } from '../../../model/address.ts';
import type { NetworkNotice, NetworkRefusal } from '../plan.ts';

/** A wanted prefix of pods, before its site and next hop are checked. */
export interface Wanted {
  readonly prefix: Prefix;
  readonly because: string;
  /** What lies in the prefix and is used elsewhere: no blackhole of ours may catch it. */
  readonly holes?: readonly Prefix[];
}

export interface WantedPrefixes {
  readonly wanted: readonly Wanted[];
  readonly refusals: readonly NetworkRefusal[];
  readonly notices: readonly NetworkNotice[];
}
