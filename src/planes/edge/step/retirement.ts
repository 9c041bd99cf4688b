import { drainOfBlade } from '../../../model/platform/drains.ts';
import type { BladeMemory, Retirement } from './memory.ts';
import type { BladeView } from './view.ts';
import { isAnnounced } from './vip-status.ts';

/** Why the blade retires, if it does. A drain in force goes before a planned stop, because it tells people more. */
export function retirementOf(view: BladeView, before: Retirement): Retirement {
  const drain = drainOfBlade(view.platform, view.pool, view.blade, view.dateMs);
  if (drain !== undefined)
    return { phase: 'draining', drain, sinceMs: before.phase === 'draining' ? before.sinceMs : view.nowMs };
  if (view.stoppingSinceMs !== undefined) return { phase: 'stopping', sinceMs: view.stoppingSinceMs };
  return { phase: 'none' };
}

export function graceMs({ pool }: BladeView): number {
  return pool.spec.drain.graceSeconds * 1000;
}

/** How much longer than its grace a planned stop waits for others to take the VIPs, and for ExaBGP to withdraw them. */
const othersWithinMs = 2000;
const withdrawnWithinMs = 5000;

/**
 * Whether a planned stop has nothing left to wait for: every VIP is withdrawn, or those that are left are held because
 * nobody else has them, or ExaBGP does not acknowledge in time.
 */
export function mayStop(view: BladeView, { vips }: BladeMemory): boolean {
  const overdueMs = view.nowMs - (view.stoppingSinceMs ?? view.nowMs) - graceMs(view);
  if (overdueMs >= withdrawnWithinMs) return true;
  if (vips.every(({ address, decision }) => !decision.announce && !isAnnounced(view.speaker, address))) return true;
  const onlyLast = vips.every(({ decision }) => !decision.announce || decision.reason === 'LastAnnouncer');
  return onlyLast && overdueMs > othersWithinMs;
}
