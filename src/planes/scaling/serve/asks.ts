import { BadSelector, parseSelector, type Selector } from './selector.ts';
import { type MetricName, metricNames } from './series.ts';

/** What somebody asks of the metrics APIs, read from method and URL. */
export type Ask =
  | { readonly of: 'custom'; readonly version: CustomVersion; readonly object: AskedObject; readonly series: Selector }
  | { readonly of: 'external'; readonly namespace: string; readonly metric: string; readonly series: Selector }
  | { readonly of: 'groups' }
  | { readonly of: 'group'; readonly group: MetricsGroup }
  | { readonly of: 'resources'; readonly group: MetricsGroup; readonly version: string }
  | { readonly of: 'version' }
  | { readonly of: 'health'; readonly ready: boolean }
  | Refused;

/** An ask that has no answer, and how the API says so. */
export interface Refused {
  readonly of: 'nothing';
  readonly code: 400 | 404 | 405 | 414;
  readonly reason: 'BadRequest' | 'NotFound' | 'MethodNotAllowed' | 'RequestURITooLong';
  readonly message: string;
}

export interface AskedObject {
  /** Empty for an object that has none. */
  readonly namespace: string;
  readonly resource: string;
  /** `*` for all that `labels` select. */
  readonly name: string;
  readonly metric: string;
  readonly labels: Selector;
}

export const metricsGroups = {
  'custom.metrics.k8s.io': ['v1beta2', 'v1beta1'],
  'external.metrics.k8s.io': ['v1beta1'],
} as const;
export type MetricsGroup = keyof typeof metricsGroups;
export type CustomVersion = (typeof metricsGroups)['custom.metrics.k8s.io'][number];

const longestUrl = 8192;

/** Reads what is asked. Never throws: what cannot be read is refused. */
export function askOf(method: string, url: string): Ask {
  if (url.length > longestUrl)
    return { of: 'nothing', code: 414, reason: 'RequestURITooLong', message: 'the URL is too long' };
  if (method !== 'GET' && method !== 'HEAD') return notAllowed(`${method} is not supported: metrics are read only`);
  const [path = '', query = ''] = url.split('?', 2);
  const parts = segmentsOf(path);
  if (parts === undefined) return bad('a segment of the path is not percent-encoded as it should be');
  if (parts.includes('')) return notFound();
  try {
    return routed(parts, new URLSearchParams(query));
  } catch (error) {
    if (error instanceof BadSelector) return bad(error.message);
    throw error;
  }
}

function routed(parts: readonly string[], query: URLSearchParams): Ask {
  const [root = '', group = '', version = '', ...rest] = parts;
  if (root !== 'apis') return parts.length === 1 ? ofServer(root) : notFound();
  if (parts.length === 1) return { of: 'groups' };
  if (!isGroup(group)) return notFound();
  if (parts.length === 2) return { of: 'group', group };
  if (!(metricsGroups[group] as readonly string[]).includes(version)) return notFound();
  if (rest.length === 0) return { of: 'resources', group, version };
  if (query.get('watch') === 'true' || query.get('watch') === '1')
    return notAllowed('metrics cannot be watched: ask for them again');
  return group === 'external.metrics.k8s.io'
    ? externalAsk(rest, query)
    : customAsk(version as CustomVersion, rest, query);
}

function ofServer(name: string): Ask {
  if (name === 'version') return { of: 'version' };
  if (name === 'healthz' || name === 'livez') return { of: 'health', ready: false };
  return name === 'readyz' ? { of: 'health', ready: true } : notFound();
}

function externalAsk(rest: readonly string[], query: URLSearchParams): Ask {
  const [scope, namespace = '', metric = ''] = rest;
  if (scope !== 'namespaces' || rest.length !== 3) return notFound();
  // The selector of series stands where others have that of objects.
  return { of: 'external', namespace, metric, series: parseSelector(query.get('labelSelector') ?? '') };
}

function customAsk(version: CustomVersion, rest: readonly string[], query: URLSearchParams): Ask {
  const named = objectIn(rest);
  if (named === undefined) return notFound();
  const fields = query.get('fieldSelector') ?? '';
  if (fields !== '' && fields !== `metadata.name=${named.name}`)
    return bad(`only fieldSelector=metadata.name=NAME is supported, and not ${fields}`);
  const labels = parseSelector(query.get('labelSelector') ?? '');
  const series = parseSelector(query.get('metricLabelSelector') ?? '');
  return { of: 'custom', version, object: { ...named, labels }, series };
}

function objectIn(rest: readonly string[]): Omit<AskedObject, 'labels'> | undefined {
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = rest;
  if (first !== 'namespaces')
    return rest.length === 3 ? { namespace: '', resource: first, name: second, metric: third } : undefined;
  if (rest.length === 5) return { namespace: second, resource: third, name: fourth, metric: fifth };
  // Of a namespace itself.
  return rest.length === 4 && third === 'metrics'
    ? { namespace: '', resource: 'namespaces', name: second, metric: fourth }
    : undefined;
}

/** Undefined where a segment is not encoded as it should be. A slash inside of a segment stays in it. */
function segmentsOf(path: string): readonly string[] | undefined {
  try {
    return path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function isGroup(name: string): name is MetricsGroup {
  return Object.hasOwn(metricsGroups, name);
}

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metricNames, name);
}

function notFound(): Refused {
  return { of: 'nothing', code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' };
}

function bad(message: string): Refused {
  return { of: 'nothing', code: 400, reason: 'BadRequest', message };
}

function notAllowed(message: string): Refused {
  return { of: 'nothing', code: 405, reason: 'MethodNotAllowed', message };
}
