import type { Route } from '../../../bgp/route.ts';
import { type Address, hostPrefix } from '../../../model/address.ts';
import type { Announcing, BladeMemory } from './memory.ts';
import type { BladeView } from './view.ts';
import { isInExabgp } from './vip-status.ts';

/** After a start, what a former agent announced is left alone this long, until fitness is known. */
const startGraceMs = 10_000;

/**
 * The first set replaces what a former agent announced. It may announce everything at once; a set that withdraws waits
 * until it is known what is announced, and that the fitness is not just about to become good.
 */
export function mayBegin(view: BladeView, { vips, retirement }: BladeMemory): boolean {
  const fit = vips.every(({ fitness }) => fitness.fit);
  if (fit && retirement.phase === 'none') return true;
  const waited = view.nowMs - view.startedMs > startGraceMs;
  return view.speaker.relay === 'synced' && (fit || waited);
}

/** In our set; before the first set, in what ExaBGP holds from a former agent. */
export function isHeld({ speaker }: BladeView, announcing: Announcing, vip: Address): boolean {
  return announcing.phase === 'ours' ? announcing.vips.has(vip.text) : isInExabgp(speaker, vip);
}

/** Makes the set of what was decided; the same object while it is the same set, or a former agent's is left alone. */
export function announcingOf(view: BladeView, memory: BladeMemory): Announcing {
  const { announcing, vips } = memory;
  if (announcing.phase === 'inherited' && !mayBegin(view, memory)) return announcing;
  const wanted = vips.filter(({ decision }) => decision.announce).map(({ address }) => address.text);
  const same =
    announcing.phase === 'ours' &&
    announcing.vips.size === wanted.length &&
    wanted.every((vip) => announcing.vips.has(vip));
  return same ? announcing : { phase: 'ours', vips: new Set(wanted) };
}

/** The route of a VIP. One of the other family than the blade has no next hop here: the speaker refuses it by name. */
export function routeOf({ pool, blade }: BladeView, vip: Address): Route {
  const nextHop = pool.spec.blades.find(({ name }) => name === blade)?.address;
  return {
    prefix: hostPrefix(vip),
    nextHop: nextHop ?? vip,
    class: 'vip',
    because: `VIP ${vip.text} of pool ${pool.metadata.name} on blade ${blade}`,
  };
}
