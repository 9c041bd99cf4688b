import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ServicePort } from '../../../kube/kinds/service.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { compareKeys, compareText, withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import type { BackendKey, Certificate, Host, Path, RouteSettings, RoutingTable } from '../table.ts';
import type { IngressAnnotations } from './annotations/read.ts';
import { SettingsOfRoutes } from './annotations/settings.ts';
import { fillBackend, type LiveBackend, resolveBackend } from './backends.ts';
import { Budget } from './budget.ts';
import { type EndpointRules, endpointRules } from './endpoint-rules.ts';
import { HostOwners, withForeignCertificates } from './host-owners.ts';
import { type IngressReading, isOurs, type RouteClaim, readIngress } from './ingress.ts';
import type { GoodPair, LastGood } from './last-good.ts';
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
  /** The last good pairs that the compile before returned, or those of an earlier agent. */
  readonly lastGood?: LastGood;
  /** Pairs that nginx itself could not present, and why, by id. */
  readonly refusedPairs?: ReadonlyMap<string, string>;
  /** The result of the compile before; what that made of objects which are still the same is taken over. */
  readonly before?: Pick<Compiled, 'platform' | 'pool' | 'rules' | 'readings' | 'backends'>;
}

/** What became of an object: `partial` means that some of it serves. Objects of other classes have no condition. */
export interface Condition {
  /** `Ingress/namespace/name`, `EndpointSlice/namespace/name` or `EdgePool/name`. */
  readonly object: string;
  readonly state: 'accepted' | 'partial' | 'refused';
  /** What was refused or does not work, with the field; empty when accepted. */
  readonly problems: readonly EdgeProblem[];
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
  /** The last good pair of every claim to a Secret, for the next compile. */
  readonly lastGood: ReadonlyMap<string, GoodPair>;
  /** The keys of those whose Secret is broken or gone: nothing else remembers them. */
  readonly kept: readonly string[];
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
    const { reading, problems: crowded } = budget.admit(asked);
    const won = routes.claim(reading);
    owners.add(reading.key, won.hosts);
    tlsHosts.add(reading, won.hosts);
    const problems = [
      ...settings.problems(reading.annotations),
      ...reading.problems,
      ...crowded,
      ...won.problems,
      ...certificates.claim(reading, won.hosts),
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
    conditions: withForeignCertificates(conditions, certificates.foreign).toSorted((a, b) =>
      compareText(a.object, b.object),
    ),
    backends,
    readings,
    platform,
    pool,
    rules,
    lastGood: certificates.lastGood(),
    kept: certificates.kept(),
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

interface HostDraft {
  readonly paths: Map<string, Path & { readonly owner: Owner }>;
  defaultBackend?: { readonly backend: BackendKey; readonly owner: Owner };
}

type SettingsOf = (owner: Owner, host: string, certificate: string | undefined) => RouteSettings | undefined;

/** Which Ingress owns which host and path. */
class Routes {
  readonly #services: ClusterState['objects']['Service'];
  readonly #hosts = new Map<string, HostDraft>();
  readonly #owners = new Map<string, string>();
  readonly backends = new Map<BackendKey, ServicePort | undefined>();

  constructor(services: ClusterState['objects']['Service']) {
    this.#services = services;
  }

  /** Takes the routes of one Ingress and returns the hosts on which it won any. Ingresses must come oldest first. */
  claim(reading: IngressReading): { readonly hosts: ReadonlySet<string>; readonly problems: readonly EdgeProblem[] } {
    const hosts = new Set<string>();
    const problems: EdgeProblem[] = [];
    for (const route of reading.routes) {
      const fault = this.#claimRoute(route, reading);
      if (fault?.serves !== false) hosts.add(route.host);
      if (fault !== undefined) problems.push(fault.problem);
    }
    return { hosts, problems };
  }

  /** Puts the host into the table, if only for its certificate. */
  ensureHost(name: string): void {
    if (!this.#hosts.has(name)) this.#hosts.set(name, { paths: new Map() });
  }

  /** The hosts of the table, sorted by name. */
  hosts(certificateOf: (host: string) => string | undefined, settingsOf: SettingsOf): readonly Host[] {
    return [...this.#hosts].sort(compareKeys).map(([name, { paths, defaultBackend }]) => {
      const certificate = certificateOf(name);
      const settings: RouteSettings[] = [];
      const indexOf = (owner: Owner): number | undefined => {
        const wanted = settingsOf(owner, name, certificate);
        if (wanted === undefined) return undefined;
        const known = settings.indexOf(wanted);
        return known < 0 ? settings.push(wanted) - 1 : known;
      };
      const list = [...paths]
        .sort(compareKeys)
        .map(([, { owner, ...path }]) => ({ ...path, ...withoutUndefined({ settings: indexOf(owner) }) }));
      const defaultSettings = defaultBackend === undefined ? undefined : indexOf(defaultBackend.owner);
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
    const slot = path === undefined ? '' : `${path.path} ${path.match}`;
    const owner = this.#owners.get(`${route.host} ${slot}`);
    if (owner !== undefined) {
      const reason = path === undefined ? 'DefaultBackendConflict' : 'PathConflict';
      const message = `${route.host === '' ? 'any host' : route.host}${path?.path ?? ''} belongs to Ingress ${owner}`;
      return { serves: false, problem: { reason, object, path: route.field, message } };
    }
    this.#owners.set(`${route.host} ${slot}`, reading.key);
    this.#add(route, slot, resolved.key, reading);
    this.backends.set(resolved.key, this.backends.get(resolved.key) ?? resolved.port);
    if (resolved.fault === undefined) return undefined;
    return { serves: true, problem: { object, path: `${route.field}${fieldOfBackend(route)}`, ...resolved.fault } };
  }

  #add({ host, path }: RouteClaim, slot: string, backend: BackendKey, owner: Owner): void {
    const draft: HostDraft = this.#hosts.get(host) ?? { paths: new Map() };
    if (path === undefined) draft.defaultBackend = { backend, owner };
    else draft.paths.set(slot, { ...path, backend, owner });
    this.#hosts.set(host, draft);
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
