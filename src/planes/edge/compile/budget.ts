import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgeProblem, EdgeReason, EdgeRefusal } from '../reasons.ts';
import type { LiveBackend } from './backends.ts';
import type { LostClaim } from './guards.ts';
import type { IngressReading, RouteClaim } from './ingress.ts';
import { backendBytes, capacity, pairBytes, storedBytes } from './memory.ts';
import { memoryText, RouteRoom } from './route-room.ts';
import { type Limits, SharedRoom } from './shares.ts';

/** A route whose path is longer than this counts as several. */
const pathBytesOfRoute = 256;
/** What a host stores of the settings of an Ingress counts as a route for each of these, on each host. */
const settingBytesOfRoute = 1024;
/** The part of the memory of hosts that all lists of addresses may be long, each counted once: reading them all takes a second. */
const listPart = 0.25;
/** What hosts with TLS do by default: redirect plain HTTP, and send HSTS. */
const defaultSettingBytes = 128;

/** An Ingress with the routes for which there is room. */
interface Admitted {
  readonly reading: IngressReading;
  /** One for each reason that routes are refused for. */
  readonly problems: readonly EdgeProblem[];
  /** The routes for which there is no room. */
  readonly crowded: readonly RouteClaim[];
}

/**
 * What is left of the table for objects that come later. Objects must come oldest first: what does not fit is refused by
 * name, and an older object never loses its place to a younger one. An object, then a namespace, then the table is full.
 */
export class Budget {
  readonly #limits: Limits;
  readonly #room: RouteRoom;
  readonly #certificates: SharedRoom;
  readonly #lists: SharedRoom;
  readonly #routesOf = new Map<string, number>();
  readonly #guardsOf = new Map<string, number>();
  readonly #certificatesOf = new Map<string, number>();
  readonly #endpointsOf = new Map<string, number>();
  readonly #secrets = new Set<ObjectKey>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#room = new RouteRoom(limits);
    const shared = (all: number) => new SharedRoom(all, (all * limits.namespace.memoryPercent) / 100);
    this.#certificates = shared(capacity.certificates);
    this.#lists = shared(capacity.hosts * listPart);
  }

  /**
   * Takes room for lists of addresses of so many characters in all; returns why there is none. They are counted before they are
   * read, which takes time and memory, and whether or not there is room for the routes that they are for.
   */
  lists(namespace: string, length: number): EdgeRefusal | undefined {
    const lack = this.#lists.lack(namespace, length);
    if (lack === 'share') {
      const most = Math.floor(this.#lists.share / 1024);
      return tooMuch('NamespaceBudget', `the lists of addresses of namespace ${namespace} may be ${most} KiB long`);
    }
    if (lack === 'all') return tooMuch('TableFull', 'the lists of addresses of older Ingresses leave no room');
    this.#lists.take(namespace, length);
    return undefined;
  }

  /** Takes room for the routes of an Ingress, as far as there is some. */
  admit(reading: IngressReading): Admitted {
    const refused = new Map<EdgeReason, { readonly first: RouteClaim; readonly message: string; count: number }>();
    const crowded: RouteClaim[] = [];
    let used = 0;
    const namespace = namespaceOf(reading.key);
    const ofHost = settingBytes(reading);
    const known = new Set<string>();
    const refuse = (lost: readonly RouteClaim[], fault: EdgeRefusal): void => {
      for (const route of lost) crowded.push(route);
      const [first] = lost;
      const before = refused.get(fault.reason);
      if (before !== undefined) before.count += lost.length;
      else if (first !== undefined) refused.set(fault.reason, { first, message: fault.message, count: lost.length });
    };
    const routes: RouteClaim[] = [];
    let index = 0;
    for (const route of reading.routes) {
      // Where not even the shortest route has room, the others are not looked at: one Ingress may ask for tens of thousands.
      const full = this.#countFault(namespace, 1, used);
      if (full !== undefined) {
        refuse(reading.routes.slice(index), full);
        break;
      }
      index += 1;
      const settings = known.has(route.host) ? 0 : ofHost;
      const weight = weightOf(route) + Math.floor(settings / settingBytesOfRoute);
      const fault = this.#countFault(namespace, weight, used) ?? this.#room.route({ namespace, route, settings });
      if (fault === undefined) {
        used += weight;
        this.#routesOf.set(namespace, (this.#routesOf.get(namespace) ?? 0) + weight);
        known.add(route.host);
        routes.push(route);
      } else refuse([route], fault);
    }
    if (refused.size === 0) return { reading, problems: [], crowded };
    const object = `Ingress/${reading.key}`;
    const problems = [...refused].map(([reason, { first, message, count }]) => ({
      reason,
      object,
      path: first.field,
      message: `${count} of ${reading.routes.length} routes have no room: ${message}`,
    }));
    return { reading: { ...reading, routes }, problems, crowded };
  }

  /**
   * Takes room for a path that is only refused, or returns why there is none. A namespace may have as many of them beside its
   * routes as it may have routes.
   */
  guard(namespace: string, claim: LostClaim): EdgeRefusal | undefined {
    const count = (this.#guardsOf.get(namespace) ?? 0) + 1;
    const { routes } = this.#limits.namespace;
    if (count > routes) return tooMuch('NamespaceBudget', `the Ingresses of namespace ${namespace} may have ${routes}`);
    const fault = this.#room.guard(namespace, claim);
    if (fault === undefined) this.#guardsOf.set(namespace, count);
    return fault;
  }

  /**
   * Takes room for the pair of a Secret of so many bytes; returns why there is none. A Secret is counted once, and by its own
   * length, so that one for which there is no room is never parsed.
   */
  certificate(secret: ObjectKey, length: number): EdgeRefusal | undefined {
    if (this.#secrets.has(secret)) return undefined;
    const { object, namespace } = this.#limits;
    if (length > object.certificateKiB * 1024)
      return tooMuch('ObjectBudget', `the pair of Secret ${secret} is longer than ${object.certificateKiB} KiB`);
    const of = namespaceOf(secret);
    const used = (this.#certificatesOf.get(of) ?? 0) + length;
    if (used > namespace.certificateKiB * 1024)
      return tooMuch(
        'NamespaceBudget',
        `the pairs of namespace ${of} are longer than ${namespace.certificateKiB} KiB with that of Secret ${secret}`,
      );
    const cost = pairBytes(length);
    const lack = this.#certificates.lack(of, cost);
    if (lack === 'share') return tooMuch('NamespaceBudget', memoryText(of, namespace.memoryPercent));
    if (lack === 'all')
      return tooMuch('TableFull', `the certificates of older Ingresses leave no memory for that of Secret ${secret}`);
    this.#certificates.take(of, cost);
    this.#certificatesOf.set(of, used);
    this.#secrets.add(secret);
    return undefined;
  }

  /** The backend with as many of its endpoints as there is room for, but at least one. Backends must come oldest Ingress first. */
  fit(live: LiveBackend): LiveBackend {
    const { key, endpoints } = live.backend;
    const of = namespaceOf(key);
    const { object, namespace } = this.#limits;
    const used = this.#endpointsOf.get(of) ?? 0;
    const count = endpoints.length;
    const each = count === 0 ? 0 : (2 * backendBytes(endpoints)) / count;
    const { backends } = this.#room;
    const fitting = (bytes: number): number => 1 + Math.floor(Math.max(bytes, 0) / Math.max(each, 1));
    const [room, reason, what] = least([
      [object.endpoints, 'ObjectBudget', `one port of a Service may have ${object.endpoints}`],
      [namespace.endpoints - used, 'NamespaceBudget', `those of namespace ${of} may be ${namespace.endpoints}`],
      [fitting(backends.leftTo(of)), 'NamespaceBudget', memoryText(of, namespace.memoryPercent)],
      [fitting(backends.left), 'TableFull', 'those of older Ingresses fill the memory'],
    ]);
    const kept = Math.min(count, Math.max(room, 1));
    this.#endpointsOf.set(of, used + kept);
    // The room of the first one was taken with that of the backend.
    backends.take(of, Math.max(kept - 1, 0) * each);
    if (kept === count) return live;
    const message = `${count - kept} of ${count} endpoints of ${key} are left out: ${what}`;
    const first = `EndpointSlice/${live.slices[0]?.[0] ?? key}`;
    return {
      ...live,
      backend: { key, endpoints: endpoints.slice(0, kept) },
      ready: Math.min(live.ready, kept),
      problems: [...live.problems, { reason, object: first, path: 'endpoints', message }],
      whole: live,
    };
  }

  #countFault(of: string, weight: number, used: number): EdgeRefusal | undefined {
    const { object, namespace } = this.#limits;
    if (used + weight > object.routes)
      return tooMuch('ObjectBudget', `one Ingress may have ${object.routes} (${severalText})`);
    if ((this.#routesOf.get(of) ?? 0) + weight > namespace.routes)
      return tooMuch('NamespaceBudget', `the Ingresses of namespace ${of} may have ${namespace.routes}`);
    return undefined;
  }
}

const severalText = 'a long path counts as several, and so does a list of addresses on each host';

/** Whether a backend may have so many endpoints without a compile, when those of its namespace were counted by the last one. */
export function mayGrow(limits: Limits, backendCount: number, namespaceCount: number): boolean {
  return backendCount <= limits.object.endpoints && namespaceCount <= limits.namespace.endpoints;
}

type Room = readonly [room: number, reason: EdgeReason, what: string];

function least(rooms: readonly [Room, ...Room[]]): Room {
  return rooms.reduce((best, room) => (room[0] < best[0] ? room : best));
}

/** What a host stores of the settings of an Ingress, whatever its routes. */
function settingBytes({ annotations: { wishes } }: IngressReading): number {
  let bytes = defaultSettingBytes;
  for (const [name, value] of Object.entries(wishes))
    bytes += name.length + 4 + (Array.isArray(value) ? listBytes(value) : storedBytes(JSON.stringify(value)));
  return bytes;
}

function listBytes(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length + 4, 2);
}

function weightOf({ path }: RouteClaim): number {
  return 1 + Math.floor((path?.path.length ?? 0) / pathBytesOfRoute);
}

export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function tooMuch(reason: EdgeReason, message: string): EdgeRefusal {
  return { reason, message };
}
