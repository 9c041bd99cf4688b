import type { EventWish } from '../../../kube/status/event.ts';
import { apiVersion } from '../../../model/contract.ts';
import type { DoubtView } from '../../../model/status.ts';

/**
 * The Events of what a blade doubts, about its EdgePool. They are the same on every blade that doubts the same. Nothing is written while
 * another cluster answers: it is not ours to write to.
 */
export function doubtEvents(pool: string, doubts: readonly DoubtView[]): readonly EventWish[] {
  if (doubts.some(({ reason }) => reason === 'SourceOfOtherCluster')) return [];
  return doubts.map(({ reason, message, fingerprint }) => ({
    object: { apiVersion, kind: 'EdgePool', resource: 'edgepools', name: pool },
    type: 'Warning' as const,
    reason,
    note: `${message}.${fingerprint === undefined ? '' : ` If it is meant: tideline accept ${fingerprint}, on each server that doubts it.`}`,
  }));
}
