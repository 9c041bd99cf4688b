import type { Clock } from '../../../../src/runtime/clock.ts';
import type { Log } from '../../../../src/runtime/log.ts';
import type { CidrCollections } from '../cidr/collections.ts';
import type { Checkers } from '../health/checkers.ts';
import type { HealthChecks } from '../health/registry.ts';
import { invalidInput } from '../reasons.ts';
import type { Zones } from '../zone/zones.ts';
import type { HealthRules } from './health-xml.ts';
import type { ValueOrder } from './records-xml.ts';
import type { Element, XmlNode } from './xml.ts';

/** The account that the operations work on. */
export interface Account {
  readonly zones: Zones;
  readonly healthChecks: HealthChecks;
  readonly checkers: Checkers;
  readonly cidrCollections: CidrCollections;
  /** The tags of each resource, by `hostedzone/ID` or `healthcheck/ID`. */
  readonly tags: Map<string, ReadonlyMap<string, string>>;
  readonly healthRules: HealthRules;
  readonly valueOrder: ValueOrder;
  readonly clock: Clock;
  readonly log: Log;
}

/** One API action. When it runs, its path has matched and its query parameters are known to be among `query`. */
export interface Operation {
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The path below /2013-04-01/, with `:name` for parameters. */
  readonly path: string;
  readonly query: readonly string[];
  run(account: Account, request: ApiRequest): ApiResponse;
}

export interface ApiRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The root element of the body; a POST without one has been refused before. */
  readonly body: Element | undefined;
}

export interface ApiResponse {
  readonly status: 200 | 201;
  readonly root: string;
  readonly children: readonly XmlNode[];
  readonly location?: string;
}

/** The body of a request whose operation needs one. */
export function bodyOf(request: ApiRequest): Element {
  if (request.body === undefined) throw invalidInput('the request has no body');
  return request.body;
}

export function pathParameter(request: ApiRequest, name: string): string {
  return request.path[name] ?? '';
}

/** The parameter `maxitems`, between 1 and `most`; `most` is also the default. */
export function maxItems(request: ApiRequest, most: number): number {
  const text = request.query.get('maxitems');
  if (text === null) return most;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1) throw invalidInput(`maxitems must be a positive number, not ${text}`);
  return Math.min(value, most);
}

/** A page of a list that is sorted by its ids, from `marker` on. */
export function page<T extends { readonly id: string }>(
  items: readonly T[],
  request: ApiRequest,
): { readonly items: readonly T[]; readonly tail: readonly XmlNode[] } {
  const marker = request.query.get('marker');
  const most = maxItems(request, 100);
  const from = items.filter((item) => marker === null || item.id >= marker);
  const next = from[most];
  return {
    items: from.slice(0, most),
    tail: [
      ['Marker', marker ?? ''],
      ['IsTruncated', next !== undefined],
      ['NextMarker', next?.id],
      ['MaxItems', most],
    ],
  };
}
