import type { BackendAnswer, RouteAnswer } from '../../../model/status.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type BackendKey, type Host, noBackend, type Path, type RouteSettings } from '../table.ts';
import type { LiveBackend } from './backends.ts';
import type { Compiled } from './compile.ts';
import type { IngressReading, RouteClaim } from './ingress.ts';
import { hostFor, pathFor } from './match.ts';
import { compareAge } from './place.ts';

/** A request as nginx would see it. */
export interface RouteQuestion {
  readonly host: string;
  readonly path: string;
}

/** What the last compile made, and the endpoints of its backends as they are now. */
export interface Routed {
  readonly compiled: Pick<Compiled, 'table' | 'readings' | 'conditions'>;
  readonly backend: (key: BackendKey) => LiveBackend | undefined;
}

/** A tenant may have thousands of each: the answer stays small. */
const most = { endpoints: 32, ingresses: 10, problems: 5 } as const;

/** What the table does with a request: the rule that takes it, the Ingress that made the rule, and the endpoints. Pure. */
export function routeAnswer(routed: Routed | undefined, asked: RouteQuestion): Omit<RouteAnswer, 'blade'> {
  const question = { host: hostIn(asked.host), path: pathIn(asked.path) };
  if (routed === undefined) return { ...question, refused: 'NoTable', faulty: [] };
  const { compiled, backend } = routed;
  const host = hostFor(compiled.table.hosts, question.host);
  const naming = namingOf(compiled, host === undefined ? [question.host] : [question.host, host.name]);
  const faulty = faultyOf(compiled, naming);
  if (host === undefined) return { ...question, refused: 'HostUnknown', faulty };
  const path = pathFor(host, question.path);
  const key = path?.backend ?? host.defaultBackend;
  if (key === undefined) return { ...question, refused: 'PathUnknown', faulty };
  const settings = host.settings?.[(path === undefined ? host.defaultSettings : path.settings) ?? -1];
  const live = backend(key);
  const refused =
    settings?.refused ?? (live === undefined || live.backend.endpoints.length === 0 ? 'NoEndpoints' : undefined);
  return {
    ...question,
    ...withoutUndefined({ refused, ingress: ownerOf(naming, host, path, key), limits: limitsOf(settings) }),
    rule: { host: host.name, ...(path === undefined ? {} : { match: path.match, path: path.path }) },
    ...(key === noBackend ? {} : { backend: backendOf(key, live) }),
    faulty,
  };
}

/** What else may keep a client from a pod. */
function limitsOf(settings: RouteSettings | undefined): RouteAnswer['limits'] {
  if (settings === undefined) return undefined;
  const { allow, deny, redirect, https } = settings;
  const limits = [
    ...(allow === undefined && deny === undefined ? [] : ['addresses' as const]),
    ...(redirect === undefined ? [] : ['redirect' as const]),
    ...(https === undefined ? [] : ['https' as const]),
  ];
  return limits.length === 0 ? undefined : limits;
}

function backendOf(key: BackendKey, live: LiveBackend | undefined): BackendAnswer {
  const slash = key.lastIndexOf('/');
  const endpoints = live?.backend.endpoints ?? [];
  return {
    service: key.slice(0, slash),
    port: key.slice(slash + 1),
    exists: live?.port !== undefined,
    ready: live?.ready ?? 0,
    total: endpoints.length,
    endpoints: endpoints.slice(0, most.endpoints),
    problems: (live?.problems ?? []).slice(0, most.problems),
  };
}

/** The oldest Ingress that asks for this rule: conflicts go to the oldest. */
function ownerOf(
  naming: readonly IngressReading[],
  { name }: Host,
  path: Path | undefined,
  key: BackendKey,
): string | undefined {
  const service = key.slice(0, key.lastIndexOf('/'));
  const isIt = (claim: RouteClaim): boolean =>
    claim.host === name &&
    (key === noBackend || `${claim.backend.namespace}/${claim.backend.service}` === service) &&
    (claim.path?.path === path?.path || claim.more?.path === path?.path);
  return naming.filter(({ routes }) => routes.some(isIt)).toSorted(compareAge)[0]?.key;
}

/** The Ingresses that name one of these hosts. One pass without a copy: there may be thousands, and the agent has more to do. */
function namingOf({ readings }: Routed['compiled'], hosts: readonly string[]): readonly IngressReading[] {
  const naming: IngressReading[] = [];
  // An Ingress with nothing but a default backend names no host, and takes any.
  const takes = (named: readonly string[]): boolean =>
    named.length === 0 ? hosts.includes('') : hosts.some((host) => named.includes(host));
  for (const reading of readings.values()) if (takes(reading.hosts)) naming.push(reading);
  return naming;
}

/** What of these Ingresses is not served as it is written. */
function faultyOf({ conditions }: Routed['compiled'], naming: readonly IngressReading[]): RouteAnswer['faulty'] {
  const objects = new Set(naming.map(({ key }) => `Ingress/${key}`));
  return conditions
    .filter(({ object, state }) => state !== 'accepted' && objects.has(object))
    .slice(0, most.ingresses)
    .map((condition) => ({ ...condition, problems: condition.problems.slice(0, most.problems) }));
}

/** The name that nginx routes by: in lower case, without a port and without the dot of the root. */
function hostIn(text: string): string {
  return text.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

/** The path as nginx matches it: decoded, with single slashes, without `.` and `..`. */
function pathIn(text: string): string {
  const rooted = `/${text.replace(/[?#].*$/s, '')}`.replace(/\/{2,}/g, '/');
  const normal = new URL(`http://host${rooted}`).pathname;
  try {
    return decodeURIComponent(normal);
  } catch {
    return normal;
  }
}
