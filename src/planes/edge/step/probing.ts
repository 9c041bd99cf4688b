import type { Address } from '../../../model/address.ts';
import { faultOf } from './convergence.ts';
import type { BladeView } from './view.ts';

/** VIPs are added again this often, because something else on the host may remove addresses. */
const addressesEveryMs = 5000;

/** The VIPs to add to this host now: all of them from time to time and whenever the pool's VIPs change; else none. */
export function addressesDue({ pool, host, nowMs }: BladeView): readonly Address[] {
  const vips = pool.spec.vips.map(({ address }) => address);
  const same = vips.length === host.vips.length && vips.every(({ text }, index) => text === host.vips[index]);
  return same && nowMs - host.addedMs < addressesEveryMs ? [] : vips;
}

/**
 * The VIPs to probe. A blade that cannot serve, or a VIP that is missing on this host, is known to be unfit without a
 * probe.
 */
export function vipsToProbe({ pool, convergence, nginx, nowMs, host }: BladeView): readonly Address[] {
  if (faultOf(convergence, nginx, nowMs) !== undefined) return [];
  return pool.spec.vips.map(({ address }) => address).filter(({ text }) => !host.missing.has(text));
}
