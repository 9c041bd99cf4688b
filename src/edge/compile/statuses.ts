import type { ClusterState } from '../../kube/source.ts';
import type { Ingress, ObjectMeta } from '../../model/kubernetes.ts';
import type { Problem } from '../../model/problem.ts';
import { type EdgeReason, edgeReasons } from '../reasons.ts';
import type { Condition } from './compile.ts';
import { fixes } from './fixes.ts';
import { compareText } from './names.ts';

/** An object as the API names it. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** The status that an object should have, our fields only (undefined: none of ours), beside the one it has. */
export interface WantedStatus {
  readonly object: ObjectName;
  readonly wanted: object | undefined;
  readonly held: object | undefined;
  readonly resourceVersion?: string;
}

/** What people who look at an object should read. */
export interface WantedEvent {
  readonly object: ObjectName;
  readonly type: 'Normal' | 'Warning';
  readonly reason: EdgeReason;
  readonly note: string;
  readonly fieldPath?: string;
}

interface Input {
  readonly state: ClusterState;
  /** Of a compile of this state or one shortly before. */
  readonly conditions: readonly Condition[];
}

/**
 * The status of every Ingress that is ours or says that it is: one that serves something has the addresses; one that does
 * not (any more) and still shows an address of the pool has none. Sorted by namespace and name.
 */
export function ingressStatuses({
  state,
  conditions,
  addresses,
  poolAddresses,
}: Input & {
  /** Where requests are taken now. */
  readonly addresses: readonly string[];
  /** All addresses of the pool. */
  readonly poolAddresses: readonly string[];
}): readonly WantedStatus[] {
  const serving = new Set(conditions.filter((condition) => condition.state !== 'refused').map(({ object }) => object));
  const own = new Set(poolAddresses);
  const status = { loadBalancer: { ingress: addresses.toSorted(compareText).map((ip) => ({ ip })) } };
  const wanted: WantedStatus[] = [];
  for (const [key, ingress] of state.objects.Ingress) {
    const serves = serving.has(`Ingress/${key}`);
    const shown = ingress.status?.loadBalancer?.ingress ?? [];
    if (!serves && !shown.some(({ ip }) => ip !== undefined && own.has(ip))) continue;
    const { resourceVersion } = ingress.metadata;
    wanted.push({
      object: nameOfIngress(ingress),
      wanted: serves ? status : undefined,
      held: shown.length === 0 ? undefined : { loadBalancer: { ingress: shown } },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    });
  }
  return wanted.sort((a, b) => compareText(keyOf(a.object), keyOf(b.object)));
}

/** A Warning for every reason that an object is refused for, in whole or in part; its note names the first field. */
export function refusalEvents({ state, conditions }: Input): readonly WantedEvent[] {
  const events: WantedEvent[] = [];
  for (const { object, problems } of conditions) {
    const name = find(object, state);
    if (name === undefined) continue;
    for (const [reason, [first, ...more]] of Map.groupBy(problems, (problem) => problem.reason))
      if (first !== undefined && isEdgeReason(reason)) events.push(warning(name, reason, first, more.length));
  }
  return events;
}

/** A Normal for every Ingress that was refused, in whole or in part, and now serves all it asks for. */
export function recoveryEvents(before: readonly Condition[], { state, conditions }: Input): readonly WantedEvent[] {
  const troubled = new Set(before.filter(({ problems }) => problems.length > 0).map(({ object }) => object));
  const events: WantedEvent[] = [];
  for (const { object, problems } of conditions) {
    const name = troubled.has(object) && problems.length === 0 ? find(object, state) : undefined;
    if (name !== undefined)
      events.push({ object: name, type: 'Normal', reason: 'Accepted', note: edgeReasons.Accepted });
  }
  return events;
}

function warning(
  object: ObjectName,
  reason: EdgeReason,
  { path, message, expected, fix }: Problem,
  more: number,
): WantedEvent {
  const advice = fix ?? fixes[reason];
  const note = [
    `${message}${more === 0 ? '' : ` (and ${more} more like this)`}.`,
    edgeReasons[reason],
    ...(expected === undefined ? [] : [`Expected: ${expected}.`]),
    ...(advice === undefined ? [] : [`Fix: ${advice}.`]),
  ].join(' ');
  return { object, type: 'Warning', reason, note, ...(path === undefined ? {} : { fieldPath: path }) };
}

function isEdgeReason(reason: string): reason is EdgeReason {
  return Object.hasOwn(edgeReasons, reason);
}

/** The object of a condition, if the cluster has it. */
function find(object: string, { objects }: ClusterState): ObjectName | undefined {
  const [kind = '', ...rest] = object.split('/');
  const key = rest.join('/');
  if (kind === 'Ingress') {
    const ingress = objects.Ingress.get(key);
    return ingress === undefined ? undefined : nameOfIngress(ingress);
  }
  const slice = kind === 'EndpointSlice' ? objects.EndpointSlice.get(key) : undefined;
  return slice === undefined
    ? undefined
    : nameOf(slice.metadata, { apiVersion: 'discovery.k8s.io/v1', kind, resource: 'endpointslices' });
}

function nameOfIngress({ metadata }: Ingress): ObjectName {
  return nameOf(metadata, { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', resource: 'ingresses' });
}

function nameOf(
  { namespace = 'default', name, uid }: ObjectMeta,
  kind: Pick<ObjectName, 'apiVersion' | 'kind' | 'resource'>,
): ObjectName {
  return { ...kind, namespace, name, ...(uid === undefined ? {} : { uid }) };
}

function keyOf({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}
