import { type BackoffOptions, backoffMs } from '../../runtime/backoff.ts';
import type { ApiError } from '../api/client.ts';
import { needsDiscovery } from '../api/resources.ts';
import type { Kind } from '../kinds.ts';
import type { StaleReason } from '../source.ts';

/** Why a kind is not followed now, and since when. */
export interface Trouble {
  readonly reason: Exclude<StaleReason, 'SourceMissing' | 'SourceEmpty' | 'SourceImplausible'>;
  readonly message: string;
  /** Monotonic time of the first failure in a row. */
  readonly sinceMs: number;
  /** A list that works proves that list trouble is over, not that a watch will work. */
  readonly of: 'discovery' | 'list' | 'watch';
  /** Not even a refusal came: as soon as somebody gets an answer it is worth asking again. */
  readonly unanswered: boolean;
}

type Next = 'discover' | 'list' | 'watch';

/** Where the list-watch of one kind stands. */
export interface Machine {
  readonly phase: 'idle' | 'discovering' | 'listing' | 'opening' | 'watching' | 'waiting';
  /** What is done when a wait is over. */
  readonly next: Next;
  /** Why the next list is taken. */
  readonly cause: RelistCause;
  readonly apiVersion: string | undefined;
  /** From where a watch goes on; opaque, never compared. */
  readonly resourceVersion: string | undefined;
  /** A whole list has been taken at least once. */
  readonly synced: boolean;
  readonly failures: number;
  /** Answers by which the server refused to resume, since the last thing a watch brought. */
  readonly refusals: number;
  readonly trouble: Trouble | undefined;
  /** The watch in progress has brought something. */
  readonly heard: boolean;
}

export type MachineEvent =
  | { readonly type: 'start' }
  | { readonly type: 'found'; readonly apiVersion: string | undefined }
  | { readonly type: 'page'; readonly next: string | undefined; readonly resourceVersion: string }
  | { readonly type: 'opened' }
  /** A change was applied, or a bookmark came. */
  | { readonly type: 'event'; readonly resourceVersion: string }
  /** A watch has been open for a while. */
  | { readonly type: 'steady' }
  | { readonly type: 'ended' }
  | { readonly type: 'idle' }
  | { readonly type: 'failed'; readonly error: ApiError }
  /** A wait is over. */
  | { readonly type: 'due' }
  /** Somebody doubts what we hold. */
  | { readonly type: 'doubt' }
  /** Another kind got through to the server. */
  | { readonly type: 'nudge' };

export type RelistCause = 'first' | 'expired' | 'garbage' | 'refused' | 'doubt';
export type ReconnectCause = 'timeout' | 'ended' | 'idle' | 'broken';

export type Effect =
  /** Ends the request in flight; what it still brings is not heard. */
  | { readonly do: 'cancel' }
  | { readonly do: 'discover' }
  /** The first page when `next` is absent: what was gathered of an earlier attempt is dropped. */
  | { readonly do: 'list'; readonly apiVersion: string; readonly next?: string }
  /** Puts what was gathered in the place of what there was. */
  | { readonly do: 'swap' }
  | {
      readonly do: 'watch';
      readonly apiVersion: string;
      readonly resourceVersion: string;
      readonly timeoutSeconds: number;
      readonly idleMs: number;
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'relisted'; readonly cause: RelistCause }
  | { readonly do: 'reconnected'; readonly cause: ReconnectCause };

export interface MachineOptions {
  readonly kind: Kind;
  /** The ceilings of the first wait and of all: a wait is anything between nothing and its ceiling. */
  readonly backoff: Pick<BackoffOptions, 'firstMs' | 'ceilingMs'>;
  /** Server-side life of a watch in seconds: at least this, less than twice as much. */
  readonly watchSeconds: number;
  /** Nothing at all for this long (bookmarks come about every minute): the connection is taken for dead. */
  readonly idleMs: number;
  /** How often a kind that the server does not have is looked for again. */
  readonly missingMs: number;
}

/** Time and chance, handed in. */
export interface Moment {
  readonly nowMs: number;
  readonly random: () => number;
}

export interface Step {
  readonly machine: Machine;
  readonly effects: readonly Effect[];
}

/** This often in a row the server may refuse to resume before everything is listed again. */
const patience = 3;

/**
 * Full jitter, so that a thousand agents do not come back together. A server may ask for patience, but not for ever, and what it
 * asks of everybody is spread over a quarter more.
 */
const politeness = { jitter: [0, 1], longestAskedMs: 300_000, askedSpread: 0.25 } as const;

/** Kinds come back spread over this long. */
const nudgeMs = 300;

export function newMachine(kind: Kind, apiVersion: string): Machine {
  return {
    phase: 'idle',
    next: needsDiscovery(kind) ? 'discover' : 'list',
    cause: 'first',
    apiVersion: needsDiscovery(kind) ? undefined : apiVersion,
    resourceVersion: undefined,
    synced: false,
    failures: 0,
    refusals: 0,
    trouble: undefined,
    heard: false,
  };
}

/**
 * The list-watch of one kind, as a function: what happened → the next state and what to do. A list is consistent (no
 * resourceVersion asked for, so that it is never older than what we hold), a watch goes on from the last version heard.
 */
export function step(machine: Machine, event: MachineEvent, options: MachineOptions, moment: Moment): Step {
  switch (event.type) {
    case 'start':
    case 'due':
      return proceed(machine, options, moment);
    case 'found':
      return event.apiVersion === undefined
        ? missing(machine, options, moment)
        : list({ ...machine, apiVersion: event.apiVersion });
    case 'page':
      return page(machine, event, options, moment);
    case 'opened':
      return { machine: { ...machine, phase: 'watching', heard: false }, effects: [] };
    case 'event':
      return { machine: { ...healthy(machine), resourceVersion: event.resourceVersion, heard: true }, effects: [] };
    case 'steady':
      // That it stays open does not prove that it can bring what comes next.
      return { machine: { ...healthy(machine), refusals: machine.refusals, heard: true }, effects: [] };
    case 'ended':
      return ended(machine, options, moment);
    case 'idle':
      return idle(machine, options, moment);
    case 'doubt':
      if (machine.phase !== 'watching' && machine.phase !== 'opening') return { machine, effects: [] };
      return list({ ...machine, cause: 'doubt' }, [{ do: 'cancel' }]);
    case 'nudge':
      return nudged(machine, moment);
    case 'failed':
      return failed(machine, event.error, options, moment);
  }
}

function healthy(machine: Machine): Machine {
  return machine.failures === 0 && machine.trouble === undefined && machine.refusals === 0
    ? machine
    : { ...machine, failures: 0, refusals: 0, trouble: undefined };
}

function proceed(machine: Machine, options: MachineOptions, moment: Moment): Step {
  if (machine.next === 'discover')
    return { machine: { ...machine, phase: 'discovering' }, effects: [{ do: 'discover' }] };
  if (machine.next === 'watch') return watch(machine, options, moment, []);
  return list(machine);
}

function list(machine: Machine, before: readonly Effect[] = []): Step {
  const { apiVersion, cause } = machine;
  if (apiVersion === undefined) return { machine: { ...machine, phase: 'discovering' }, effects: [{ do: 'discover' }] };
  return {
    machine: { ...machine, phase: 'listing', next: 'list' },
    effects: [...before, { do: 'relisted', cause }, { do: 'list', apiVersion }],
  };
}

function watch(machine: Machine, options: MachineOptions, moment: Moment, before: readonly Effect[]): Step {
  const { apiVersion, resourceVersion } = machine;
  if (apiVersion === undefined || resourceVersion === undefined) return list({ ...machine, cause: 'refused' }, before);
  const { random } = moment;
  return {
    machine: { ...machine, phase: 'opening', next: 'watch', heard: false },
    effects: [
      ...before,
      {
        do: 'watch',
        apiVersion,
        resourceVersion,
        timeoutSeconds: Math.round(options.watchSeconds * (1 + random())),
        idleMs: Math.round(options.idleMs * (1 + random() / 8)),
      },
    ],
  };
}

function page(
  machine: Machine,
  event: Extract<MachineEvent, { type: 'page' }>,
  options: MachineOptions,
  moment: Moment,
): Step {
  const { apiVersion } = machine;
  if (event.next !== undefined && apiVersion !== undefined)
    return { machine, effects: [{ do: 'list', apiVersion, next: event.next }] };
  const over = machine.trouble !== undefined && machine.trouble.of !== 'watch';
  const synced: Machine = {
    ...machine,
    synced: true,
    resourceVersion: event.resourceVersion,
    refusals: 0,
    ...(over ? { failures: 0, trouble: undefined } : {}),
  };
  return watch(synced, options, moment, [{ do: 'swap' }]);
}

/** A watch ends every few minutes; one that ends at once, again and again, must not become a storm. */
function ended(machine: Machine, options: MachineOptions, moment: Moment): Step {
  if (machine.heard) return watch(machine, options, moment, [{ do: 'reconnected', cause: 'timeout' }]);
  const trouble = troubleOf(machine, 'SourceUnreachable', 'watches end at once', moment);
  return wait({ ...machine, next: 'watch', trouble }, options, moment, { reconnected: 'ended' });
}

/** Half-open, or a server that stands still: the watch is opened again at once, and is in trouble until it brings something. */
function idle(machine: Machine, options: MachineOptions, moment: Moment): Step {
  const trouble = troubleOf(machine, 'SourceUnreachable', 'nothing was heard from the server for too long', moment);
  return watch({ ...machine, trouble: { ...trouble, unanswered: true } }, options, moment, [
    { do: 'cancel' },
    { do: 'reconnected', cause: 'idle' },
  ]);
}

/**
 * The server is back: there is no point in waiting out what was meant for one that is away. Who was answered keeps its
 * pace: kinds whose watches open and break at once would else hurry one another for ever.
 */
function nudged(machine: Machine, { random }: Moment): Step {
  if (machine.phase !== 'waiting' || machine.trouble?.unanswered !== true) return { machine, effects: [] };
  return { machine, effects: [{ do: 'wait', ms: Math.round(random() * nudgeMs) }] };
}

function missing(machine: Machine, options: MachineOptions, moment: Moment): Step {
  const message = `the server has no ${options.kind}: its CustomResourceDefinition is not installed`;
  const trouble = troubleOf(machine, 'SourceKindMissing', message, moment);
  return {
    machine: { ...machine, phase: 'waiting', next: 'discover', apiVersion: undefined, trouble },
    effects: [{ do: 'wait', ms: Math.round(options.missingMs * (1 + moment.random() / 4)) }],
  };
}

function failed(machine: Machine, error: ApiError, options: MachineOptions, moment: Moment): Step {
  const { retryAfterMs } = error;
  const inWatch = machine.phase === 'opening' || machine.phase === 'watching';
  if (isExpired(error)) {
    const again: Machine = { ...machine, next: 'list', cause: 'expired' };
    // At once the first time: being too old says nothing about the server's health.
    if (inWatch && machine.failures === 0) return list({ ...again, failures: 1 }, [{ do: 'cancel' }]);
    if (machine.failures === 0) return wait(again, options, moment, { retryAfterMs });
    // The second time in a row nothing is followed any more: what we have is only as new as the last list.
    const stuck = troubleOf(machine, 'SourceUnreachable', `the server cannot go on: ${error.message}`, moment);
    return wait({ ...again, trouble: stuck }, options, moment, { retryAfterMs });
  }
  const trouble: Trouble = {
    ...troubleOf(machine, reasonOf(error), error.message, moment),
    unanswered: error.reason === 'Unreachable' && machine.phase !== 'watching',
  };
  if (error.status === 404 && needsDiscovery(options.kind))
    return wait({ ...machine, next: 'discover', trouble }, options, moment, { retryAfterMs });
  if (!inWatch) return wait({ ...machine, trouble }, options, moment, { retryAfterMs });
  const refusals = isRefusal(error) ? machine.refusals + 1 : 0;
  const garbage = error.reason === 'BadAnswer';
  if (garbage || refusals >= patience) {
    const again: Machine = { ...machine, next: 'list', cause: garbage ? 'garbage' : 'refused', refusals: 0, trouble };
    return wait(again, options, moment, { retryAfterMs });
  }
  return wait({ ...machine, next: 'watch', refusals, trouble }, options, moment, {
    retryAfterMs,
    reconnected: 'broken',
  });
}

/** The server said that what we stand on is too old to go on from. */
function isExpired({ status, reason }: ApiError): boolean {
  return status === 410 || reason === 'Expired' || reason === 'Gone';
}

/** The server answered that it will not go on from here; being overloaded or not letting us in says nothing about that. */
function isRefusal({ status }: ApiError): boolean {
  return status >= 400 && ![401, 403, 429, 503].includes(status);
}

function wait(
  machine: Machine,
  options: MachineOptions,
  moment: Moment,
  why: { readonly retryAfterMs?: number | undefined; readonly reconnected?: ReconnectCause },
): Step {
  const failures = machine.failures + 1;
  const { random } = moment;
  const ms = backoffMs(failures, { ...options.backoff, ...politeness }, { random, retryAfterMs: why.retryAfterMs });
  return {
    machine: { ...machine, phase: 'waiting', failures },
    effects: [
      { do: 'cancel' },
      ...(why.reconnected === undefined ? [] : [{ do: 'reconnected', cause: why.reconnected } as const]),
      { do: 'wait', ms },
    ],
  };
}

const phaseOfTrouble: { readonly [P in Machine['phase']]: Trouble['of'] } = {
  idle: 'discovery',
  discovering: 'discovery',
  listing: 'list',
  opening: 'watch',
  watching: 'watch',
  waiting: 'watch',
};

/** The newest reason, since the first failure in a row. */
function troubleOf(machine: Machine, reason: Trouble['reason'], message: string, { nowMs }: Moment): Trouble {
  const sinceMs = machine.trouble?.sinceMs ?? nowMs;
  return { reason, message, sinceMs, of: phaseOfTrouble[machine.phase], unanswered: false };
}

const reasonsByStatus: Readonly<Record<number, Trouble['reason']>> = {
  401: 'SourceUnauthorized',
  403: 'SourceForbidden',
  404: 'SourceKindMissing',
  429: 'SourceThrottled',
};

const reasonsByName: Readonly<Record<string, Trouble['reason']>> = {
  NoCredentials: 'SourceUnauthorized',
  Untrusted: 'SourceUntrusted',
  BadAnswer: 'SourceUnreadable',
};

function reasonOf(error: ApiError): Trouble['reason'] {
  return reasonsByStatus[error.status] ?? reasonsByName[error.reason] ?? 'SourceUnreachable';
}
