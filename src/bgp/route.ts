import type { Address, Prefix } from '../model/address.ts';

/**
 * What happens to a route when the agent that wants it dies: `pods` and `server` routes fail static, a `vip` fails
 * closed when its lease runs out (unless this server is one of the VIP's keepers).
 */
export type RouteClass = 'pods' | 'server' | 'vip';

/** One route we want announced. Sessions are single-family; the next hop has the family of the prefix. */
export interface Route {
  readonly prefix: Prefix;
  readonly nextHop: Address;
  readonly class: RouteClass;
  // No plane sets the next four yet. They are the one exception to "what only a test uses is dead code" (README.md).
  readonly med?: number;
  readonly localPreference?: number;
  /** Standard communities, `[asn, value]`. */
  readonly communities?: readonly (readonly [number, number])[];
  /** How many times our own AS is prepended; an agent may ask for seven (`yield.ts`). */
  readonly prepend?: number;
  /** Why the route is announced, for people: `block 10.10.1.0/26 of worker paris-worker-1`. */
  readonly because: string;
}

/** False for VIPs, which fail closed: the agent and the lease decide whether an unfit server may keep them, not how many there are. */
export function isFailStatic(route: Route): boolean {
  return route.class !== 'vip';
}
