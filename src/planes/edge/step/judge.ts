import type { Address } from '../../../model/address.ts';
import type { EdgeReason } from '../reasons.ts';
import { isHeld } from './announce.ts';
import { faultOf } from './convergence.ts';
import { afterCheck } from './fitness.ts';
import { type BladeMemory, newVip, type Standing, type VipMemory } from './memory.ts';
import { graceMs } from './retirement.ts';
import type { BladeView } from './view.ts';

/** An unfit blade that holds a VIP asks its peers at most this often. */
const askEveryMs = 1000;

/**
 * Judges a round of probes that was not judged before. A VIP that should not be served becomes unfit, and `/status`
 * says so. When such a VIP is still held, the peers are asked before anything is decided.
 */
export function judge(view: BladeView, before: BladeMemory): BladeMemory {
  const { probes, nowMs } = view;
  if (probes.number === before.round.number) return before;
  const vips = view.pool.spec.vips.map(({ address }) => {
    const known = before.vips.find((vip) => vip.address.text === address.text);
    return judgeVip(view, before, known ?? newVip(address));
  });
  const mayWithdraw = vips.some(
    ({ standing, address }) => standing.phase === 'unfit' && isHeld(view, before.announcing, address),
  );
  const { askedMs } = before.round;
  const round =
    mayWithdraw && nowMs - askedMs >= askEveryMs
      ? ({ phase: 'asking', number: probes.number, askedMs: nowMs } as const)
      : ({ phase: 'judged', number: probes.number, askedMs } as const);
  return { ...before, vips, round };
}

function judgeVip(view: BladeView, memory: BladeMemory, before: VipMemory): VipMemory {
  const against = reasonsIn(view, before.address);
  const vip = against === undefined ? before : { ...before, fitness: afterCheck(before.fitness, against) };
  return { ...vip, standing: standingOf(view, memory, vip) };
}

/**
 * What speaks against a VIP; undefined when nothing can be said, because a fault that has ended meanwhile kept the VIP
 * from being probed.
 */
function reasonsIn(
  { convergence, nginx, nowMs, host, probes }: BladeView,
  vip: Address,
): readonly EdgeReason[] | undefined {
  const fault = faultOf(convergence, nginx, nowMs) ?? (host.missing.has(vip.text) ? 'VipAddressMissing' : undefined);
  if (fault !== undefined) return [fault];
  if (!probes.answers.has(vip.text)) return undefined;
  const instance = probes.answers.get(vip.text);
  if (instance === undefined || instance !== nginx?.instance) return ['ProbeFailed'];
  const tls = probes.tls.get(vip.text);
  return tls === undefined || tls.instance === instance ? [] : ['TlsProbeFailed'];
}

/** A retiring blade keeps what it holds during its grace, while keep-alive connections end; it takes nothing new. */
function standingOf(view: BladeView, { retirement, announcing }: BladeMemory, vip: VipMemory): Standing {
  const inGrace =
    retirement.phase === 'none' ||
    (isHeld(view, announcing, vip.address) && view.nowMs - retirement.sinceMs < graceMs(view));
  if (vip.fitness.fit && inGrace) return { phase: 'serving' };
  return vip.standing.phase === 'unfit' ? vip.standing : { phase: 'unfit', sinceMs: view.nowMs };
}
