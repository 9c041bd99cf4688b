import type { ServicePort } from '../../../kube/kinds/service.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { compareKeys, withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import { type BackendKey, type Host, noBackend, type Path, type RouteSettings } from '../table.ts';
import type { IngressAnnotations } from './annotations/read.ts';
import { resolveBackend } from './backends.ts';
import { type Budget, namespaceOf } from './budget.ts';
import { closedSettings, guardSettings, type LostClaim, lostOf, type WrittenPath } from './guards.ts';
import type { IngressReading, RouteClaim } from './ingress.ts';
import { type ClosedHost, isShadowed, type Shadow } from './limited.ts';
import { wildcardOf } from './names.ts';
import { isPattern, type Steps } from './patterns.ts';

/** How much of paths and patterns is compared for one namespace in one compile; beyond that everything may match. */
const mostSteps = 200_000;

/** The Ingress that a route belongs to. */
interface Owner {
  readonly key: string;
  readonly annotations: IngressAnnotations;
}

interface Draft {
  /** Absent: the default backend. */
  readonly path?: Pick<Path, 'match' | 'path'>;
  readonly written?: WrittenPath;
  readonly backend: BackendKey;
  readonly owner: Owner;
  /** In place of what its owner asks for. */
  readonly refusal?: RouteSettings;
}

interface HostDraft {
  /** By slot. The default backend has the slot ``. */
  readonly routes: Map<string, Draft>;
}

export type SettingsOf = (owner: Owner, host: string, certificate: string | undefined) => RouteSettings | undefined;

/** What an Ingress got of the routes that it asked for. */
export interface Won {
  readonly hosts: ReadonlySet<string>;
  readonly problems: readonly EdgeProblem[];
  readonly lost: readonly LostClaim[];
}

/** What became of the paths that are refused in place of what an Ingress does not get. */
interface Guarded {
  /** The hosts on which it has such a path. */
  readonly hosts: readonly string[];
  /** Why there is no room for some. */
  readonly problems: readonly EdgeProblem[];
}

/** Which Ingress owns which host and path. */
export class Routes {
  readonly #services: ClusterState['objects']['Service'];
  readonly #hosts = new Map<string, HostDraft>();
  /** The Ingresses for which a slot of a host is closed, and those for which all routes of a namespace on it are. */
  readonly #closedSlots = new Map<string, string>();
  readonly #closedHosts = new Map<string, Set<string>>();
  /** The Ingresses in the order of their age. */
  readonly #ages = new Map<string, number>();
  /** By host and namespace. */
  readonly #shadows = new Map<string, { readonly key: string; readonly shadow: Shadow }[]>();
  readonly backends = new Map<BackendKey, ServicePort | undefined>();

  constructor(services: ClusterState['objects']['Service']) {
    this.#services = services;
  }

  /** Takes the routes of one Ingress and returns the hosts on which it won any. Ingresses must come oldest first. */
  claim(reading: IngressReading): Won {
    this.#ages.set(reading.key, this.#ages.size);
    const hosts = new Set<string>();
    const problems: EdgeProblem[] = [];
    const lost: LostClaim[] = [];
    for (const route of reading.routes) {
      const fault = this.#claimRoute(route, reading);
      if (fault?.serves !== false) hosts.add(route.host);
      else if (!this.#isTwin(route)) lost.push(lostOf(route));
      if (fault !== undefined) problems.push(fault.problem);
    }
    return { hosts, problems, lost };
  }

  /**
   * Refuses what an Ingress that limits access asks for and does not get, so that no broader route serves it: the path itself,
   * and where that is not enough the routes of its namespace that could.
   */
  guard(reading: IngressReading, lost: readonly LostClaim[], budget: Budget): Guarded {
    const { key } = reading;
    const namespace = namespaceOf(key);
    const hosts: string[] = [];
    const problems = new Map<string, EdgeProblem>();
    for (const claim of lost) {
      const { host, path, wider, written } = claim;
      const slot = slotOf(path);
      const owner = this.#ownerOf(host, path);
      const fault = owner === undefined ? budget.guard(namespace, claim) : undefined;
      if (fault !== undefined) {
        this.#closeHost(host, key);
        const message = `there is no room to refuse a path, so whole hosts are refused: ${fault.message}`;
        problems.set(fault.message, { ...fault, object: `Ingress/${key}`, path: claim.field, message });
      } else if (owner === undefined) {
        hosts.push(host);
        const draft = { backend: noBackend, owner: reading, refusal: guardSettings };
        this.#own(host, slot, { ...withoutUndefined({ path }), ...draft });
      } else if (wider || (written !== undefined && isAskedToo(written, owner.written)))
        if (owner.owner.key !== key && namespaceOf(owner.owner.key) === namespace)
          this.#closedSlots.set(`${host} ${slot}`, key);
    }
    return { hosts, problems: [...problems.values()] };
  }

  /** Refuses what other Ingresses of its namespace have on the hosts of an Ingress, because its limits hold for whole hosts. */
  closeHosts({ key, hosts }: IngressReading): void {
    for (const host of hosts) this.#closeHost(host, key);
  }

  /** Notes the paths of an Ingress by which ingress-nginx may serve what others of its namespace have. */
  shadow(key: string, shadows: readonly Shadow[]): void {
    for (const shadow of shadows) {
      const place = `${shadow.host} ${namespaceOf(key)}`;
      const known = this.#shadows.get(place) ?? [];
      known.push({ key, shadow });
      this.#shadows.set(place, known);
    }
  }

  /** Refuses the routes that are closed because of another Ingress, and returns whose they are. */
  close(): readonly ClosedHost[] {
    const closed = new Map<string, ClosedHost>();
    if (this.#closedSlots.size + this.#closedHosts.size + this.#shadows.size === 0) return [];
    const closedHosts = this.#takingHosts();
    const steps = new Map<string, Steps>();
    for (const [host, { routes }] of this.#hosts)
      for (const [slot, draft] of routes) {
        if (draft.refusal !== undefined) continue;
        const { key } = draft.owner;
        const namespace = namespaceOf(key);
        const ofNamespace = steps.get(namespace) ?? { left: mostSteps };
        steps.set(namespace, ofNamespace);
        const by =
          this.#closedSlots.get(`${host} ${slot}`) ??
          [...(closedHosts.get(`${host} ${namespace}`) ?? [])].find((other) => other !== key) ??
          this.#shadowOf(host, draft, ofNamespace);
        if (by === undefined) continue;
        routes.set(slot, { ...draft, refusal: closedSettings });
        closed.set(`${host} ${key}`, { owner: key, host, by });
      }
    return [...closed].sort(compareKeys).map(([, one]) => one);
  }

  #closeHost(host: string, key: string): void {
    const closing = `${host} ${namespaceOf(key)}`;
    this.#closedHosts.set(closing, (this.#closedHosts.get(closing) ?? new Set()).add(key));
  }

  /** The closed hosts as the data plane finds them: the requests of a host that has no entry go to its wildcard, or to any host. */
  #takingHosts(): ReadonlyMap<string, ReadonlySet<string>> {
    const taking = new Map<string, Set<string>>();
    for (const [closing, keys] of this.#closedHosts) {
      const [host = '', namespace = ''] = closing.split(' ');
      const wildcard = wildcardOf(host);
      const name = [host, ...(wildcard === undefined ? [] : [wildcard])].find((one) => this.#hosts.has(one)) ?? '';
      const place = `${name} ${namespace}`;
      taking.set(place, new Set([...(taking.get(place) ?? []), ...keys]));
    }
    return taking;
  }

  #shadowOf(host: string, { path, written, owner }: Draft, steps: Steps): string | undefined {
    if (path === undefined || isPattern(path.path)) return undefined;
    const ageOf = (key: string): number => this.#ages.get(key) ?? 0;
    return this.#shadows.get(`${host} ${namespaceOf(owner.key)}`)?.find(({ key, shadow }) => {
      if (key === owner.key) return false;
      const sibling = { path: path.path, ...withoutUndefined({ written }), younger: ageOf(owner.key) > ageOf(key) };
      return isShadowed(sibling, shadow, steps);
    })?.key;
  }

  /** Puts the host into the table, if only for its certificate. */
  ensureHost(name: string): void {
    if (!this.#hosts.has(name)) this.#hosts.set(name, { routes: new Map() });
  }

  /** The hosts of the table, sorted by name. */
  hosts(certificateOf: (host: string) => string | undefined, settingsOf: SettingsOf): readonly Host[] {
    return [...this.#hosts].sort(compareKeys).map(([name, { routes }]) => {
      const certificate = certificateOf(name);
      const indexes = new Map<RouteSettings, number>();
      const indexOf = ({ owner, refusal }: Draft): number | undefined => {
        const wanted = refusal ?? settingsOf(owner, name, certificate);
        if (wanted === undefined) return undefined;
        if (!indexes.has(wanted)) indexes.set(wanted, indexes.size);
        return indexes.get(wanted);
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
          settings: indexes.size === 0 ? undefined : [...indexes.keys()],
          defaultSettings,
        }),
      };
    });
  }

  /** ingress-nginx does not look at a path that an older Ingress has with the same type, whoever limits access. */
  #isTwin({ host, path, written }: RouteClaim): boolean {
    const owner = this.#ownerOf(host, path);
    return owner !== undefined && owner.written?.type === written?.type && owner.written?.text === written?.text;
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
    const owner = this.#ownerOf(route.host, path);
    if (owner !== undefined) {
      const reason = path === undefined ? 'DefaultBackendConflict' : 'PathConflict';
      const message = `${route.host === '' ? 'any host' : route.host}${path?.path ?? ''} belongs to Ingress ${owner.owner.key}`;
      return { serves: false, problem: { reason, object, path: route.field, message } };
    }
    const draft = { ...withoutUndefined({ written: route.written }), backend: resolved.key, owner: reading };
    this.#own(route.host, slot, { ...withoutUndefined({ path }), ...draft });
    const { more } = route;
    if (more !== undefined && this.#ownerOf(route.host, more) === undefined)
      this.#own(route.host, slotOf(more), { path: more, ...draft });
    this.backends.set(resolved.key, this.backends.get(resolved.key) ?? resolved.port);
    if (resolved.fault === undefined) return undefined;
    return { serves: true, problem: { object, path: `${route.field}${fieldOfBackend(route)}`, ...resolved.fault } };
  }

  #ownerOf(host: string, path: Draft['path']): Draft | undefined {
    return this.#hosts.get(host)?.routes.get(slotOf(path));
  }

  #own(name: string, slot: string, draft: Draft): void {
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

/** Whether ingress-nginx has two paths that are one here, and serves requests by the second that would fall to the first here. */
function isAskedToo(second: WrittenPath, first: WrittenPath | undefined): boolean {
  return (
    first !== undefined &&
    (first.text !== second.text || (first.type === 'ImplementationSpecific' && second.type === 'Prefix'))
  );
}

function slotOf(path: Draft['path']): string {
  return path === undefined ? '' : `${path.path} ${path.match}`;
}

function fieldOfBackend(route: RouteClaim): string {
  return route.path === undefined ? '' : '.backend';
}
