import type { Address } from '../../../model/address.ts';
import type { Drain } from '../../../model/spec/kinds.ts';
import type { EdgeReason } from '../reasons.ts';
import type { PolicyHealth } from '../table.ts';
import { type Fitness, untried } from './fitness.ts';
import { noTries, type TriesMemory } from './tries.ts';

/** What a blade must remember from one step to the next. Whatever can be read again is in the view instead. */
export interface BladeMemory {
  readonly retirement: Retirement;
  /** The policy health that nginx should report; undefined while nginx keeps what it reports. */
  readonly health: readonly PolicyHealth[] | undefined;
  readonly tries: TriesMemory;
  readonly round: Round;
  /** The VIPs of the pool, in its order. */
  readonly vips: readonly VipMemory[];
  readonly announcing: Announcing;
}

/**
 * Why the blade should not serve although it could, and since when. Peers stop counting on it at once; it withdraws a
 * VIP after the pool's grace, in which keep-alive connections end.
 */
export type Retirement =
  | { readonly phase: 'none' }
  | { readonly phase: 'draining'; readonly sinceMs: number; readonly drain: Drain }
  | { readonly phase: 'stopping'; readonly sinceMs: number };

/** Every round of probes is judged once and then decided: at once, or after the peers were asked. */
export interface Round {
  readonly phase: 'judged' | 'asking' | 'decided';
  /** The number of the round of probes that was judged last. */
  readonly number: number;
  /** When the peers were asked last because of a withdrawal; -Infinity for never. */
  readonly askedMs: number;
}

export interface VipMemory {
  readonly address: Address;
  readonly fitness: Fitness;
  readonly standing: Standing;
  readonly others: OtherAnnouncers;
  readonly decision: VipDecision;
}

/** Whether this blade should serve the VIP, and since when it says that it should not. */
export type Standing = { readonly phase: 'serving' } | { readonly phase: 'unfit'; readonly sinceMs: number };

/** Whether enough peers are known to be fit and to announce the VIP, and since when they are too few. */
export type OtherAnnouncers = { readonly phase: 'enough' } | { readonly phase: 'tooFew'; readonly sinceMs: number };

export interface VipDecision {
  readonly announce: boolean;
  readonly reason?: Extract<EdgeReason, 'LastAnnouncer'>;
}

/**
 * What a former agent announced is left alone until this one knows its fitness; from then on the set is ours. `nextHop` is the
 * blade's address with which the VIPs were announced, undefined while the pool does not name it.
 */
export type Announcing =
  | { readonly phase: 'inherited' }
  | { readonly phase: 'ours'; readonly vips: ReadonlySet<string>; readonly nextHop: string | undefined };

export const noMemory: BladeMemory = {
  retirement: { phase: 'none' },
  health: undefined,
  tries: noTries,
  round: { phase: 'decided', number: 0, askedMs: -Infinity },
  vips: [],
  announcing: { phase: 'inherited' },
};

/** The memory of a VIP that was never probed. */
export function newVip(address: Address): VipMemory {
  return {
    address,
    fitness: untried,
    standing: { phase: 'serving' },
    others: { phase: 'enough' },
    decision: { announce: false },
  };
}
