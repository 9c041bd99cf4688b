import type { Ingress } from '../../../kube/kinds/ingress.ts';
import { kindFacts } from '../../../kube/kinds.ts';
import { type ObjectReference, referenceTo } from '../../../kube/objects/reference.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { ingressController } from '../../../model/contract.ts';
import { compareKeys, compareText, withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import { type EdgeReason, edgeReasons } from '../reasons.ts';
import type { Condition } from './condition.ts';
import { fixes } from './fixes.ts';

/** The status that an object should have, our fields only (undefined: none of ours), beside the one it has. */
export interface WantedStatus {
  readonly object: ObjectReference;
  readonly wanted: object | undefined;
  readonly held: object | undefined;
  /** True when the IngressClass of the object names our controller: nobody else may write this status. */
  readonly exclusive?: boolean;
}

/** An Event that people who look at an object should read. */
export interface WantedEvent {
  readonly object: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: EdgeReason;
  readonly note: string;
  readonly fieldPath?: string;
}

interface Input {
  readonly state: ClusterState;
  /** Conditions from the compile of this state, or of a slightly older one. */
  readonly conditions: readonly Condition[];
}

interface StatusInput extends Input {
  /** The addresses at which requests are taken now. */
  readonly addresses: readonly string[];
  /** All addresses of the pool. */
  readonly poolAddresses: readonly string[];
  /** The class of the pool. */
  readonly ingressClass: string;
}

/**
 * Computes the status of every Ingress that serves something or shows an address of the pool: one that serves has the
 * addresses; one that does not (any more) has none. The list is sorted by namespace and name. An entry is the same
 * object as in the call before while its Ingress and its status are: thousands of Ingresses change their status one
 * after the other.
 */
export class IngressStatuses {
  readonly #known = new WeakMap<Ingress, WantedStatus>();
  #status: { readonly addresses: string; readonly wanted: object } | undefined;

  compute({ state, conditions, addresses, poolAddresses, ingressClass }: StatusInput): readonly WantedStatus[] {
    const serving = new Set<string>();
    for (const condition of conditions) if (condition.state !== 'refused') serving.add(condition.object);
    const own = new Set(poolAddresses);
    const status = this.#statusOf(addresses);
    const exclusive = state.objects.IngressClass.get(ingressClass)?.spec?.controller === ingressController;
    const all: WantedStatus[] = [];
    for (const [key, ingress] of [...state.objects.Ingress].sort(compareKeys)) {
      const serves = serving.has(`Ingress/${key}`);
      if (serves || showsAnyOf(ingress, own))
        all.push(
          serves ? this.#wantedStatus(ingress, status, exclusive) : this.#wantedStatus(ingress, undefined, false),
        );
    }
    return all;
  }

  #wantedStatus(ingress: Ingress, wanted: object | undefined, exclusive: boolean): WantedStatus {
    const known = this.#known.get(ingress);
    if (known !== undefined && known.wanted === wanted && known.exclusive === exclusive) return known;
    const shown = ingress.status?.loadBalancer?.ingress ?? [];
    const status = {
      object: referenceTo(kindFacts.Ingress, ingress),
      wanted,
      held: shown.length === 0 ? undefined : { loadBalancer: { ingress: shown } },
      exclusive,
    };
    this.#known.set(ingress, status);
    return status;
  }

  #statusOf(addresses: readonly string[]): object {
    const sorted = addresses.toSorted(compareText);
    const text = sorted.join();
    if (this.#status?.addresses !== text)
      this.#status = { addresses: text, wanted: { loadBalancer: { ingress: sorted.map((ip) => ({ ip })) } } };
    return this.#status.wanted;
  }
}

function showsAnyOf({ status }: Ingress, addresses: ReadonlySet<string>): boolean {
  return status?.loadBalancer?.ingress?.some(({ ip }) => ip !== undefined && addresses.has(ip)) === true;
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
  object: ObjectReference,
  reason: EdgeReason,
  { path, message, expected, fix }: EdgeProblem,
  more: number,
): WantedEvent {
  const advice = fix ?? fixes[reason];
  const note = [
    `${message}${more === 0 ? '' : ` (and ${more} more like this)`}.`,
    edgeReasons[reason],
    ...(expected === undefined ? [] : [`Expected: ${expected}.`]),
    ...(advice === undefined ? [] : [`Fix: ${advice}.`]),
  ].join(' ');
  return { object, type: 'Warning', reason, note, ...withoutUndefined({ fieldPath: path }) };
}

function isEdgeReason(reason: string): reason is EdgeReason {
  return Object.hasOwn(edgeReasons, reason);
}

/** The object of a condition, if the cluster has it. */
function find(object: string, { objects }: ClusterState): ObjectReference | undefined {
  const [kind = '', ...rest] = object.split('/');
  const key = rest.join('/');
  if (kind === 'Ingress') {
    const ingress = objects.Ingress.get(key);
    return ingress && referenceTo(kindFacts.Ingress, ingress);
  }
  const slice = kind === 'EndpointSlice' ? objects.EndpointSlice.get(key) : undefined;
  return slice && referenceTo(kindFacts.EndpointSlice, slice);
}
