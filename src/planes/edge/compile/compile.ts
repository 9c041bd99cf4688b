import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ServicePort } from '../../../kube/kinds/service.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { compareKeys, compareText, withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import {
  type BackendKey,
  type Certificate,
  type Host,
  noBackend,
  type Path,
  type RouteSettings,
  type RoutingTable,
} from '../table.ts';
import type { IngressAnnotations } from './annotations/read.ts';
import { SettingsOfRoutes } from './annotations/settings.ts';
import { fillBackend, type LiveBackend, resolveBackend } from './backends.ts';
import { Budget, namespaceOf } from './budget.ts';
import { type Condition, withProblems } from './condition.ts';
import { type EndpointRules, endpointRules } from './endpoint-rules.ts';
import { closedSettings, guardSettings, type LostClaim, lostOf } from './guards.ts';
import { foreignCertificateProblems, HostOwners } from './host-owners.ts';
import { type IngressReading, isOurs, type RouteClaim, readIngress } from './ingress.ts';
import type { GoodPair, LastGood } from './last-good.ts';
import { type ClosedHost, closedHostProblems, limitedReading } from './limited.ts';
import type { BladePlatform } from './platform.ts';
import { SliceIndex } from './slices.ts';
import { CertificateClaims, type CertificateReader, TlsHosts } from './tls.ts';

export interface CompileInput extends BladePlatform {
  readonly state: ClusterState;
  readonly readCertificate: CertificateReader;
  /** The EndpointSlices of `state` by Service; made here when absent. */
  readonly slices?: SliceIndex;
  /** Milliseconds since the epoch, for the validity of certificates. */
  readonly nowMs: number;
  /** The pairs that claims held in earlier compiles, or those of an earlier agent. */
  readonly lastGood?: LastGood;
  /** Pairs that nginx itself could not present, and why, by id. */
  readonly refusedPairs?: ReadonlyMap<string, string>;
  /** The result of the compile before; what that made of objects which are still the same is taken over. */
  readonly before?: Pick<Compiled, 'platform' | 'pool' | 'rules' | 'readings' | 'backends'>;
}

export interface Compiled extends BladePlatform {
  readonly table: RoutingTable;
  /** Every Ingress of our class, and every EndpointSlice with a refused endpoint, sorted by object. */
  readonly conditions: readonly Condition[];
  /** The table's backends with what the endpoint fast path and the policy health need. */
  readonly backends: ReadonlyMap<BackendKey, LiveBackend>;
  /** What each Ingress of our class asks for. */
  readonly readings: ReadonlyMap<Ingress, IngressReading>;
  readonly rules: EndpointRules;
  /** The pair of every claim to a Secret; undefined for a claim without a pair. */
  readonly heldPairs: ReadonlyMap<string, GoodPair | undefined>;
  /** The keys of the claims whose Secret is broken or gone: nothing else remembers their last good pairs. */
  readonly brokenClaims: ReadonlySet<string>;
  /** The ids of the claimed pairs that are not served because nginx refused them. */
  readonly refusedIds: ReadonlySet<string>;
  /** When a certificate in use begins or ends to be valid, and the findings change; Infinity when none does. */
  readonly nextTurnMs: number;
}

/**
 * The routing table of a pool, pure: the same objects in any order give the same bytes. Conflicts go to the oldest
 * Ingress (creationTimestamp, then namespace/name). One bad object takes nothing from another. States share the objects that
 * did not change, so after a small change most of the work is found in `before`.
 */
export function compile(input: CompileInput): Compiled {
  const { state, platform, pool, before } = input;
  const { Service, Secret } = state.objects;
  const readings = readIngresses(input);
  const budget = new Budget(pool.spec.limits);
  const routes = new Routes(Service);
  const owners = new HostOwners();
  const certificates = new CertificateClaims({
    secrets: Secret,
    read: input.readCertificate,
    lastGood: input.lastGood ?? new Map(),
    refused: input.refusedPairs ?? new Map(),
    nowMs: input.nowMs,
    budget,
    owners,
    ownersOnly: pool.spec.hostOwnerOwnsCertificate,
  });
  const settings = new SettingsOfRoutes(pool.spec);
  const tlsHosts = new TlsHosts();
  const conditions: Condition[] = [...defaultCertificate(pool, certificates)];
  for (const asked of [...readings.values()].sort(compareAge)) {
    const limited = settings.limits(asked.annotations) ? limitedReading(asked) : undefined;
    const { reading, problems: crowded, crowded: roomless } = budget.admit(limited?.reading ?? asked);
    const won = routes.claim(reading);
    const guarded =
      limited === undefined ? [] : routes.guard(reading, [...limited.lost, ...roomless, ...won.lost], budget);
    const hosts = new Set([...won.hosts, ...guarded]);
    owners.add(reading.key, hosts);
    tlsHosts.add(reading, hosts);
    const problems = [
      ...settings.problems(reading.annotations),
      ...reading.problems,
      ...(limited?.problems ?? []),
      ...crowded,
      ...won.problems,
      ...certificates.claim(reading, hosts),
    ];
    const serves = won.hosts.size > 0 && !settings.refuses(reading.annotations);
    const state = problems.length === 0 ? 'accepted' : serves ? 'partial' : 'refused';
    conditions.push({ object: `Ingress/${reading.key}`, state, problems });
  }
  const backends = new Map<BackendKey, LiveBackend>();
  const slices = input.slices ?? SliceIndex.of(state);
  const rules = endpointRules(input, before);
  // In the order of their oldest Ingresses, so that these have their endpoints first.
  for (const [key, port] of routes.backends)
    backends.set(key, budget.fit(fillBackend(key, port, slices, rules, before?.backends.get(key))));
  conditions.push(...sliceConditions(backends));
  if (certificates.certificateOf('') !== undefined) routes.ensureHost('');
  const anyCertificate = certificates.certificateOf('') !== undefined;
  const closed = routes.close();
  const hosts = routes.hosts(
    (name) => certificates.certificateOf(name)?.id,
    ({ key, annotations }, name, certificate) =>
      settings.of(annotations, {
        tls: tlsHosts.has(key, name),
        certificate: certificate !== undefined || anyCertificate,
      }),
  );
  return {
    table: {
      hosts,
      backends: [...backends].sort(compareKeys).map(([, { backend }]) => backend),
      certificates: certificatesOf(hosts, certificates),
    },
    conditions: withProblems(conditions, [
      ...closedHostProblems(closed),
      ...foreignCertificateProblems(certificates.foreign),
    ]).toSorted((a, b) => compareText(a.object, b.object)),
    backends,
    readings,
    platform,
    pool,
    rules,
    heldPairs: certificates.held(),
    brokenClaims: certificates.broken(),
    refusedIds: certificates.refusedIds,
    nextTurnMs: certificates.nextTurn(),
  };
}

function readIngresses({ state, pool, before }: CompileInput): ReadonlyMap<Ingress, IngressReading> {
  const { Ingress, IngressClass } = state.objects;
  const readings = new Map<Ingress, IngressReading>();
  for (const [key, ingress] of Ingress)
    if (isOurs(ingress, pool.spec.ingressClass, IngressClass))
      readings.set(ingress, before?.readings.get(ingress) ?? readIngress(key, ingress));
  return readings;
}

function defaultCertificate({ metadata, spec }: EdgePool, certificates: CertificateClaims): readonly Condition[] {
  if (spec.defaultCertificate === undefined) return [];
  const { namespace, secret } = spec.defaultCertificate;
  const faults = certificates.claimDefault(`${namespace}/${secret}`);
  if (faults.length === 0) return [];
  const object = `EdgePool/${metadata.name}`;
  const path = 'spec.defaultCertificate';
  return [{ object, state: 'partial', problems: faults.map((fault) => ({ object, path, ...fault })) }];
}

function compareAge(a: IngressReading, b: IngressReading): number {
  if (a.createdMs !== b.createdMs) return a.createdMs < b.createdMs ? -1 : 1;
  return compareText(a.key, b.key);
}

/** The Ingress that a route belongs to. */
interface Owner {
  readonly key: string;
  readonly annotations: IngressAnnotations;
}

interface Draft {
  /** Absent: the default backend. */
  readonly path?: Pick<Path, 'match' | 'path'>;
  readonly backend: BackendKey;
  readonly owner: Owner;
  /** In place of what its owner asks for. */
  readonly refusal?: RouteSettings;
}

interface HostDraft {
  /** By slot. The default backend has the slot ``. */
  readonly routes: Map<string, Draft>;
}

type SettingsOf = (owner: Owner, host: string, certificate: string | undefined) => RouteSettings | undefined;

/** What an Ingress got of the routes that it asked for. */
interface Won {
  readonly hosts: ReadonlySet<string>;
  readonly problems: readonly EdgeProblem[];
  readonly lost: readonly LostClaim[];
}

/** Which Ingress owns which host and path. */
class Routes {
  readonly #services: ClusterState['objects']['Service'];
  readonly #hosts = new Map<string, HostDraft>();
  readonly #owners = new Map<string, string>();
  /** The Ingresses for which a slot of a host is closed, and those for which all routes of a namespace on it are. */
  readonly #closedSlots = new Map<string, string>();
  readonly #closedHosts = new Map<string, Set<string>>();
  readonly backends = new Map<BackendKey, ServicePort | undefined>();

  constructor(services: ClusterState['objects']['Service']) {
    this.#services = services;
  }

  /** Takes the routes of one Ingress and returns the hosts on which it won any. Ingresses must come oldest first. */
  claim(reading: IngressReading): Won {
    const hosts = new Set<string>();
    const problems: EdgeProblem[] = [];
    const lost: LostClaim[] = [];
    for (const route of reading.routes) {
      const fault = this.#claimRoute(route, reading);
      if (fault?.serves !== false) hosts.add(route.host);
      else lost.push(lostOf(route));
      if (fault !== undefined) problems.push(fault.problem);
    }
    return { hosts, problems, lost };
  }

  /**
   * Refuses what an Ingress that limits access asks for and does not get, so that no broader route serves it: the path itself,
   * and where that is not enough the routes of its namespace that could. Returns the hosts on which it has a path for that.
   */
  guard(reading: IngressReading, lost: readonly LostClaim[], budget: Budget): readonly string[] {
    const { key } = reading;
    const namespace = namespaceOf(key);
    const hosts: string[] = [];
    for (const claim of lost) {
      const { host, path, wider, leaks } = claim;
      const slot = slotOf(path);
      const owner = this.#owners.get(`${host} ${slot}`);
      const fits = owner === undefined && budget.guard(namespace, claim);
      if (fits) {
        hosts.push(host);
        this.#owners.set(`${host} ${slot}`, key);
        this.#add(host, slot, {
          ...withoutUndefined({ path }),
          backend: noBackend,
          owner: reading,
          refusal: guardSettings,
        });
      }
      if (owner !== undefined && owner !== key && wider && namespaceOf(owner) === namespace)
        this.#closedSlots.set(`${host} ${slot}`, key);
      if (leaks || (owner === undefined && !fits)) {
        const closing = `${host} ${namespace}`;
        this.#closedHosts.set(closing, (this.#closedHosts.get(closing) ?? new Set()).add(key));
      }
    }
    return hosts;
  }

  /** Refuses the routes that are closed because of another Ingress, and returns whose they are. */
  close(): readonly ClosedHost[] {
    const closed = new Map<string, ClosedHost>();
    if (this.#closedSlots.size === 0 && this.#closedHosts.size === 0) return [];
    for (const [host, { routes }] of this.#hosts)
      for (const [slot, draft] of routes) {
        const by = draft.refusal === undefined ? this.#closerOf(host, slot, draft.owner.key) : undefined;
        if (by === undefined) continue;
        routes.set(slot, { ...draft, refusal: closedSettings });
        closed.set(`${host} ${draft.owner.key}`, { owner: draft.owner.key, host, by });
      }
    return [...closed].sort(compareKeys).map(([, one]) => one);
  }

  #closerOf(host: string, slot: string, owner: string): string | undefined {
    const others = [...(this.#closedHosts.get(`${host} ${namespaceOf(owner)}`) ?? [])].filter((key) => key !== owner);
    return this.#closedSlots.get(`${host} ${slot}`) ?? others[0];
  }

  /** Puts the host into the table, if only for its certificate. */
  ensureHost(name: string): void {
    if (!this.#hosts.has(name)) this.#hosts.set(name, { routes: new Map() });
  }

  /** The hosts of the table, sorted by name. */
  hosts(certificateOf: (host: string) => string | undefined, settingsOf: SettingsOf): readonly Host[] {
    return [...this.#hosts].sort(compareKeys).map(([name, { routes }]) => {
      const certificate = certificateOf(name);
      const settings: RouteSettings[] = [];
      const indexOf = ({ owner, refusal }: Draft): number | undefined => {
        const wanted = refusal ?? settingsOf(owner, name, certificate);
        if (wanted === undefined) return undefined;
        const known = settings.indexOf(wanted);
        return known < 0 ? settings.push(wanted) - 1 : known;
      };
      const list = [...routes].sort(compareKeys).flatMap(([, draft]): Path[] => {
        const { path, backend } = draft;
        return path === undefined ? [] : [{ ...path, backend, ...withoutUndefined({ settings: indexOf(draft) }) }];
      });
      const defaultBackend = routes.get('');
      const defaultSettings = defaultBackend === undefined ? undefined : indexOf(defaultBackend);
      return {
        name,
        paths: list,
        ...withoutUndefined({
          defaultBackend: defaultBackend?.backend,
          certificate,
          settings: settings.length === 0 ? undefined : settings,
          defaultSettings,
        }),
      };
    });
  }

  #claimRoute(
    route: RouteClaim,
    reading: IngressReading,
  ): { readonly serves: boolean; readonly problem: EdgeProblem } | undefined {
    const object = `Ingress/${reading.key}`;
    const resolved = this.#resolve(route);
    if (!resolved.ok)
      return { serves: false, problem: { object, path: `${route.field}${fieldOfBackend(route)}`, ...resolved.fault } };
    const { path } = route;
    const slot = slotOf(path);
    const owner = this.#owners.get(`${route.host} ${slot}`);
    if (owner !== undefined) {
      const reason = path === undefined ? 'DefaultBackendConflict' : 'PathConflict';
      const message = `${route.host === '' ? 'any host' : route.host}${path?.path ?? ''} belongs to Ingress ${owner}`;
      return { serves: false, problem: { reason, object, path: route.field, message } };
    }
    this.#owners.set(`${route.host} ${slot}`, reading.key);
    this.#add(route.host, slot, { ...withoutUndefined({ path }), backend: resolved.key, owner: reading });
    this.backends.set(resolved.key, this.backends.get(resolved.key) ?? resolved.port);
    if (resolved.fault === undefined) return undefined;
    return { serves: true, problem: { object, path: `${route.field}${fieldOfBackend(route)}`, ...resolved.fault } };
  }

  #add(name: string, slot: string, draft: Draft): void {
    const host: HostDraft = this.#hosts.get(name) ?? { routes: new Map() };
    host.routes.set(slot, draft);
    this.#hosts.set(name, host);
  }

  #resolve(route: RouteClaim): ReturnType<typeof resolveBackend> {
    try {
      return resolveBackend(route.backend, this.#services);
    } catch {
      return {
        ok: false,
        fault: { reason: 'Malformed', message: `Service ${route.backend.service} has not the shape of one` },
      };
    }
  }
}

function slotOf(path: RouteClaim['path']): string {
  return path === undefined ? '' : `${path.path} ${path.match}`;
}

function fieldOfBackend(route: RouteClaim): string {
  return route.path === undefined ? '' : '.backend';
}

function sliceConditions(backends: ReadonlyMap<BackendKey, LiveBackend>): readonly Condition[] {
  const byObject = new Map<string, Map<string, EdgeProblem>>();
  for (const { problems } of backends.values())
    for (const problem of problems) {
      const object = problem.object ?? '';
      const known = byObject.get(object) ?? new Map<string, EdgeProblem>();
      byObject.set(object, known.set(problem.path ?? '', problem));
    }
  return [...byObject].map(([object, problems]) => ({ object, state: 'partial', problems: [...problems.values()] }));
}

function certificatesOf(hosts: readonly Host[], claims: CertificateClaims): readonly Certificate[] {
  const byId = new Map<string, Certificate>();
  for (const { name } of hosts) {
    const certificate = claims.certificateOf(name);
    if (certificate !== undefined) byId.set(certificate.id, certificate);
  }
  return [...byId.values()].sort((a, b) => compareText(a.id, b.id));
}
