/** The fields of a `coordination.k8s.io/v1` Lease that are used. All other fields are written back as they were read. */
export interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** The spec that was read last, and the time of our own clock since which it has not changed. */
export interface Observation {
  readonly spec: string;
  readonly atMs: number;
}

/**
 * Notes since when, by our own clock, this record has not changed. The times inside the record are for people: clocks of
 * machines differ, so only a change of the record is evidence that its holder lives.
 */
export function observe(before: Observation | undefined, lease: Lease, nowMs: number): Observation {
  const spec = JSON.stringify(lease.spec ?? {});
  return before?.spec === spec ? before : { spec, atMs: nowMs };
}

/** True when nobody holds the Lease, we do, or its holder has not renewed it within the duration that it promised. */
export function mayTake(lease: Lease, seen: Observation, identity: string, nowMs: number, durationMs: number): boolean {
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder === '' || holder === identity) return true;
  const promisedMs = Math.max(durationMs, (lease.spec?.leaseDurationSeconds ?? 0) * 1000);
  return nowMs - seen.atMs > promisedMs;
}

/** The record that makes `identity` the holder; a change of holder is a transition. */
export function takenBy(before: LeaseSpec | undefined, identity: string, nowMs: number, durationMs: number): LeaseSpec {
  const renewTime = microTime(nowMs);
  const same = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    ...before,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: same && before.acquireTime !== undefined ? before.acquireTime : renewTime,
    renewTime,
    leaseTransitions: same || before === undefined ? transitions : transitions + 1,
  };
}

/** The record without a holder: the next candidate need not wait. */
export function released(before: LeaseSpec | undefined, nowMs: number): LeaseSpec {
  return { leaseDurationSeconds: 1, renewTime: microTime(nowMs), leaseTransitions: before?.leaseTransitions ?? 0 };
}

/** A time in the format of Kubernetes' MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
