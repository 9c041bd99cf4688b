import type { Route } from '../../../bgp/route.ts';
import { type Address, hostPrefix } from '../../../model/address.ts';
import { bladeOf } from '../../../model/platform/places.ts';
import type { Announcing, BladeMemory } from './memory.ts';
import type { BladeView } from './view.ts';
import { isInExabgp } from './vip-status.ts';

/** For this long after a start, what a former agent announced is left alone while fitness is not known. */
const startGraceMs = 10_000;

/**
 * Whether the first set of this agent may replace what a former agent announced: when it is known what ExaBGP announces, because
 * that may have a VIP that the pool has no longer. A set that withdraws a VIP of the pool also waits until the blade has had the
 * time to become fit.
 */
export function mayTakeOver(view: BladeView, { vips }: BladeMemory): boolean {
  if (view.speaker.relay !== 'synced') return false;
  return vips.every(({ fitness }) => fitness.fit) || view.nowMs - view.startedMs > startGraceMs;
}

/** Whether the VIP is in our set or, before the first set, in what ExaBGP holds from a former agent. */
export function isHeld({ speaker }: BladeView, announcing: Announcing, vip: Address): boolean {
  return announcing.phase === 'ours' ? announcing.vips.has(vip.text) : isInExabgp(speaker, vip);
}

/**
 * The set that was decided. Its identity changes only when its routes do: the VIPs, or the address of the blade, which is
 * their next hop. While a former agent's set is left alone, it stays `inherited`.
 */
export function announcingOf(view: BladeView, memory: BladeMemory): Announcing {
  const { announcing, vips } = memory;
  if (announcing.phase === 'inherited' && !mayTakeOver(view, memory)) return announcing;
  const wanted = vips.filter(({ decision }) => decision.announce).map(({ address }) => address.text);
  const nextHop = bladeOf(view.pool, view.blade)?.address.text;
  const same =
    announcing.phase === 'ours' &&
    announcing.nextHop === nextHop &&
    announcing.vips.size === wanted.length &&
    wanted.every((vip) => announcing.vips.has(vip));
  return same ? announcing : { phase: 'ours', vips: new Set(wanted), nextHop };
}

/**
 * The route of a VIP. A VIP of another address family than the blade's has no valid next hop; the speaker refuses it
 * with a reason.
 */
export function routeOf({ pool, blade }: BladeView, vip: Address): Route {
  const nextHop = bladeOf(pool, blade)?.address;
  return {
    prefix: hostPrefix(vip),
    nextHop: nextHop ?? vip,
    class: 'vip',
    because: `VIP ${vip.text} of pool ${pool.metadata.name} on blade ${blade}`,
  };
}
