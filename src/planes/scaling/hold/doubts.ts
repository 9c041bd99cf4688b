import { nothing } from '../compile/failures.ts';
import type { Floor } from '../compile/floors.ts';
import { type Held, proveFailure } from '../compile/prove.ts';
import { proofFindings } from '../findings.ts';

/** Older figures may raise a floor, and lower none. */
const freshMs = 15 * 60_000;

/** Why no floor may fall now: stale figures, something that is drained, what is too small already, a cluster that does not answer. */
export function releaseDoubts(held: Held, nowMs: number): readonly string[] {
  const { demand } = held.world;
  const ageMs = nowMs - demand.rates.measuredAtMs;
  const drained = [...held.world.drained].sort();
  const unread = [...held.observed].flatMap(([target, one]) => (one.state === 'unread' ? [target] : []));
  return [
    ...(ageMs > freshMs ? [`the demand was measured ${Math.round(ageMs / 60_000)} min ago, and 15 are the most`] : []),
    ...demand.unheard,
    ...(demand.doubts ?? []).map(({ message }) => message),
    ...(drained.length > 0 ? [`${drained.join(', ')} ${drained.length === 1 ? 'is' : 'are'} drained`] : []),
    ...proofFindings(proveFailure(held, nothing)).flatMap(({ reason, message }) =>
      reason === 'WorkloadUnread' ? [] : [message],
    ),
    ...[...held.world.health.down].sort().map((cluster) => `${cluster} answers no health check`),
    ...(held.world.health.unknown === undefined ? [] : [held.world.health.unknown]),
    ...(unread.length > 0 ? [`${unread.join(', ')} cannot be read`] : []),
    ...held.floors.flatMap(missing),
  ];
}

function missing({ target, missing: count }: Floor): readonly string[] {
  return count > 0 ? [`${target} lacks ${count} replicas that it cannot have`] : [];
}
