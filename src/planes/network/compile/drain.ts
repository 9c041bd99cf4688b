import type { Drain } from '../../../model/spec/kinds.ts';

/**
 * True while a Drain takes this worker out of service. Drains of a whole Site or Cluster do not: users are led away by DNS
 * and by the edges first, and until the last of them has gone the edges still need the pods.
 */
export function isDrained(drains: readonly Drain[], node: string, nowMs: number): boolean {
  return drains.some(
    ({ spec: { target, expires } }) => target.kind === 'Worker' && target.name === node && Date.parse(expires) > nowMs,
  );
}
