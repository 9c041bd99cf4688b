/** How many endpoints of a backend pass their health checks. */
export interface HealthOfBackend {
  readonly backend: string;
  readonly healthy: number;
  readonly endpoints: number;
}

/** The backends that are drained because most of their endpoints fail, and since when each of them is well enough to come back. */
export type Drained = ReadonlyMap<string, { readonly wellSinceMs?: number }>;

const drainBelow = 0.25;
const backFrom = 0.35;
const mostDrained = 0.5;

/**
 * The next set of drained backends (auto-capacity draining). A backend is drained when less than 25 % of its endpoints are healthy, and comes
 * back when 35 % have been for `steadyMs`, which is a minute at Google. At most half of the backends are drained at a time; those that are
 * drained already go before others, then the worst.
 */
export function nextDrained(
  before: Drained,
  health: readonly HealthOfBackend[],
  time: { readonly nowMs: number; readonly steadyMs: number },
): Drained {
  const share = ({ healthy, endpoints }: HealthOfBackend): number => (endpoints === 0 ? 0 : healthy / endpoints);
  const wanted = health.flatMap((one) => {
    const was = before.get(one.backend);
    if (was === undefined) return share(one) < drainBelow ? [{ ...one, was: false, state: {} }] : [];
    if (share(one) < backFrom) return [{ ...one, was: true, state: {} }];
    const wellSinceMs = was.wellSinceMs ?? time.nowMs;
    return time.nowMs - wellSinceMs >= time.steadyMs ? [] : [{ ...one, was: true, state: { wellSinceMs } }];
  });
  const order = wanted.toSorted((a, b) => Number(b.was) - Number(a.was) || share(a) - share(b));
  const most = Math.floor(health.length * mostDrained);
  return new Map(order.slice(0, most).map(({ backend, state }) => [backend, state]));
}
