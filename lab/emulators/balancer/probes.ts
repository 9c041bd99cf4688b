export interface Thresholds {
  /** So many checks in a row must pass before an endpoint gets requests. */
  readonly healthy: number;
  /** So many in a row must fail before it gets none. */
  readonly unhealthy: number;
}

/** What is known of an endpoint. A new one is not healthy: nothing is sent to what was never seen to answer. */
export interface EndpointHealth {
  readonly healthy: boolean;
  /** Checks in a row that speak against `healthy`. */
  readonly against: number;
}

export const unseen: EndpointHealth = { healthy: false, against: 0 };

/** The health of an endpoint after one more check. */
export function afterCheck(before: EndpointHealth, passed: boolean, thresholds: Thresholds): EndpointHealth {
  if (passed === before.healthy) return { healthy: before.healthy, against: 0 };
  const against = before.against + 1;
  const needed = before.healthy ? thresholds.unhealthy : thresholds.healthy;
  return against >= needed ? { healthy: passed, against: 0 } : { healthy: before.healthy, against };
}
