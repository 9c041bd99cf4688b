import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { EdgeProblem, EdgeReason, EdgeRefusal } from '../reasons.ts';
import { noBackend } from '../table.ts';
import type { LiveBackend } from './backends.ts';
import { type LostClaim, lostOf } from './guards.ts';
import type { IngressReading, RouteClaim } from './ingress.ts';
import { backendBytes, capacity, entryBytes, pairBytes, pathBytes } from './memory.ts';

export type Limits = EdgePool['spec']['limits'];

/** A route whose path is longer than this counts as several. */
const pathBytesOfRoute = 256;
/** The routes of one host are one entry, which goes to nginx in one message of at most 8 MiB and is decoded as a whole. */
const mostHostBytes = 1024 * 1024;
/** What a host has beside its routes and their settings. */
const bareHostBytes = 512;

/** What refuses a path, in the settings of its host. */
const guardSettingBytes = 40;

/** An Ingress with the routes for which there is room. */
interface Admitted {
  readonly reading: IngressReading;
  /** One for each reason that routes are refused for. */
  readonly problems: readonly EdgeProblem[];
  /** The routes for which there is no room. */
  readonly crowded: readonly LostClaim[];
}

/**
 * What is left of the table for objects that come later. Objects must come oldest first: what does not fit is refused by
 * name, and an older object never loses its place to a younger one. An object, then a namespace, then the table is full.
 */
export class Budget {
  readonly #limits: Limits;
  readonly #hosts = new Map<string, number>();
  readonly #keys = new Set<string>();
  readonly #routesOf = new Map<string, number>();
  readonly #guardsOf = new Map<string, number>();
  readonly #certificatesOf = new Map<string, number>();
  readonly #endpointsOf = new Map<string, number>();
  readonly #secrets = new Set<ObjectKey>();
  readonly #left = { ...capacity };

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes room for the routes of an Ingress, as far as there is some. */
  admit(reading: IngressReading): Admitted {
    const refused = new Map<EdgeReason, { readonly first: RouteClaim; readonly message: string; count: number }>();
    const crowded: LostClaim[] = [];
    let used = 0;
    const of = namespaceOf(reading.key);
    const settings = settingBytes(reading);
    const known = new Set<string>();
    const routes = reading.routes.filter((route) => {
      const weight = weightOf(route);
      const fault = this.#routeFault(route, weight, used, { of, settings: known.has(route.host) ? 0 : settings });
      if (fault === undefined) {
        used += weight;
        known.add(route.host);
        return true;
      }
      crowded.push(lostOf(route));
      const before = refused.get(fault.reason);
      if (before === undefined) refused.set(fault.reason, { first: route, message: fault.message, count: 1 });
      else before.count += 1;
      return false;
    });
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
   * Takes room for a path that is only refused; returns whether there is some. A namespace may have as many of them beside its
   * routes as it may have routes.
   */
  guard(namespace: string, { host, path }: LostClaim): boolean {
    const count = (this.#guardsOf.get(namespace) ?? 0) + 1;
    const before = this.#hosts.get(host);
    const after = (before ?? bareHostBytes) + guardSettingBytes + pathBytes(path?.path ?? '', noBackend);
    const cost = entryBytes(host.length, after) - (before === undefined ? 0 : entryBytes(host.length, before));
    if (count > this.#limits.namespace.routes || after > mostHostBytes || cost > this.#left.hosts) return false;
    this.#guardsOf.set(namespace, count);
    this.#left.hosts -= cost;
    this.#hosts.set(host, after);
    return true;
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
    if (cost > this.#left.certificates)
      return tooMuch('TableFull', `the certificates of older Ingresses leave no memory for that of Secret ${secret}`);
    this.#left.certificates -= cost;
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
    const [room, reason, what] = least([
      [object.endpoints, 'ObjectBudget', `one port of a Service may have ${object.endpoints}`],
      [namespace.endpoints - used, 'NamespaceBudget', `those of namespace ${of} may be ${namespace.endpoints}`],
      [Math.floor(this.#left.backends / Math.max(each, 1)), 'TableFull', 'those of older Ingresses fill the memory'],
    ]);
    const kept = Math.min(count, Math.max(room, 1));
    this.#endpointsOf.set(of, used + kept);
    this.#left.backends -= kept * each;
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

  #routeFault(
    route: RouteClaim,
    weight: number,
    used: number,
    { of, settings }: { readonly of: string; readonly settings: number },
  ): EdgeRefusal | undefined {
    const { object, namespace } = this.#limits;
    if (used + weight > object.routes)
      return tooMuch('ObjectBudget', `one Ingress may have ${object.routes} (a long path counts as several)`);
    const all = (this.#routesOf.get(of) ?? 0) + weight;
    if (all > namespace.routes)
      return tooMuch('NamespaceBudget', `the Ingresses of namespace ${of} may have ${namespace.routes}`);
    const { host, backend } = route;
    const key = `${backend.namespace}/${backend.service}/${backend.port}`;
    const before = this.#hosts.get(host);
    const paths = [route.path?.path ?? '', ...(route.more === undefined ? [] : [route.more.path])];
    const bytes = paths.reduce((sum, path) => sum + pathBytes(path, key), 0);
    const after = (before ?? bareHostBytes) + settings + bytes;
    if (after > mostHostBytes)
      return tooMuch('HostFull', `the routes of ${host === '' ? 'any host' : host} fill its entry`);
    const hostCost = entryBytes(host.length, after) - (before === undefined ? 0 : entryBytes(host.length, before));
    const keyCost = this.#keys.has(key) ? 0 : entryBytes(key.length, backendBytes([]));
    if (hostCost > this.#left.hosts || keyCost > this.#left.backends)
      return tooMuch('TableFull', 'the routes of older Ingresses fill the memory');
    this.#left.hosts -= hostCost;
    this.#left.backends -= keyCost;
    this.#hosts.set(host, after);
    this.#keys.add(key);
    this.#routesOf.set(of, all);
    return undefined;
  }
}

/** Whether a backend may have so many endpoints without a compile, when those of its namespace were counted by the last one. */
export function mayGrow(limits: Limits, backendCount: number, namespaceCount: number): boolean {
  return backendCount <= limits.object.endpoints && namespaceCount <= limits.namespace.endpoints;
}

type Room = readonly [room: number, reason: EdgeReason, what: string];

function least(rooms: readonly [Room, ...Room[]]): Room {
  return rooms.reduce((best, room) => (room[0] < best[0] ? room : best));
}

/** What a host stores of the annotations of an Ingress beside its routes: lists of addresses are long. */
function settingBytes({ annotations }: IngressReading): number {
  return 300 + 2 * JSON.stringify(annotations.wishes).length;
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
