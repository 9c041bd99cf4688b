import type { Address } from '../../../model/address.ts';
import { faultOf } from './convergence.ts';
import type { BladeView, TlsAnswer } from './view.ts';

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

/** A handshake costs both sides about a millisecond of processor time, so a round has few of them. */
const handshakesARound = 8;

/**
 * Which of the VIPs that are probed are probed over TLS as well: all of a pool of usual size; else those whose last answer is the oldest. Half
 * of a round is for those that did not answer, whose next answer decides.
 */
export function vipsToProbeByTls(vips: readonly Address[], known: ReadonlyMap<string, TlsAnswer>): readonly Address[] {
  const round = ({ text }: Address): number => known.get(text)?.round ?? 0;
  const oldestFirst = vips.toSorted((a, b) => round(a) - round(b));
  const isSilent = ({ text }: Address): boolean => known.has(text) && known.get(text)?.instance === undefined;
  const silent = oldestFirst.filter(isSilent);
  const others = oldestFirst.filter((vip) => !isSilent(vip));
  const half = handshakesARound / 2;
  return [...silent.slice(0, half), ...others, ...silent.slice(half)].slice(0, handshakesARound);
}

/** The answers over TLS that count from here on: the new ones, and the earlier ones of this nginx and of VIPs that are still probed. */
export function tlsAnswersAfter(
  known: ReadonlyMap<string, TlsAnswer>,
  fresh: ReadonlyMap<string, TlsAnswer>,
  vips: readonly Address[],
  instance: string | undefined,
): ReadonlyMap<string, TlsAnswer> {
  const kept = vips.flatMap(({ text }) => {
    const answer = fresh.get(text) ?? known.get(text);
    const stale =
      answer === undefined || (!fresh.has(text) && answer.instance !== undefined && answer.instance !== instance);
    return stale ? [] : [[text, answer] as const];
  });
  return new Map(kept);
}
