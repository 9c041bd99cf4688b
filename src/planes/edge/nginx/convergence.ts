import type { Backend, BackendKey, DataPlaneStatus, HealthReport, RoutingTable } from '../table.ts';
import {
  applyDelta,
  deltaSize,
  diffBackends,
  diffTables,
  emptyTable,
  type IndexedTable,
  indexTable,
  type TableDelta,
} from './delta.ts';

/** The table that a change starts from: its generation, and the start of nginx that holds it. */
export interface Base {
  readonly instance: string;
  readonly generation: number;
}

/** Something small that nginx holds beside the table: it is sent when it changes and after every start of nginx. */
export type Setting = 'health' | 'draining';
export type SettingBody = HealthReport | { readonly draining: boolean };

/** What callers wait for; each subject counts its versions by itself. */
export type Subject = 'table' | Setting;

export type Message = Ask | Push | Put;

interface Ask {
  readonly do: 'ask';
  readonly atMs: number;
}

export interface Push {
  readonly do: 'push';
  readonly base: Base;
  /**
   * The table that nginx holds at `base`; undefined when that is unknown: entries that the delta does not name are
   * deleted.
   */
  readonly from: IndexedTable | undefined;
  readonly delta: TableDelta;
  /**
   * `fallback`: nginx refused the wanted table, so the table that it took before is sent, with the newest endpoints.
   */
  readonly of: 'wanted' | 'fallback';
  readonly wanted: IndexedTable;
  readonly version: number;
}

export interface Put {
  readonly do: 'put';
  readonly setting: Setting;
  readonly body: SettingBody;
  readonly version: number;
  readonly instance: string;
}

/** Why a message did not succeed. */
export type Failure =
  /** No answer came: it is unknown whether nginx carried the message out. */
  | { readonly is: 'lost' }
  /** nginx holds another table than the change started from. */
  | { readonly is: 'mismatch'; readonly error: unknown }
  /** nginx is busy and may take the same message later. */
  | { readonly is: 'busy'; readonly error: unknown }
  /** nginx refuses this message, however often it is sent. */
  | { readonly is: 'refused'; readonly error: unknown };

/** The answer for all callers up to a version of the subject: nginx holds it since this generation, or refused it. */
export type Settlement =
  | { readonly of: Subject; readonly upTo: number; readonly generation: number }
  | { readonly of: Subject; readonly upTo: number; readonly error: unknown };

export interface Outcome {
  readonly state: Convergence;
  readonly settled: readonly Settlement[];
}

export type Next = Outcome & ({ readonly message: Message } | { readonly waitMs: number });

/** Whether nginx answers; `failures` counts those since nothing was left to send. */
type Contact =
  | { readonly is: 'away'; readonly failures: number }
  | {
      readonly is: 'there';
      readonly status: DataPlaneStatus;
      /** -Infinity after a failure: the status must be asked for before anything else is. */
      readonly askedAtMs: number;
      readonly failures: number;
    };

/** The table that callers want served, and which part of it was not sent since it changed. */
type Wanted =
  | { readonly is: 'nothing'; readonly version: number }
  | {
      readonly is: 'table';
      readonly version: number;
      readonly table: IndexedTable;
      readonly unsent: 'nothing' | 'everything' | Set<BackendKey>;
    };

/** What nginx holds, as far as we know. */
type Holding =
  /**
   * The table of another driver, or none; only a push of everything makes it known. `last` is the table that nginx took
   * from us last.
   */
  | { readonly is: 'unknown'; readonly last: IndexedTable | undefined }
  | { readonly is: 'ours'; readonly base: Base; readonly table: IndexedTable };

/**
 * Whether nginx refused the wanted table. A table that it refused as a whole is not sent again: nginx serves the one
 * before until another table is wanted, and takes from the refused one only the endpoints of backends that it serves
 * (the fallback).
 */
type Verdict =
  | { readonly is: 'open' }
  | { readonly is: 'refused'; readonly instance: string }
  /** nginx refused even those endpoints, at this version. */
  | { readonly is: 'fallback-refused'; readonly instance: string; readonly version: number };

type SettingState =
  | { readonly is: 'unset' }
  | { readonly is: 'unsent'; readonly version: number; readonly body: SettingBody }
  | { readonly is: 'sent'; readonly version: number; readonly body: SettingBody; readonly instance: string };

/**
 * The state of the convergence of one nginx. Every function below makes the next state from a state, which must not be
 * used any more, because the tables inside are changed in place: copying 50,000 endpoints to change one would cost more
 * than the change itself. No other code has references to these tables.
 */
export interface Convergence {
  readonly contact: Contact;
  readonly wanted: Wanted;
  readonly holding: Holding;
  readonly verdict: Verdict;
  readonly settings: Readonly<Record<Setting, SettingState>>;
  /**
   * Which of both was sent last. The other goes first, so that changes of the table never hold up the settings, nor
   * settings the table.
   */
  readonly last: 'push' | 'put';
}

/** nginx is asked for its status this often: whether it answers, and whether it was started anew. */
const lookEveryMs = 250;
/** nginx counts as away after this many failures. One lost connection says little, and the next try follows at once. */
const failuresUntilAway = 2;

export function newConvergence(): Convergence {
  return {
    contact: { is: 'away', failures: 0 },
    wanted: { is: 'nothing', version: 0 },
    holding: { is: 'unknown', last: undefined },
    verdict: { is: 'open' },
    settings: { health: { is: 'unset' }, draining: { is: 'unset' } },
    last: 'put',
  };
}

export function statusOf({ contact }: Convergence): DataPlaneStatus | undefined {
  return contact.is === 'there' ? contact.status : undefined;
}

/** The newest version of the subject that callers want. */
export function versionOf({ wanted, settings }: Convergence, subject: Subject): number {
  if (subject === 'table') return wanted.version;
  const setting = settings[subject];
  return setting.is === 'unset' ? 0 : setting.version;
}

export function wantTable(state: Convergence, table: RoutingTable): Convergence {
  const version = state.wanted.version + 1;
  return {
    ...state,
    wanted: { is: 'table', version, table: indexTable(table), unsent: 'everything' },
    verdict: { is: 'open' },
  };
}

/** Replaces the endpoints of backends of the wanted table; backends that it does not have are ignored. */
export function wantEndpoints(state: Convergence, backends: readonly Backend[]): Convergence {
  const { wanted } = state;
  const version = wanted.version + 1;
  if (wanted.is === 'nothing') return { ...state, wanted: { ...wanted, version } };
  const known = backends.filter(({ key }) => wanted.table.backends.has(key));
  for (const backend of known) wanted.table.backends.set(backend.key, backend);
  let { unsent } = wanted;
  if (unsent !== 'everything' && known.length > 0) {
    if (unsent === 'nothing') unsent = new Set();
    for (const { key } of known) unsent.add(key);
  }
  return { ...state, wanted: { ...wanted, version, unsent } };
}

export function wantSetting(state: Convergence, setting: Setting, body: SettingBody): Convergence {
  const before = state.settings[setting];
  if (before.is !== 'unset' && JSON.stringify(before.body) === JSON.stringify(body)) return state;
  const wanted: SettingState = { is: 'unsent', version: versionOf(state, setting) + 1, body };
  return { ...state, settings: { ...state.settings, [setting]: wanted } };
}

/** The next message to send to nginx, or for how long to send none. To be called while no message is in flight. */
export function nextMessage(state: Convergence, nowMs: number): Next {
  const { contact } = state;
  if (contact.is === 'away' || nowMs - contact.askedAtMs >= lookEveryMs)
    return { state, settled: [], message: { do: 'ask', atMs: nowMs } };
  const put = nextPut(state, contact.status.instance);
  if (put !== undefined && state.last === 'push')
    return { state: { ...state, last: 'put' }, settled: [], message: put };
  const { wanted, push } = planPush(state, contact.status);
  const planned: Convergence = { ...state, wanted };
  if (push !== undefined) return { state: { ...planned, last: 'push' }, settled: [], message: push };
  if (put !== undefined) return { state: { ...planned, last: 'put' }, settled: [], message: put };
  return {
    state: { ...planned, contact: { ...contact, failures: 0 } },
    settled: settledBy(planned, contact.status),
    waitMs: contact.askedAtMs + lookEveryMs - nowMs,
  };
}

/** nginx answered a status call. */
export function statusReceived(state: Convergence, { atMs }: Ask, status: DataPlaneStatus): Convergence {
  const { failures } = state.contact;
  const contact: Contact = { is: 'there', status, askedAtMs: atMs, failures };
  const { holding } = state;
  const same = holding.is === 'ours' && sameBase(holding.base, status);
  return { ...state, contact, holding: same ? holding : unknown(holding) };
}

/**
 * nginx took a change. Entries that it left out count as held, because it would leave them out again. `refused` are the pairs
 * among them: they are in the status before the change counts as acknowledged, although nginx reports them only later.
 */
export function pushAcknowledged(
  state: Convergence,
  push: Push,
  generation: number,
  refused: Readonly<Record<string, string>> = {},
): Outcome {
  const table = push.from ?? emptyTable();
  applyDelta(table, push.delta);
  const { contact } = state;
  const { hosts, backends, certificates } = table;
  const counts = { hosts: hosts.size, backends: backends.size, certificates: certificates.size };
  const refusedPairs = { ...statusOf(state)?.refusedPairs, ...refused };
  const news = { ...counts, generation, refusedPairs };
  return {
    state: {
      ...state,
      contact: contact.is === 'there' ? { ...contact, status: { ...contact.status, ...news } } : contact,
      holding: { is: 'ours', base: { instance: push.base.instance, generation }, table },
    },
    settled: [{ of: 'table', upTo: push.version, generation }],
  };
}

/** nginx took a setting. */
export function putAcknowledged(state: Convergence, put: Put): Outcome {
  const { setting, body, version, instance } = put;
  const { contact } = state;
  const status = statusOf(state);
  const newest = state.settings[setting];
  const sent: SettingState = { is: 'sent', version, body, instance };
  return {
    state: {
      ...state,
      contact:
        contact.is === 'there' && 'draining' in body
          ? { ...contact, status: { ...contact.status, draining: body.draining } }
          : contact,
      settings: { ...state.settings, [setting]: newest.is !== 'unset' && newest.version > version ? newest : sent },
    },
    settled: [{ of: setting, upTo: version, generation: status?.generation ?? 0 }],
  };
}

/** A message was refused or not answered. The next message is a status call. */
export function messageFailed(state: Convergence, message: Message, failure: Failure): Outcome {
  const doubted: Convergence = { ...state, contact: doubt(state.contact, failure) };
  if (message.do === 'ask') return { state: doubted, settled: [] };
  if (message.do === 'push') return pushFailed(doubted, message, failure);
  const { setting, version } = message;
  return {
    state: doubted,
    settled: failure.is === 'lost' ? [] : [{ of: setting, upTo: version, error: failure.error }],
  };
}

function doubt(contact: Contact, failure: Failure): Contact {
  const failures = contact.failures + 1;
  if (contact.is === 'away' || (failure.is === 'lost' && failures >= failuresUntilAway))
    return { is: 'away', failures };
  return { ...contact, askedAtMs: -Infinity, failures };
}

function pushFailed(state: Convergence, push: Push, failure: Failure): Outcome {
  const { wanted, holding } = state;
  const behind: Convergence = {
    ...state,
    wanted: wanted.is === 'table' ? { ...wanted, unsent: 'everything' } : wanted,
    holding: failure.is === 'mismatch' ? unknown(holding) : holding,
  };
  if (failure.is !== 'refused') return { state: behind, settled: [] };
  const { instance } = push.base;
  const verdict: Verdict =
    push.of === 'wanted' ? { is: 'refused', instance } : { is: 'fallback-refused', instance, version: push.version };
  return {
    // Another table may be wanted by now, on which nginx has not decided.
    state: wanted.is === 'table' && wanted.table === push.wanted ? { ...behind, verdict } : behind,
    settled: [{ of: 'table', upTo: push.version, error: failure.error }],
  };
}

/**
 * The change from the table `base`, which nginx holds, to the wanted table; and `wanted` with the note that it was
 * sent.
 */
function planPush(state: Convergence, base: Base): { readonly wanted: Wanted; readonly push?: Push } {
  const { wanted, holding, verdict } = state;
  if (wanted.is === 'nothing') return { wanted };
  if (holding.is === 'ours' && wanted.unsent === 'nothing') return { wanted };
  const refused = verdict.is !== 'open' && verdict.instance === base.instance;
  if (refused && verdict.is === 'fallback-refused' && verdict.version === wanted.version) return { wanted };
  const delta = refused ? fallbackDelta(wanted, holding) : deltaToWanted(wanted, holding);
  if (delta === undefined) return { wanted };
  const sent: Wanted = { ...wanted, unsent: 'nothing' };
  const from = holding.is === 'ours' ? holding.table : undefined;
  if (from !== undefined && deltaSize(delta) === 0) return { wanted: sent };
  const { instance, generation } = base;
  const { version, table } = wanted;
  const of = refused ? 'fallback' : 'wanted';
  return {
    wanted: sent,
    push: { do: 'push', base: { instance, generation }, from, delta, of, wanted: table, version },
  };
}

type WantedTable = Extract<Wanted, { is: 'table' }>;

function deltaToWanted({ table, unsent }: WantedTable, holding: Holding): TableDelta {
  if (holding.is === 'unknown') return diffTables(emptyTable(), table);
  return unsent instanceof Set ? diffBackends(holding.table, table, unsent) : diffTables(holding.table, table);
}

/**
 * What is sent in place of a refused table: nginx keeps (or, started anew, gets) the table that it took last, with the
 * newest endpoints. No tenant's part of a table may hold up the endpoints of the others. Undefined when nginx never
 * took a table.
 */
function fallbackDelta({ table, unsent }: WantedTable, holding: Holding): TableDelta | undefined {
  if (holding.is === 'ours') {
    const served = holding.table;
    const keys = unsent instanceof Set ? [...unsent].filter((key) => served.backends.has(key)) : served.backends.keys();
    return diffBackends(served, table, keys);
  }
  if (holding.last === undefined) return undefined;
  const { last } = holding;
  const backends = new Map([...last.backends].map(([key, backend]) => [key, table.backends.get(key) ?? backend]));
  return diffTables(emptyTable(), { ...last, backends });
}

function nextPut({ settings }: Convergence, instance: string): Put | undefined {
  for (const setting of ['health', 'draining'] as const) {
    const state = settings[setting];
    if (state.is === 'unset' || (state.is === 'sent' && state.instance === instance)) continue;
    const { body, version } = state;
    return { do: 'put', setting, body, version, instance };
  }
  return undefined;
}

/**
 * Answers for callers whose wish nginx already held when nothing is left to send: no message goes out that nginx could
 * acknowledge.
 */
function settledBy({ wanted, holding, settings }: Convergence, { generation }: Base): readonly Settlement[] {
  const settled: Settlement[] = [];
  if (wanted.is === 'table' && wanted.unsent === 'nothing' && holding.is === 'ours')
    settled.push({ of: 'table', upTo: wanted.version, generation: holding.base.generation });
  for (const name of ['health', 'draining'] as const) {
    const setting = settings[name];
    if (setting.is === 'sent') settled.push({ of: name, upTo: setting.version, generation });
  }
  return settled;
}

function sameBase(a: Base, b: Base): boolean {
  return a.instance === b.instance && a.generation === b.generation;
}

function unknown(holding: Holding): Holding {
  return holding.is === 'ours' ? { is: 'unknown', last: holding.table } : holding;
}
