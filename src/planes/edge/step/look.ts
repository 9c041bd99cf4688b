import type { Address } from '../../../model/address.ts';
import { faultOf } from './convergence.ts';
import type { BladeView } from './view.ts';

/** Something else on the host may take addresses away. */
const addressesEveryMs = 5000;

/** The VIPs to be put on this host now: all of them, from time to time and whenever they are others; else none. */
export function addressesDue({ pool, host, nowMs }: BladeView): readonly Address[] {
  const vips = pool.spec.vips.map(({ address }) => address);
  const same = vips.length === host.vips.length && vips.every(({ text }, index) => text === host.vips[index]);
  return same && nowMs - host.addedMs < addressesEveryMs ? [] : vips;
}

/** The VIPs on which an answer would say anything: of a blade that cannot serve, or of a VIP that is not here, none would. */
export function vipsToProbe({ pool, convergence, nginx, nowMs, host }: BladeView): readonly Address[] {
  if (faultOf(convergence, nginx, nowMs) !== undefined) return [];
  return pool.spec.vips.map(({ address }) => address).filter(({ text }) => !host.missing.has(text));
}
