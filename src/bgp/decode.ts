import { parseAddress, parsePrefix } from '../model/address.ts';
import { withoutUndefined } from '../model/values.ts';
import { notificationText } from './notifications.ts';
import type { Route } from './route.ts';

/**
 * What ExaBGP 4.2 writes to its API child, one line at a time. It is untrusted: a BGP peer has been able to put text into
 * this stream. A line that has not exactly an expected form is `unknown` and has no effect.
 */
export type Line =
  | { readonly kind: 'done' | 'error' | 'neighborsHeader' | 'unknown' }
  | { readonly kind: 'session'; readonly neighbor: string; readonly state: 'up' | 'down'; readonly reason?: string }
  /** A line of `show neighbor summary`; only established sessions are listed. */
  | { readonly kind: 'established'; readonly neighbor: string }
  /** A line of `show adj-rib out extensive`; the class is unknown to ExaBGP and set to `pods`. */
  | { readonly kind: 'route'; readonly neighbor: string; readonly route: Route };

const unknown: Line = { kind: 'unknown' };
const maxLineLength = 65_536;

export function decodeLine(text: string): Line {
  if (text.length > maxLineLength) return unknown;
  if (text === 'done' || text === 'error') return { kind: text };
  if (text.startsWith('{')) return decodeEvent(text);
  if (/^Peer +AS +up\/down state/.test(text)) return { kind: 'neighborsHeader' };
  if (text.startsWith('neighbor ')) return decodeRoute(text);
  const summary = /^(\S+) +\d+ +.* established +\d+ +\d+$/.exec(text);
  const neighbor = parseAddress(summary?.[1] ?? '');
  return neighbor === undefined ? unknown : { kind: 'established', neighbor: neighbor.text };
}

/**
 * An event of a session. ExaBGP writes the reason last, and writes into it what a router said without making JSON of it: a control
 * character or a backslash there spoils the object, a line end cuts it, and more members could follow. So only what comes before
 * is read as JSON.
 */
function decodeEvent(text: string): Line {
  const [head = '', ...rest] = text.split(', "reason": "');
  let event: unknown;
  try {
    event = JSON.parse(rest.length === 0 ? head : `${head} } }`);
  } catch {
    return unknown;
  }
  const { type, neighbor } = record(event);
  const { address, state } = record(neighbor);
  const { peer } = record(address);
  const parsed = typeof peer === 'string' ? parseAddress(peer) : undefined;
  if (type !== 'state' || parsed === undefined || (state !== 'up' && state !== 'down')) return unknown;
  const reason = rest.join(', "reason": "').replace(/"\s*\}\s*\}\s*$/, '');
  const why = state === 'down' ? readableReason(reason.replaceAll('\\"', '"')) : '';
  return { kind: 'session', neighbor: parsed.text, state, ...(why === '' ? {} : { reason: why }) };
}

/**
 * ExaBGP wraps what happened as `peer reset, message [notification received (6,2)] error[Cease / …]`, with round for square
 * brackets. A router may put any text of its own into a notification: only printable ASCII of a moderate length is taken.
 */
function readableReason(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]+/g, ' ').trim();
  const wrapped = /^peer reset, message \((.*)\) error\((.*)\)$/.exec(printable);
  // A slash without a text is left of data that were not printable.
  const [what = '', detail = ''] = (wrapped?.slice(1) ?? [printable]).map((part) => part.replace(/[ /]+$/, ''));
  const readable = detail.endsWith(unreadShutdown) ? [shutdownWithText] : [what, decoded(what, detail)];
  return readable
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, 200);
}

/**
 * ExaBGP 4.2 fails on every notification with a text for people (RFC 9003), answers it as if it were no notification, and gives this
 * as its own error.
 */
const unreadShutdown = 'can not decode update message of type "3"';
const shutdownWithText =
  'notification received (6,2 or 6,4): Cease / Administrative Shutdown or Reset, with a text that ExaBGP cannot read';

/**
 * ExaBGP 4.2 reads the data of a notification as text, but they may be a number: for an AS or a limit of prefixes with a byte above
 * 127 it gives Python's error in place of the name.
 */
function decoded(what: string, detail: string): string {
  if (!detail.startsWith("'utf-8' codec can't decode")) return detail;
  const [, code, subcode] = /^notification \w+ \((\d+),(\d+)\)$/.exec(what) ?? [];
  return code === undefined ? '' : notificationText(Number(code), Number(subcode));
}

/** True for the reason of a session that ended by a notification, which says more than a connection that was closed. */
export function isNotification(reason: string): boolean {
  return reason.startsWith('notification ');
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** `neighbor IP local-ip … family-allowed … ipv4 unicast PREFIX next-hop IP[ med N][ local-preference N][ community …][ as-path …]` */
function decodeRoute(text: string): Line {
  const match = /^neighbor (\S+) local-ip .* ipv[46] unicast (\S+) next-hop (\S+)((?: .*)?)$/.exec(text);
  if (match === null) return unknown;
  const [, peer = '', prefixText = '', nextHopText = '', rest = ''] = match;
  const neighbor = parseAddress(peer);
  const prefix = parsePrefix(prefixText);
  const nextHop = parseAddress(nextHopText);
  if (neighbor === undefined || prefix === undefined || nextHop === undefined) return unknown;
  const communities = words(rest, 'community').flatMap((word) => {
    const pair = /^(\d+):(\d+)$/.exec(word);
    return pair === null ? [] : [[Number(pair[1]), Number(pair[2])] as const];
  });
  const path = words(rest, 'as-path');
  const med = number(rest, 'med');
  const localPreference = number(rest, 'local-preference');
  return {
    kind: 'route',
    neighbor: neighbor.text,
    route: {
      prefix,
      nextHop,
      class: 'pods',
      ...withoutUndefined({ med, localPreference }),
      ...(communities.length === 0 ? {} : { communities }),
      ...(path.length < 2 ? {} : { prepend: path.length - 1 }),
      because: 'read back from ExaBGP',
    },
  };
}

function number(text: string, name: string): number | undefined {
  const match = new RegExp(` ${name} (\\d+)(?: |$)`).exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** The words after `name`, which stand as `name [ a b ]` or `name a`. */
function words(text: string, name: string): readonly string[] {
  const match = new RegExp(` ${name} (?:\\[ ([^\\]]*) \\]|(\\S+))`).exec(text);
  return (match?.[1] ?? match?.[2] ?? '').split(' ').filter((word) => word !== '');
}
