import type { SpeakerStatus } from '../../../bgp/speaker.ts';
import { type Address, hostPrefix, parseAddress } from '../../../model/address.ts';
import type { VipView } from '../../../model/status.ts';
import type { EdgeReason } from '../reasons.ts';
import { reasonsAgainst } from './fitness.ts';
import type { BladeMemory, Retirement, VipMemory } from './memory.ts';

/** `VipView` with the reasons of this version. */
export interface VipStatus extends VipView {
  readonly reasons: readonly EdgeReason[];
}

/**
 * What `/status` says of the VIPs. Peers may never count on a blade that is about to withdraw: a retiring one is not
 * fit, nor is one whose decision over a withdrawal is still to come (when its drain has ended, the next round of probes
 * makes it fit).
 */
export function vipStatuses({ vips, retirement }: BladeMemory, speaker: SpeakerStatus): readonly VipStatus[] {
  return vips.map((vip) => ({
    address: vip.address.text,
    fit: vip.fitness.fit && retirement.phase === 'none' && vip.standing.phase === 'serving',
    reasons: reasonsOf(vip, retirement),
    announced: isAnnounced(speaker, vip.address),
  }));
}

/** What speaks against serving a VIP, with `LastAnnouncer` when the VIP is announced nevertheless. */
export function reasonsOf({ fitness, decision }: VipMemory, retirement: Retirement): readonly EdgeReason[] {
  return [
    ...(retirement.phase === 'none'
      ? []
      : [retirement.phase === 'draining' ? ('Draining' as const) : ('Stopping' as const)]),
    ...reasonsAgainst(fitness),
    ...(decision.reason === undefined ? [] : [decision.reason]),
  ];
}

/** Whether a router has the VIP from us. A session carries the family of its addresses, so one of the other family has no part in it. */
export function isAnnounced(speaker: SpeakerStatus, vip: Address): boolean {
  const carries = ({ address }: { readonly address: string }) => parseAddress(address)?.family === vip.family;
  return isInExabgp(speaker, vip) && speaker.neighbors.some((neighbor) => neighbor.up && carries(neighbor));
}

/** Whether ExaBGP holds the route of the VIP, with or without a session. */
export function isInExabgp({ announced }: SpeakerStatus, vip: Address): boolean {
  const { text } = hostPrefix(vip);
  return announced.some(({ prefix }) => prefix.text === text);
}
