import type { EdgePool } from '../../model/spec/kinds.ts';
import type { NginxView, PolicyView } from '../../model/status.ts';
import type { RequestCounts } from './requests/counts.ts';

/**
 * Sizes of the shared memory zones of nginx in MiB: room for 5,000 hosts, 50,000 endpoints and 5,000 certificates, twice (a full
 * push replaces all at once). Memory is used as it fills.
 */
export const zoneMiB = { hosts: 48, backends: 64, certificates: 192 } as const;

/**
 * The routing table: what the data plane in nginx serves. Whole, sorted, immutable; the compile step makes it, the
 * nginx driver turns the difference between two of them into deltas over the unix socket.
 */
export interface RoutingTable {
  /** Sorted by name. */
  readonly hosts: readonly Host[];
  /** Sorted by key. */
  readonly backends: readonly Backend[];
  /** Sorted by id. */
  readonly certificates: readonly Certificate[];
}

/** `name` is lower-case ASCII: `www.example.com`, `*.example.com` (exactly one label), or `` for requests no other host takes. */
export interface Host {
  readonly name: string;
  /** The order means no precedence: the data plane takes an exact path, else the longest match; of two as long a prefix. */
  readonly paths: readonly Path[];
  /** Serves when no path matches (the Ingress defaultBackend); absent: 404. */
  readonly defaultBackend?: BackendKey;
  /** What its routes do beside proxying; routes name an entry by its index. */
  readonly settings?: readonly RouteSettings[];
  /** The index of the settings of the default backend. */
  readonly defaultSettings?: number;
  /** Certificate presented by SNI for this host; absent: the edge's default certificate. */
  readonly certificate?: string;
}

/**
 * - `exact`: the whole path, case-sensitive.
 * - `prefix`: element by element, trailing slash ignored (Ingress v1).
 * - `text`: every path that begins with these characters, as in ingress-nginx where no regular expression is in use.
 * - `anyCaseText`, `anyCasePrefix`: as `text` and `prefix`, in whatever case; the path is in lower case.
 */
export type Match = 'exact' | 'prefix' | 'text' | 'anyCaseText' | 'anyCasePrefix';

export interface Path {
  readonly match: Match;
  readonly path: string;
  readonly backend: BackendKey;
  /** The index of its settings in those of the host; absent: it has none. */
  readonly settings?: number;
}

/** What the annotations of an Ingress and the pool ask of a route. A field that is absent asks for nothing. */
export interface RouteSettings {
  /** The reason for which every request is answered 503. */
  readonly refused?: string;
  /** Only clients in one of these prefixes are served; the others get 403. Canonical, sorted. */
  readonly allow?: readonly string[];
  /** Clients in one of these prefixes get 403, even when `allow` has them. */
  readonly deny?: readonly string[];
  /** Every request is redirected to this URL, in which $request_uri, $host and $scheme are put in. */
  readonly redirect?: { readonly code: number; readonly to: string };
  /** Requests of plain HTTP are redirected to HTTPS, to this port when it is not 443. */
  readonly https?: { readonly code: number; readonly port?: number };
  /** The value of Strict-Transport-Security on HTTPS. */
  readonly hsts?: string;
  /** `/` is redirected to this path. */
  readonly appRoot?: string;
  /** The longest body; 0: no limit. */
  readonly maxBodyBytes?: number;
  readonly connectSeconds?: number;
  readonly sendSeconds?: number;
  readonly readSeconds?: number;
}

/** `namespace/service/port`, the port as the Service numbers it. */
export type BackendKey = string;

/** The backend of a path that is in the table only to be refused. No Service has port 0. */
export const noBackend: BackendKey = 'none/none/0';

export interface Backend {
  readonly key: BackendKey;
  /** Sorted; empty means no endpoint at all: 503. When all are unready, all of them are here (all-unhealthy means all serve). */
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** IPv4 or IPv6 in canonical form, without brackets. */
  readonly address: string;
  readonly port: number;
}

export interface Certificate {
  /** A hash of the contents. */
  readonly id: string;
  /** PEM chain, leaf first. */
  readonly chain: string;
  /** PEM key, unencrypted; it matches the leaf (checked by the compile step's caller). */
  readonly key: string;
}

/** What nginx says of itself over the control socket; `/status` shows it as it is. */
export type DataPlaneStatus = NginxView;

/** The health of one traffic policy in this cluster, answered at `/.well-known/tideline/health/<policy>`. */
export type PolicyHealth = PolicyView;

/** What nginx answers to health checks, and what it must count for that. */
export interface HealthReport {
  readonly policies: readonly PolicyHealth[];
  /** Backends whose tries to connect nginx counts one by one (`NginxView.backendTries`), the first 1,024. */
  readonly watched: readonly BackendKey[];
  /** Hosts whose requests nginx counts one by one, the first 200; those of all others it counts together. */
  readonly measured: readonly string[];
  /** Which requests have a line in the access log. */
  readonly accessLog: EdgePool['spec']['accessLog'];
}

/** The driver of one nginx over its control socket. Every call is level-triggered and may be repeated. */
export interface DataPlane {
  start(): void;
  /**
   * Takes the whole table and pushes the difference to what nginx holds. Resolves with the generation that nginx
   * acknowledged.
   */
  apply(table: RoutingTable): Promise<number>;
  /** The endpoint fast path: replaces the endpoints of known backends without a compile. */
  applyEndpoints(backends: readonly Backend[]): Promise<number>;
  setHealth(report: HealthReport): Promise<void>;
  /** What nginx counted of requests since it started, up to the last second. Rejects when it does not answer, or is too old to count. */
  requests(): Promise<RequestCounts>;
  /** While draining nginx closes keep-alive connections after the response in flight. */
  setDraining(draining: boolean): Promise<void>;
  /** The last known status, or undefined while nginx cannot be reached. */
  status(): DataPlaneStatus | undefined;
  /**
   * The monotonic time since which nginx has owed the answer to a change or a part of one, now when it owes none. Time in which
   * this agent could not have read the answer is left out. To be called several times a second.
   */
  owingSinceMs(): number;
  /** Called when nginx appears, disappears or starts again. */
  onStatus(listener: (status: DataPlaneStatus | undefined) => void): () => void;
  stop(): Promise<void>;
}
