import type { Route } from '../../bgp/route.ts';
import { comparePrefixes, type Prefix } from '../../model/address.ts';
import type { Notice, Refusal } from '../../model/problem.ts';
import type { NetworkReason } from './reasons.ts';

/** A prefix or address that is not announced although it looks as if it should be. */
export interface NetworkRefusal extends Refusal<NetworkReason> {
  /** A prefix, an address, or `Kind/name`. */
  readonly subject: string;
}

/** Something about what is announced that a person should know. */
export interface NetworkNotice extends Notice<NetworkReason> {
  /** Of `DrainWaits`: how many pods it waits for. */
  readonly count?: number;
  /** A prefix, an address, or `Kind/name`. */
  readonly subject: string;
}

/** An edit by which the cluster, or a site of it, would lose most of what it announces. */
export interface Brake {
  readonly reason: Extract<NetworkReason, 'SiteEditWaits' | 'ExportBanWaits'>;
  /** The object that was edited, and in a Site the field. */
  readonly cause: string;
  /** Blocks of all its workers that the edit takes. */
  readonly lost: number;
  /** Blocks that they announce without the edit. */
  readonly all: number;
}

/** What one node wants of BGP and of the kernel. */
export type NetworkPlan =
  | {
      readonly action: 'announce';
      /** Sorted by prefix. */
      readonly routes: readonly Route[];
      /**
       * The blackholes that each announced block needs, by its text: one for the whole block, or, where addresses in it are used
       * elsewhere, those that leave these out.
       */
      readonly covers: ReadonlyMap<string, readonly Prefix[]>;
      readonly refusals: readonly NetworkRefusal[];
      readonly notices: readonly NetworkNotice[];
      /** Prefixes of routes that the Site has no longer, and that stay for now. */
      readonly beyond: readonly Prefix[];
      /** The brakes that concern this node, held or over. */
      readonly brakes: readonly Brake[];
      /** Blocks of this node, as text, whose export the pool that holds or held them forbids; absent when no block was judged. */
      readonly banned?: ReadonlySet<string>;
      /** Prefixes that were announced and, by what the cluster says itself, must not be: they go at once. */
      readonly disproved: ReadonlySet<string>;
      /** Why routes are withdrawn on purpose; set when a large withdrawal is intended. */
      readonly withdrawn?: Extract<NetworkReason, 'NodeDeleted' | 'NodeDrained'>;
    }
  /** Not enough is known to want anything: whatever is announced stays. */
  | { readonly action: 'hold'; readonly reason: NetworkReason; readonly refusals: readonly NetworkRefusal[] };

/** The plan of a node that announces nothing. */
export const nothingAnnounced = {
  action: 'announce',
  routes: [],
  covers: new Map<string, readonly Prefix[]>(),
  refusals: [],
  notices: [],
  beyond: [],
  brakes: [],
  disproved: new Set<string>(),
} as const satisfies NetworkPlan;

/** All blackholes of a plan, sorted. */
export function blackholesOf({
  covers,
}: {
  readonly covers: ReadonlyMap<string, readonly Prefix[]>;
}): readonly Prefix[] {
  return [...covers.values()].flat().toSorted(comparePrefixes);
}
