import { announcingOf, isHeld, mayTakeOver } from './announce.ts';
import type { BladeMemory, OtherAnnouncers, VipDecision, VipMemory } from './memory.ts';
import type { BladeView } from './view.ts';

/**
 * What a blade knows about one VIP at the moment of decision. The README says under "VIPs" why the decision is safe.
 */
export interface VipSituation {
  /** False for a while after a start, while what a former agent announced is left alone. */
  readonly takenOver: boolean;
  /** This blade should serve the VIP. */
  readonly fit: boolean;
  /** nginx answers on the VIP with a table, even if this blade should not serve (while it drains, say). */
  readonly capable: boolean;
  /** This blade announces the VIP now. */
  readonly held: boolean;
  /** Peers that are fit and announce the VIP, asked after our own unfitness was published. */
  readonly fitPeers: number;
  /** ms for which fewer than `minAnnouncers` peers were known to be fit; 0 when enough are. */
  readonly tooFewMs: number;
}

/**
 * Decides whether this blade announces a VIP; nothing else does. A fit blade announces. An unfit one withdraws only
 * while enough other blades are known to be fit and to announce; else it holds. A blade that has withdrawn and could
 * still serve takes the VIP back when the others have been missing for half a lease: before the relay of a blade whose
 * agent died withdraws it too.
 */
export function decideVip(vip: VipSituation, minAnnouncers: number, leaseMs: number): VipDecision {
  if (!vip.takenOver) return { announce: vip.held };
  if (vip.fit) return { announce: true };
  if (vip.fitPeers >= minAnnouncers) return { announce: false };
  if (vip.held) return { announce: true, reason: 'LastAnnouncer' };
  const takesBack = vip.capable && vip.tooFewMs >= leaseMs / 2;
  return takesBack ? { announce: true, reason: 'LastAnnouncer' } : { announce: false };
}

/** Answers to questions older than this do not count. */
const answersForMs = 3000;

/**
 * Decides every VIP of a round of probes that was judged, but not while the peers are being asked because of that
 * round.
 */
export function decide(view: BladeView, before: BladeMemory): BladeMemory {
  const { round, announcing } = before;
  const asking = round.phase === 'asking' && view.peers.answeredMs < round.askedMs;
  if (round.phase === 'decided' || asking) return before;
  const takenOver = announcing.phase === 'ours' || mayTakeOver(view, before);
  const { minAnnouncers, leaseSeconds } = view.pool.spec;
  const vips = before.vips.map((vip) => {
    const fitPeers = countFitPeers(view, vip);
    const others = otherAnnouncersOf(view, vip, fitPeers);
    const known: VipSituation = {
      takenOver,
      fit: vip.standing.phase === 'serving',
      capable: vip.fitness.fit,
      held: isHeld(view, announcing, vip.address),
      fitPeers,
      tooFewMs: others.phase === 'tooFew' ? view.nowMs - others.sinceMs : 0,
    };
    return { ...vip, others, decision: decideVip(known, minAnnouncers, leaseSeconds * 1000) };
  });
  const decided = { ...before, vips, round: { ...round, phase: 'decided' as const } };
  return { ...decided, announcing: announcingOf(view, decided) };
}

/** Counts peers that are fit and announce the VIP, by answers to questions asked since our unfitness was published. */
function countFitPeers({ nowMs, peers }: BladeView, { address, standing }: VipMemory): number {
  const publishedMs = standing.phase === 'unfit' ? standing.sinceMs : 0;
  const notBeforeMs = Math.max(publishedMs, nowMs - answersForMs);
  return peers.answers.filter(({ askedAtMs, vips }) => {
    const peer = vips.get(address.text);
    return askedAtMs >= notBeforeMs && peer?.fit === true && peer.announced;
  }).length;
}

function otherAnnouncersOf({ pool, nowMs }: BladeView, { others }: VipMemory, fitPeers: number): OtherAnnouncers {
  if (fitPeers >= pool.spec.minAnnouncers) return { phase: 'enough' };
  return others.phase === 'tooFew' ? others : { phase: 'tooFew', sinceMs: nowMs };
}
