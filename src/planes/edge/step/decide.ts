import { announcingOf, isHeld, mayBegin } from './announce.ts';
import type { BladeMemory, Company, VipDecision, VipMemory } from './memory.ts';
import type { BladeView } from './view.ts';

/** What a blade knows about one VIP at the moment of decision. Pure; see README "VIPs" for why it is safe. */
export interface VipSituation {
  /** False for a while after a start, when what a former agent announced is left alone. */
  readonly begun: boolean;
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

/**
 * The decision over a VIP, the only place where it is made. Fit: announce. Unfit: withdraw only while enough other blades
 * are known to do the work; else hold. A blade that let go and could still serve takes the VIP back when the others have
 * been missing for half a lease: before the relay of a blade whose agent died withdraws it too.
 */
export function decideVip(vip: VipSituation, minAnnouncers: number, leaseMs: number): VipDecision {
  if (!vip.begun) return { announce: vip.held };
  if (vip.fit) return { announce: true };
  if (vip.fitPeers >= minAnnouncers) return { announce: false };
  if (vip.held) return { announce: true, reason: 'LastAnnouncer' };
  const takesBack = vip.capable && vip.aloneMs >= leaseMs / 2;
  return takesBack ? { announce: true, reason: 'LastAnnouncer' } : { announce: false };
}

/** Answers older than this say nothing about now. */
const answersForMs = 3000;

/** Decides every VIP of a look that was judged, but not while the peers are still being asked because of it. */
export function decide(view: BladeView, before: BladeMemory): BladeMemory {
  const { round, announcing } = before;
  const asking = round.phase === 'asking' && view.peers.answeredMs < round.askedMs;
  if (round.phase === 'decided' || asking) return before;
  const begun = announcing.phase === 'ours' || mayBegin(view, before);
  const { minAnnouncers, leaseSeconds } = view.pool.spec;
  const vips = before.vips.map((vip) => {
    const fitPeers = countFitPeers(view, vip);
    const company = companyOf(view, vip, fitPeers);
    const known: VipSituation = {
      begun,
      fit: vip.standing.phase === 'serving',
      capable: vip.fitness.fit,
      held: isHeld(view, announcing, vip.address),
      fitPeers,
      aloneMs: company.phase === 'alone' ? view.nowMs - company.sinceMs : 0,
    };
    return { ...vip, company, decision: decideVip(known, minAnnouncers, leaseSeconds * 1000) };
  });
  const decided = { ...before, vips, round: { ...round, phase: 'decided' as const } };
  return { ...decided, announcing: announcingOf(view, decided) };
}

/** Peers that are fit and announce the VIP, by answers to questions asked since our unfitness was published. */
function countFitPeers({ nowMs, peers }: BladeView, { address, standing }: VipMemory): number {
  const publishedMs = standing.phase === 'unfit' ? standing.sinceMs : 0;
  const notBeforeMs = Math.max(publishedMs, nowMs - answersForMs);
  return peers.answers.filter(({ askedAtMs, vips }) => {
    const peer = vips.get(address.text);
    return askedAtMs >= notBeforeMs && peer?.fit === true && peer.announced;
  }).length;
}

function companyOf({ pool, nowMs }: BladeView, { company }: VipMemory, fitPeers: number): Company {
  if (fitPeers >= pool.spec.minAnnouncers) return { phase: 'enough' };
  return company.phase === 'alone' ? company : { phase: 'alone', sinceMs: nowMs };
}
