import { createHash } from 'node:crypto';
import { microTime } from '../lease/record.ts';
import type { ObjectReference } from '../objects/reference.ts';
import { nameOf } from './object.ts';

/** An Event that should be there for people who look at an object. */
export interface EventWish {
  /** The object, with its uid, by which `kubectl describe` finds the Event. */
  readonly object: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a catalogue. */
  readonly reason: string;
  readonly note: string;
  /** The field of the object that the Event is about. */
  readonly fieldPath?: string;
}

export interface Reporter {
  /** E.g. `tideline-edge`. */
  readonly controller: string;
  /** E.g. the blade. */
  readonly instance: string;
  /** What the controller was doing, one word. */
  readonly action: string;
}

const noteLimit = 1024;

/**
 * The name of an Event, which is the same on every machine for the same Event of the same object: another leader does not
 * create it again.
 */
export function eventName({ object, type, reason, note, fieldPath = '' }: EventWish): string {
  const said = [nameOf(object), object.uid ?? '', type, reason, fieldPath, note].join('\n');
  const digest = createHash('sha256').update(said).digest('hex').slice(0, 20);
  return `${object.name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${digest}`;
}

/** The path for the Events of an object. Those of cluster-scoped objects are in the namespace `default`. */
export function eventsPath({ namespace = 'default' }: ObjectReference): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** The body with which an Event is created. */
export function eventBody(wish: EventWish, reporter: Reporter, nowMs: number): object {
  const { object, type, reason, note, fieldPath } = wish;
  const { apiVersion, kind, name, namespace, uid } = object;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(wish), namespace: namespace ?? 'default' },
    eventTime: microTime(nowMs),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, 128),
    action: reporter.action,
    type,
    reason,
    note: note.length > noteLimit ? `${note.slice(0, noteLimit - 1)}…` : note,
    regarding: { apiVersion, kind, name, namespace, uid, fieldPath },
  };
}

/** The body that is applied to an Event to raise the count of its series. */
export function seriesBody(wish: EventWish, count: number, nowMs: number): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(wish), namespace: wish.object.namespace ?? 'default' },
    series: { count: Math.max(2, count), lastObservedTime: microTime(nowMs) },
  };
}
