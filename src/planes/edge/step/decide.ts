import type { EdgeReason } from '../reasons.ts';

/** What a blade knows about one VIP at the moment of decision. Pure; see README "VIPs" for why it is safe. */
export interface VipView {
  /** This blade should serve the VIP. */
  readonly fit: boolean;
  /** nginx answers on the VIP with a table, whether or not it should (draining, say). */
  readonly capable: boolean;
  /** We announce it now. */
  readonly held: boolean;
  /** Peers that are fit and announce the VIP, asked after our own unfitness was published. */
  readonly fitPeers: number;
  /** ms for which fewer than `minAnnouncers` peers were known to be fit; 0 when enough are. */
  readonly aloneMs: number;
}

export interface VipDecision {
  readonly announce: boolean;
  readonly reason?: Extract<EdgeReason, 'LastAnnouncer'>;
}

/**
 * Fit: announce. Unfit: withdraw only while enough other blades are known to do the work; else hold. A blade that let
 * go and could still serve takes the VIP back when the others have been missing for half a lease: before the relay of a
 * blade whose agent died withdraws it too.
 */
export function decideVip(view: VipView, minAnnouncers: number, leaseMs: number): VipDecision {
  if (view.fit) return { announce: true };
  if (view.fitPeers >= minAnnouncers) return { announce: false };
  if (view.held) return { announce: true, reason: 'LastAnnouncer' };
  return view.capable && view.aloneMs >= leaseMs / 2
    ? { announce: true, reason: 'LastAnnouncer' }
    : { announce: false };
}
