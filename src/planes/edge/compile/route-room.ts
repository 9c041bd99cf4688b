import type { EdgeRefusal } from '../reasons.ts';
import { type BackendKey, noBackend } from '../table.ts';
import type { LostClaim } from './guards.ts';
import type { RouteClaim } from './ingress.ts';
import { backendBytes, capacity, entryBytes, pathBytes } from './memory.ts';
import { HostEntry, hostBytes, type Limits, SharedRoom } from './shares.ts';

/** The part of the memory of hosts that only paths which are refused may take. */
const guardPart = 0.1;
/** What refuses a path, in the settings of its host. */
const guardSettingBytes = 40;
/** The longest endpoint: a backend keeps at least one, so its room is taken with that of the backend. */
const anEndpoint = { address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' };

/** What a route takes of the table. */
interface Wanted {
  readonly namespace: string;
  readonly route: RouteClaim;
  /** What the host stores of the settings of its Ingress, when it does not have them yet. */
  readonly settings: number;
}

/** The room for hosts and backends in the memory of nginx, and for routes in the entries of hosts. */
export class RouteRoom {
  readonly #percent: number;
  readonly #hosts = new Map<string, HostEntry>();
  readonly #keys = new Set<string>();
  readonly #routes: SharedRoom;
  readonly #guards: SharedRoom;
  /** Backends and their endpoints. */
  readonly backends: SharedRoom;

  constructor({ namespace: { memoryPercent } }: Limits) {
    const share = memoryPercent / 100;
    const [routes, guards] = [capacity.hosts * (1 - guardPart), capacity.hosts * guardPart];
    this.#percent = memoryPercent;
    this.#routes = new SharedRoom(routes, routes * share);
    this.#guards = new SharedRoom(guards, guards * share);
    this.backends = new SharedRoom(capacity.backends, capacity.backends * share);
  }

  /** Takes room for a route, or returns why there is none. */
  route({ namespace, route, settings }: Wanted): EdgeRefusal | undefined {
    const key = keyOf(route);
    const paths = [route.path, ...(route.more === undefined ? [] : [route.more])];
    const bytes = settings + paths.reduce((sum, path) => sum + pathBytes(path?.path ?? '', key), 0);
    const keyCost = this.#keys.has(key) ? 0 : entryBytes(key.length, backendBytes([anEndpoint]));
    const lack = this.backends.lack(namespace, keyCost);
    const fault =
      lack === undefined ? this.#takeOfHost(route.host, namespace, bytes, 'route') : this.#full(lack, namespace);
    if (fault !== undefined) return fault;
    this.backends.take(namespace, keyCost);
    this.#keys.add(key);
    return undefined;
  }

  /** Takes room for a path that is only refused, or returns why there is none. */
  guard(namespace: string, { host, path }: LostClaim): EdgeRefusal | undefined {
    return this.#takeOfHost(host, namespace, guardSettingBytes + pathBytes(path?.path ?? '', noBackend), 'guard');
  }

  #takeOfHost(host: string, namespace: string, bytes: number, kind: 'route' | 'guard'): EdgeRefusal | undefined {
    const known = this.#hosts.get(host);
    const entry = known ?? new HostEntry(namespace);
    const crowded = entry.lack(namespace, bytes, kind);
    if (crowded !== undefined) return hostFull(host, namespace, entry, crowded, kind);
    const nameLength = host.length;
    const cost = entryBytes(nameLength, entry.length(bytes)) - (known ? entryBytes(nameLength, known.length()) : 0);
    const own = entry.lengthOf(namespace);
    const alone = entryBytes(nameLength, (own ?? entry.bare) + bytes) - (own ? entryBytes(nameLength, own) : 0);
    const room = kind === 'route' ? this.#routes : this.#guards;
    const lack = room.lack(namespace, cost, alone);
    if (lack !== undefined) return this.#full(lack, namespace);
    room.take(namespace, cost, alone);
    entry.take(namespace, bytes, kind);
    this.#hosts.set(host, entry);
    return undefined;
  }

  #full(lack: 'share' | 'all', namespace: string): EdgeRefusal {
    return lack === 'share'
      ? { reason: 'NamespaceBudget', message: memoryText(namespace, this.#percent) }
      : { reason: 'TableFull', message: 'the routes of older Ingresses fill the memory' };
  }
}

export function memoryText(namespace: string, percent: number): string {
  return `the objects of namespace ${namespace} may fill ${percent}% of the memory of nginx`;
}

function keyOf({ backend }: RouteClaim): BackendKey {
  return `${backend.namespace}/${backend.service}/${backend.port}`;
}

function hostFull(
  host: string,
  namespace: string,
  entry: HostEntry,
  lack: 'share' | 'all',
  kind: 'route' | 'guard',
): EdgeRefusal {
  const { owner } = entry;
  const name = host === '' ? 'any host' : host;
  const what = kind === 'guard' ? 'refused paths' : 'routes';
  const share = kind === 'guard' ? hostBytes.guard : namespace === owner ? hostBytes.owner : hostBytes.other;
  const owned = namespace === owner ? '' : `, which namespace ${owner} owns,`;
  const message =
    lack === 'share'
      ? `the ${what} of namespace ${namespace} on ${name}${owned} may take ${share / 1024} KiB`
      : `other namespaces fill what is left for ${what} on ${name}: ${entry.largest}`;
  return { reason: 'HostFull', message };
}
