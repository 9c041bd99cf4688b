/** Why a server is not drained. The run ends, and the server takes part again as far as this run had taken it out. */
export const drainReasons = {
  PodUnmanaged: 'A pod on the worker has no controller: evicted, it would be gone for good.',
  EvictionBlocked: 'A PodDisruptionBudget, or the API, did not allow an eviction before the time was over.',
  EvictionRefused: 'The API refuses an eviction for good, e.g. because two PodDisruptionBudgets cover the pod.',
  PodStays: 'A pod was evicted and is still there: it has not ended, or its kubelet does not say so.',
  PoolTooSmall: 'Without the blades of the wave a VIP would have fewer announcers than its pool must have.',
  NotEmpty: 'A drained blade still announces, or still has connections, or its agent does not say.',
  NoOtherApi: "No other control plane of the cluster announces the API's address.",
  ServerRefuses: 'A server does not answer, or refuses what the drain asks of it.',
} as const;
export type DrainReason = keyof typeof drainReasons;
