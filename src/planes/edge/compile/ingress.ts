import { classNameOf, type Ingress, type IngressPath } from '../../../kube/kinds/ingress.ts';
import type { IngressClass } from '../../../kube/kinds/ingress-class.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import { ingressController } from '../../../model/contract.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem, EdgeReason } from '../reasons.ts';
import type { Path } from '../table.ts';
import { quoted } from './address.ts';
import { type IngressAnnotations, readAnnotations } from './annotations/read.ts';
import { type BackendReference, readBackend } from './backends.ts';
import { boundedProblems } from './condition.ts';
import { guardOfPath, type LostClaim, lostOf, type WrittenPath } from './guards.ts';
import { isHost, isLabel, normalPrefix, pathFault } from './names.ts';
import { isPattern } from './patterns.ts';

/**
 * An Ingress is ours when it names the pool's class (spec.ingressClassName, else the legacy annotation) and the class,
 * if there is an object for it, names our controller. A missing object is accepted: manifest folders rarely carry one.
 */
export function isOurs(ingress: Ingress, className: string, classes: ReadonlyMap<ObjectKey, IngressClass>): boolean {
  if (classNameOf(ingress) !== className) return false;
  const controller = classes.get(className)?.spec?.controller;
  return controller === undefined || controller === ingressController;
}

type GoodReference = Extract<BackendReference, { ok: true }>;

/** A claim to one host and path, or to the default backend of a host when `path` is absent. Host `` is any host. */
export interface RouteClaim {
  readonly host: string;
  readonly path?: { readonly match: 'exact' | 'prefix'; readonly path: string };
  readonly backend: GoodReference;
  /** The field of the Ingress that makes the claim. */
  readonly field: string;
  /** Absent for a default backend. */
  readonly written?: WrittenPath;
  /** What the path stands for beside itself, when its Ingress limits access. */
  readonly more?: Pick<Path, 'match' | 'path'>;
}

/** One entry of spec.tls. No hosts means: every host of the Ingress's rules. */
export interface TlsClaim {
  readonly hosts: readonly string[];
  /** `namespace/name`; absent: the default certificate. */
  readonly secret?: ObjectKey;
  readonly field: string;
}

/** An Ingress by itself, checked for shape: what it asks for, and what of it was refused. */
export interface IngressReading {
  readonly key: ObjectKey;
  /** Absent in a folder of manifests. */
  readonly uid?: string;
  /** ms since the epoch; Infinity for an Ingress without a timestamp, so that it never beats one that has it. */
  readonly createdMs: number;
  readonly routes: readonly RouteClaim[];
  /** What of its paths and default backends cannot be taken. */
  readonly lost: readonly LostClaim[];
  readonly tls: readonly TlsClaim[];
  /** The hosts of its rules, whatever becomes of their paths. */
  readonly hosts: readonly string[];
  /** The hosts on which ingress-nginx reads every path as a regular expression because of this Ingress. */
  readonly regexHosts: readonly string[];
  readonly annotations: IngressAnnotations;
  readonly problems: readonly EdgeProblem[];
  /** There is only what marks it, without paths. */
  readonly notKept?: true;
}

type Claims = Pick<IngressReading, 'routes' | 'lost' | 'tls' | 'regexHosts'>;

const noClaims: Claims = { routes: [], lost: [], tls: [], regexHosts: [] };

/** Reads one Ingress without looking at any other object; never throws, whatever the object holds. */
export function readIngress(key: ObjectKey, ingress: Ingress): IngressReading {
  try {
    return new Reader(key, ingress).read();
  } catch {
    const problem: EdgeProblem = {
      reason: 'Malformed',
      object: `Ingress/${key}`,
      message: 'not the shape of an Ingress',
    };
    const annotations = readAnnotations(`Ingress/${key}`, undefined);
    return { key, createdMs: Infinity, ...noClaims, hosts: [], annotations, problems: [problem] };
  }
}

const notKeptText = {
  object: 'this Ingress is not read: the namespace has more Ingresses than are kept of one namespace',
  newest: 'the version before serves: the namespace has more Ingresses than are kept of one namespace',
} as const;

class Reader {
  readonly #key: ObjectKey;
  readonly #ingress: Ingress;
  readonly #namespace: string;
  readonly #annotations: IngressAnnotations;
  readonly #routes: RouteClaim[] = [];
  readonly #lost: LostClaim[] = [];
  readonly #regexHosts = new Set<string>();
  readonly #tls: TlsClaim[] = [];
  readonly #problems: EdgeProblem[] = [];

  constructor(key: ObjectKey, ingress: Ingress) {
    this.#key = key;
    this.#ingress = ingress;
    this.#namespace = ingress.metadata.namespace ?? 'default';
    this.#annotations = readAnnotations(`Ingress/${key}`, ingress.metadata.annotations);
  }

  read(): IngressReading {
    const spec = this.#ingress.spec ?? {};
    const rules = spec.rules ?? [];
    const hosts: string[] = [];
    const { notKept } = this.#ingress;
    if (notKept !== undefined) this.#refuse('NamespaceBudget', 'metadata', notKeptText[notKept]);
    for (const [index, rule] of rules.entries()) {
      const field = `spec.rules[${index}]`;
      const host = rule.host ?? '';
      if (host !== '' && !isHost(host)) {
        this.#refuse('HostInvalid', `${field}.host`, `${quoted(host)} is not a host`);
        continue;
      }
      hosts.push(host);
      for (const [at, path] of (rule.http?.paths ?? []).entries())
        this.#readPath(host, path, `${field}.http.paths[${at}]`);
    }
    if (spec.defaultBackend !== undefined) this.#readDefaultBackend(rules.length === 0 ? [''] : hosts);
    for (const [index, entry] of (spec.tls ?? []).entries())
      this.#readTlsEntry(entry.hosts ?? [], entry.secretName, `spec.tls[${index}]`);
    const createdMs = Date.parse(this.#ingress.metadata.creationTimestamp ?? '');
    const annotations = this.#annotations;
    return {
      key: this.#key,
      ...withoutUndefined({ uid: this.#ingress.metadata.uid }),
      createdMs: Number.isNaN(createdMs) ? Infinity : createdMs,
      // A canary must not take the route of the Ingress that it belongs to, whichever of the two is older.
      ...(annotations.canary ? noClaims : this.#claims()),
      hosts,
      annotations,
      problems: boundedProblems(this.#problems),
      ...(notKept === 'object' ? { notKept: true } : {}),
    };
  }

  #claims(): Claims {
    return { routes: this.#routes, lost: this.#lost, tls: this.#tls, regexHosts: [...this.#regexHosts] };
  }

  #readPath(host: string, path: IngressPath, field: string): void {
    const type = typeOf(path.pathType);
    if (type === undefined) {
      this.#refuse('PathTypeUnknown', `${field}.pathType`, `${quoted(path.pathType)} is not a pathType`);
      this.#lost.push({ host, ...guardOfPath(path.path ?? '/'), field });
      return;
    }
    const text = path.path ?? (type === 'ImplementationSpecific' ? '/' : undefined);
    const regex = this.#isRegularExpression(text ?? '/');
    if (regex) this.#regexHosts.add(host);
    const fault = pathFault(text);
    if (text === undefined || fault !== undefined) {
      this.#refuse('PathInvalid', `${field}.path`, `${quoted(text)}: ${fault}`);
      const written = text !== undefined && isPattern(text) ? { text, type, regex } : undefined;
      this.#lost.push({ host, ...guardOfPath(text), field, ...withoutUndefined({ written }) });
      return;
    }
    const match = type === 'Exact' ? 'exact' : 'prefix';
    const claim = {
      host,
      path: { match, path: match === 'prefix' ? normalPrefix(text) : text } as const,
      field,
      written: { text, type, regex },
    };
    const backend = readBackend(path.backend, this.#namespace);
    if (backend.ok) this.#routes.push({ ...claim, backend });
    else {
      this.#refuse(backend.fault.reason, `${field}.backend`, backend.fault.message);
      this.#lost.push(lostOf(claim));
    }
  }

  #isRegularExpression(path: string): boolean {
    const { useRegex, rewriteTarget } = this.#annotations;
    return useRegex || (rewriteTarget !== '' && rewriteTarget !== path);
  }

  #readDefaultBackend(hosts: readonly string[]): void {
    const backend = readBackend(this.#ingress.spec?.defaultBackend, this.#namespace);
    if (!backend.ok) {
      this.#refuse(backend.fault.reason, 'spec.defaultBackend', backend.fault.message);
      for (const host of new Set(hosts)) this.#lost.push({ host, field: 'spec.defaultBackend' });
      return;
    }
    for (const host of new Set(hosts)) this.#routes.push({ host, backend, field: 'spec.defaultBackend' });
  }

  #readTlsEntry(hosts: readonly string[], secretName: string | undefined, field: string): void {
    const good: string[] = [];
    for (const [index, host] of hosts.entries()) {
      if (isHost(host)) good.push(host);
      else this.#refuse('TlsHostInvalid', `${field}.hosts[${index}]`, `${quoted(host)} is not a host`);
    }
    if (hosts.length > 0 && good.length === 0) return;
    if (secretName !== undefined && !secretName.split('.').every(isLabel)) {
      this.#refuse('SecretMissing', `${field}.secretName`, `${quoted(secretName)} is not a Secret name`);
      return;
    }
    const secret = secretName === undefined ? {} : { secret: `${this.#namespace}/${secretName}` };
    this.#tls.push({ hosts: good, ...secret, field });
  }

  #refuse(reason: EdgeReason, path: string, message: string): void {
    this.#problems.push({ reason, object: `Ingress/${this.#key}`, path, message });
  }
}

function typeOf(pathType: string | undefined): WrittenPath['type'] | undefined {
  return pathType === 'Exact' || pathType === 'Prefix' || pathType === 'ImplementationSpecific' ? pathType : undefined;
}
