import { parseAddress, parsePrefix } from '../model/address.ts';
import { isReason } from './reasons.ts';
import type { Route, RouteClass } from './route.ts';
import type { NeighborStatus, RouteRefusal, YieldPeriod } from './speaker.ts';

/**
 * The protocol between agent and relay: one JSON object a line over a unix socket, level-triggered in both directions.
 * Messages are parsed by hand, because the relay carries no schema library; each side drops what it cannot read.
 */
export type AgentMessage =
  /** The whole set of routes. It also renews the lease, and makes the connection the agent in charge. */
  | {
      readonly type: 'desired';
      readonly revision: number;
      /** True when no further routes are to come, so that the end-of-RIB may follow. */
      readonly complete: boolean;
      readonly lease?: LeaseTerms;
      /** True when the routes of pods and servers are to yield to other announcers. */
      readonly yields?: true;
      readonly routes: readonly Route[];
    }
  /** The agent in charge lives, which renews its lease; from any other connection it has no effect. */
  | { readonly type: 'renew' }
  /** An agent has been started and will take charge; it may close the connection after this message. */
  | { readonly type: 'starting' }
  /** Asks the relay to read back what ExaBGP holds and to repair it. */
  | { readonly type: 'read' };

export interface LeaseTerms {
  readonly seconds: number;
  /** True for a keeper, which holds its VIPs also without an agent. */
  readonly keeper: boolean;
}

export interface RelayState {
  readonly type: 'state';
  /** `syncing`: the relay is reading back from ExaBGP. */
  readonly phase: 'syncing' | 'synced';
  /** Revision of the last `desired` received; 0 when there was none since this relay started. */
  readonly revision: number;
  /** True when ExaBGP has acknowledged exactly that set on every session (what it rejected aside). */
  readonly settled: boolean;
  readonly neighbors: readonly (NeighborStatus & { readonly family: 4 | 6; readonly endOfRib: boolean })[];
  /** True while ExaBGP owes an answer and writes nothing: it hangs, and the routers drop its sessions. */
  readonly exabgpSilent: boolean;
  /** True while an agent is in charge; an agent that was replaced waits until this is false. */
  readonly hasAgent: boolean;
  readonly leaseExpired: boolean;
  readonly rejected: readonly RouteRefusal[];
  /** The last time that the routes of pods and servers yielded to other announcers. */
  readonly yielded?: YieldPeriod;
}

export type RelayMessage =
  | RelayState
  /**
   * The routes that every session of their family holds; sent on connect and when they changed. `fixed` are static in
   * exabgp.conf.
   */
  | { readonly type: 'held'; readonly routes: readonly Route[]; readonly fixed: readonly string[] }
  /** A line that the agent sent was no message. */
  | { readonly type: 'refused'; readonly reason: string; readonly message: string }
  /** The relay lives; sent every second. */
  | { readonly type: 'alive' }
  /** Another agent has taken over; the relay closes this connection. */
  | { readonly type: 'replaced' };

export function encodeMessage(message: AgentMessage | RelayMessage): string {
  const plain = 'routes' in message ? { ...message, routes: message.routes.map(encodeRoute) } : message;
  return `${JSON.stringify(plain)}\n`;
}

function encodeRoute(route: Route): unknown {
  return { ...route, prefix: route.prefix.text, nextHop: route.nextHop.text };
}

/** The message, or undefined when any part of the line is wrong: half a message never counts. */
export function parseAgentMessage(line: string): AgentMessage | undefined {
  const value = parseObject(line);
  if (value?.type === 'renew' || value?.type === 'starting' || value?.type === 'read') return { type: value.type };
  if (value?.type !== 'desired') return undefined;
  const { revision, complete } = value;
  const routes = parseRoutes(value.routes);
  const lease = value.lease === undefined ? 'none' : parseLease(value.lease);
  if (routes === undefined || lease === undefined || !isCount(revision) || typeof complete !== 'boolean')
    return undefined;
  const optional = {
    ...(lease === 'none' ? {} : { lease }),
    ...(value.yields === true ? { yields: true as const } : {}),
  };
  return { type: 'desired', revision, complete, ...optional, routes };
}

/** A message of the relay, or undefined. The relay is our own, so only the shape is checked. */
export function parseRelayMessage(line: string): RelayMessage | undefined {
  const value = parseObject(line);
  if (value === undefined) return undefined;
  switch (value.type) {
    case 'replaced':
    case 'alive':
      return { type: value.type };
    case 'refused':
      return { type: 'refused', reason: String(value.reason), message: String(value.message) };
    case 'held': {
      const routes = parseRoutes(value.routes);
      return routes === undefined ? undefined : { type: 'held', routes, fixed: array(value.fixed).map(String) };
    }
    case 'state':
      return parseState(value);
    default:
      return undefined;
  }
}

function parseState(value: Fields): RelayState | undefined {
  if (!isCount(value.revision)) return undefined;
  const yielded = parseYieldPeriod(value.yielded);
  return {
    type: 'state',
    ...(yielded === undefined ? {} : { yielded }),
    phase: value.phase === 'synced' ? 'synced' : 'syncing',
    revision: value.revision,
    settled: value.settled === true,
    exabgpSilent: value.exabgpSilent === true,
    hasAgent: value.hasAgent === true,
    leaseExpired: value.leaseExpired === true,
    neighbors: array(value.neighbors).map((entry) => {
      const { address, asn, family, up, endOfRib, changedAtMs, reason } = object(entry);
      return {
        address: String(address),
        asn: Number(asn),
        family: family === 6 ? 6 : 4,
        up: up === true,
        endOfRib: endOfRib === true,
        ...(typeof changedAtMs === 'number' ? { changedAtMs } : {}),
        ...(typeof reason === 'string' ? { reason } : {}),
      };
    }),
    rejected: array(value.rejected).map((entry) => {
      const { prefix, action, reason, message } = object(entry);
      return {
        prefix: String(prefix),
        action: action === 'withdraw' ? 'withdraw' : 'announce',
        // What the relay rejects is what ExaBGP refused, whatever a relay of another version calls it.
        reason: isReason(reason) ? reason : 'RejectedByExabgp',
        message: String(message),
      };
    }),
  };
}

function parseRoutes(value: unknown): readonly Route[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const routes = value.map(parseRoute).filter((route) => route !== undefined);
  return routes.length === value.length ? routes : undefined;
}

const classes: ReadonlySet<unknown> = new Set<RouteClass>(['pods', 'server', 'vip']);

function parseRoute(value: unknown): Route | undefined {
  const { prefix: prefixText, nextHop: nextHopText, class: routeClass, because, ...rest } = object(value);
  const prefix = typeof prefixText === 'string' ? parsePrefix(prefixText) : undefined;
  const nextHop = typeof nextHopText === 'string' ? parseAddress(nextHopText) : undefined;
  if (prefix === undefined || nextHop === undefined || !isRouteClass(routeClass)) return undefined;
  const communities = rest.communities === undefined ? [] : parseCommunities(rest.communities);
  const optional = [rest.med, rest.localPreference, rest.prepend].every((n) => n === undefined || isCount(n));
  if (communities === undefined || !optional || (isCount(rest.prepend) && rest.prepend > 16)) return undefined;
  return {
    prefix,
    nextHop,
    class: routeClass,
    ...(isCount(rest.med) ? { med: rest.med } : {}),
    ...(isCount(rest.localPreference) ? { localPreference: rest.localPreference } : {}),
    ...(communities.length === 0 ? {} : { communities }),
    ...(isCount(rest.prepend) ? { prepend: rest.prepend } : {}),
    because: typeof because === 'string' ? because : '',
  };
}

function isRouteClass(value: unknown): value is RouteClass {
  return classes.has(value);
}

function parseCommunities(value: unknown): readonly (readonly [number, number])[] | undefined {
  const pairs = array(value).flatMap((pair) => {
    const [asn, low] = array(pair);
    return isCount(asn) && asn <= 65_535 && isCount(low) && low <= 65_535 ? [[asn, low] as const] : [];
  });
  return Array.isArray(value) && pairs.length === value.length && pairs.length <= 32 ? pairs : undefined;
}

function parseYieldPeriod(value: unknown): YieldPeriod | undefined {
  const { sinceMs, untilMs, asked } = object(value);
  if (typeof sinceMs !== 'number') return undefined;
  return { sinceMs, ...(asked === true ? { asked } : {}), ...(typeof untilMs === 'number' ? { untilMs } : {}) };
}

function parseLease(value: unknown): LeaseTerms | undefined {
  const { seconds, keeper } = object(value);
  if (typeof seconds !== 'number' || !(seconds > 0) || typeof keeper !== 'boolean') return undefined;
  return { seconds, keeper };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function array(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 4_294_967_295;
}
