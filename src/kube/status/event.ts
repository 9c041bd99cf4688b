import { createHash } from 'node:crypto';
import { microTime } from '../lease/record.ts';
import type { ObjectReference } from '../objects/reference.ts';
import { nameOf } from './object.ts';

/** Something that people who look at an object should read. */
export interface EventWish {
  /** With its uid: that is how `kubectl describe` finds the event. */
  readonly object: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a catalogue. */
  readonly reason: string;
  readonly note: string;
  /** The field of the object that it is about. */
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

/** The same for the same event of the same object, on every machine: a second leader does not tell it again. */
export function eventName({ object, type, reason, note, fieldPath = '' }: EventWish): string {
  const said = [nameOf(object), object.uid ?? '', type, reason, fieldPath, note].join('\n');
  const digest = createHash('sha256').update(said).digest('hex').slice(0, 20);
  return `${object.name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${digest}`;
}

/** Events of cluster-scoped objects live in `default`. */
export function eventsPath({ namespace = 'default' }: ObjectReference): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** The Event as it is created. */
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

/** What is applied to an Event that was seen again. */
export function seriesBody(wish: EventWish, count: number, nowMs: number): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(wish), namespace: wish.object.namespace ?? 'default' },
    series: { count: Math.max(2, count), lastObservedTime: microTime(nowMs) },
  };
}
