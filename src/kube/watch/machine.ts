import { type BackoffOptions, backoffMs } from '../../runtime/backoff.ts';
import type { ApiError } from '../api/client.ts';
import { needsDiscovery } from '../api/resources.ts';
import { type RequestTrouble, sourceReason } from '../api/source-reason.ts';
import type { Kind } from '../kinds.ts';

/** The reason why a kind is not followed now, and since when it is not. */
export interface Trouble {
  readonly reason: RequestTrouble;
  readonly message: string;
  /** The monotonic time of the first failure in a row. */
  readonly sinceMs: number;
  /** The step that failed: a list that works ends the trouble of a list, but does not prove that a watch will work. */
  readonly of: 'discovery' | 'list' | 'watch';
  /** True when no answer came, not even a refusal: as soon as another kind gets an answer, this one is tried again. */
  readonly unanswered: boolean;
}

type Next = 'discover' | 'list' | 'watch';

/** The state of the list-watch of one kind. */
export interface Machine {
  readonly phase: 'idle' | 'discovering' | 'listing' | 'opening' | 'watching' | 'waiting';
  /** The step that follows when a wait is over. */
  readonly next: Next;
  /** The cause of the next list. */
  readonly cause: RelistCause;
  readonly apiVersion: string | undefined;
  /** The version from which a watch goes on. */
  readonly resourceVersion: string | undefined;
  /** True when a whole list has been taken at least once. */
  readonly synced: boolean;
  readonly failures: number;
  /** How often the server refused to resume since a watch last brought anything. */
  readonly refusals: number;
  readonly trouble: Trouble | undefined;
  /** True when the watch in progress has brought something. */
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
  /** The objects that we hold are in doubt and must be listed again. */
  | { readonly type: 'doubt' }
  /** The server is at an older version than we are: its storage was put back. */
  | { readonly type: 'rewound' }
  /** Whatever was listed does not count any more. */
  | { readonly type: 'restart' }
  /** Another kind has got an answer from the server. */
  | { readonly type: 'reachable' };

export type RelistCause = 'first' | 'expired' | 'garbage' | 'refused' | 'doubt' | 'idle' | 'rewound' | 'accepted';
export type ReconnectCause = 'timeout' | 'ended' | 'idle' | 'broken';

export type Effect =
  /** Ends the request in flight; anything that it still brings is ignored. */
  | { readonly do: 'cancel' }
  | { readonly do: 'discover' }
  /** Requests a page: the one that `next` names, or the first one, which drops the objects gathered by an earlier attempt. */
  | { readonly do: 'list'; readonly apiVersion: string; readonly next?: string }
  /** Replaces the objects of the kind by those gathered from a list. */
  | { readonly do: 'swap' }
  | {
      readonly do: 'watch';
      readonly apiVersion: string;
      readonly resourceVersion: string;
      readonly timeoutSeconds: number;
      readonly idleMs: number;
      /** False right after a list, which has just said at which version the server is. */
      readonly resumed: boolean;
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'relisted'; readonly cause: RelistCause }
  | { readonly do: 'reconnected'; readonly cause: ReconnectCause };

export interface MachineOptions {
  readonly kind: Kind;
  /** The ceilings of the first wait and of all waits: a wait is a random time between 0 and its ceiling. */
  readonly backoff: Pick<BackoffOptions, 'firstMs' | 'ceilingMs'>;
  /** The server is asked to end a watch after at least this many seconds, and less than twice as many. */
  readonly watchSeconds: number;
  /** A connection that brings nothing for this long counts as dead (bookmarks come about every minute). */
  readonly idleMs: number;
  /** How often a kind that the server does not have is looked for again. */
  readonly missingMs: number;
}

/** The time and the random numbers, which are handed in. */
export interface Moment {
  readonly nowMs: number;
  readonly random: () => number;
}

export interface Step {
  readonly machine: Machine;
  readonly effects: readonly Effect[];
}

/** After this many refusals in a row to resume, everything is listed again. */
const maxRefusals = 3;

/**
 * The waits have full jitter, so that a thousand agents do not come back together. A wait that the server asks for is obeyed up
 * to a limit, and spread over a quarter more, because all agents are asked for the same.
 */
const spreading = { jitter: [0, 1], longestAskedMs: 300_000, askedSpread: 0.25 } as const;

/** When the server can be reached again, the kinds come back spread over this time. */
const comebackMs = 300;

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
 * The list-watch of one kind as a function: from an event to the next state and the effects to carry out. A list is consistent
 * (it asks for no resourceVersion, so that it is never older than the objects we hold); a watch goes on from the last version
 * that was received.
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
      // A watch that stays open does not prove that it can bring the next change, so the refusals are kept.
      return { machine: { ...healthy(machine), refusals: machine.refusals, heard: true }, effects: [] };
    case 'ended':
      return ended(machine, options, moment);
    case 'idle':
      return idle(machine, moment);
    case 'doubt':
      if (machine.phase !== 'watching' && machine.phase !== 'opening') return { machine, effects: [] };
      return list({ ...machine, cause: 'doubt' }, [{ do: 'cancel' }]);
    case 'rewound':
      return list({ ...machine, cause: 'rewound' }, [{ do: 'cancel' }]);
    case 'restart':
      return restarted(machine, options);
    case 'reachable':
      return retriedSoon(machine, moment);
    case 'failed':
      return failed(machine, event.error, options, moment);
  }
}

/** Lists the kind as if for the first time; a cluster that took the place of another may serve other API versions. */
function restarted(machine: Machine, { kind }: MachineOptions): Step {
  const apiVersion = needsDiscovery(kind) ? undefined : machine.apiVersion;
  const anew: Machine = { ...healthy(machine), apiVersion, synced: false, cause: 'accepted' };
  return list(anew, [{ do: 'cancel' }]);
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
  if (apiVersion === undefined)
    return { machine: { ...machine, phase: 'discovering' }, effects: [...before, { do: 'discover' }] };
  return {
    machine: { ...machine, phase: 'listing', next: 'list' },
    effects: [...before, { do: 'relisted', cause }, { do: 'list', apiVersion }],
  };
}

function watch(
  machine: Machine,
  options: MachineOptions,
  moment: Moment,
  before: readonly Effect[],
  resumed = true,
): Step {
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
        resumed,
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
  return watch(synced, options, moment, [{ do: 'swap' }], false);
}

/**
 * A watch ends every few minutes, and is opened again at once. After one that ended without bringing anything there is a
 * wait, against a storm of requests.
 */
function ended(machine: Machine, options: MachineOptions, moment: Moment): Step {
  if (machine.heard) return watch(machine, options, moment, [{ do: 'reconnected', cause: 'timeout' }]);
  const trouble = troubleOf(machine, 'SourceUnreachable', 'watches end at once', moment);
  return wait({ ...machine, next: 'watch', trouble }, options, moment, { reconnected: 'ended' });
}

/**
 * The connection is half-open, the server stands still, or it waits for a version that it will not reach. Everything is listed
 * again: a watch that was opened again could be as silent, and would be followed for ever. The kind is in trouble until
 * the server has answered.
 */
function idle(machine: Machine, moment: Moment): Step {
  const trouble = troubleOf(machine, 'SourceUnreachable', 'the server has sent nothing for too long', moment);
  return list({ ...machine, trouble: { ...trouble, of: 'list', unanswered: true }, cause: 'idle' }, [
    { do: 'cancel' },
    { do: 'reconnected', cause: 'idle' },
  ]);
}

/**
 * Shortens the wait of a kind that got no answer, because the server is back. A kind that got an answer keeps its wait:
 * otherwise kinds whose watches open and break at once would shorten one another's waits for ever.
 */
function retriedSoon(machine: Machine, { random }: Moment): Step {
  if (machine.phase !== 'waiting' || machine.trouble?.unanswered !== true) return { machine, effects: [] };
  return { machine, effects: [{ do: 'wait', ms: Math.round(random() * comebackMs) }] };
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
    // The first time everything is listed at once: that our version is too old says nothing about the server's health.
    if (inWatch && machine.failures === 0) return list({ ...again, failures: 1 }, [{ do: 'cancel' }]);
    if (machine.failures === 0) return wait(again, options, moment, { retryAfterMs });
    // After the second time in a row the kind is not followed any more: our objects are only as new as the last list.
    const stuck = troubleOf(
      machine,
      'SourceUnreachable',
      `the watch or the list has expired again: ${error.message}`,
      moment,
    );
    return wait({ ...again, trouble: stuck }, options, moment, { retryAfterMs });
  }
  const trouble: Trouble = {
    ...troubleOf(machine, sourceReason(error), error.message, moment),
    unanswered: error.reason === 'Unreachable' && machine.phase !== 'watching',
  };
  if (error.status === 404 && needsDiscovery(options.kind))
    return wait({ ...machine, next: 'discover', trouble }, options, moment, { retryAfterMs });
  if (!inWatch) return wait({ ...machine, trouble }, options, moment, { retryAfterMs });
  const refusals = isRefusal(error) ? machine.refusals + 1 : 0;
  const garbage = error.reason === 'BadAnswer';
  if (garbage || refusals >= maxRefusals) {
    const again: Machine = { ...machine, next: 'list', cause: garbage ? 'garbage' : 'refused', refusals: 0, trouble };
    return wait(again, options, moment, { retryAfterMs });
  }
  return wait({ ...machine, next: 'watch', refusals, trouble }, options, moment, {
    retryAfterMs,
    reconnected: 'broken',
  });
}

/** True when the server said that our resourceVersion is too old to go on from. */
function isExpired({ status, reason }: ApiError): boolean {
  return status === 410 || reason === 'Expired' || reason === 'Gone';
}

/**
 * True when the server refused to go on from our version. That it is overloaded or does not let us in says nothing about
 * that.
 */
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
  const ms = backoffMs(failures, { ...options.backoff, ...spreading }, { random, retryAfterMs: why.retryAfterMs });
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

/** A trouble with this reason, which began with the first failure in a row. */
function troubleOf(machine: Machine, reason: Trouble['reason'], message: string, { nowMs }: Moment): Trouble {
  const sinceMs = machine.trouble?.sinceMs ?? nowMs;
  return { reason, message, sinceMs, of: phaseOfTrouble[machine.phase], unanswered: false };
}
