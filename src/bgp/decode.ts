import { parseAddress, parsePrefix } from '../model/address.ts';
import { withoutUndefined } from '../model/values.ts';
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

function decodeEvent(text: string): Line {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return unknown;
  }
  const { type, neighbor } = record(event);
  const { address, state, reason } = record(neighbor);
  const { peer } = record(address);
  const parsed = typeof peer === 'string' ? parseAddress(peer) : undefined;
  if (type !== 'state' || parsed === undefined || (state !== 'up' && state !== 'down')) return unknown;
  const why = state === 'down' && typeof reason === 'string' ? readableReason(reason) : '';
  return { kind: 'session', neighbor: parsed.text, state, ...(why === '' ? {} : { reason: why }) };
}

/**
 * ExaBGP wraps what happened as `peer reset, message [notification received (6,2)] error[Cease / …]`, with round for square
 * brackets. A router may put any text of its own into a notification: only printable ASCII of a moderate length is taken.
 */
function readableReason(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]+/g, ' ').trim();
  const wrapped = /^peer reset, message \((.*)\) error\((.*)\)$/.exec(printable);
  const parts = wrapped === null ? [printable] : [wrapped[1] ?? '', wrapped[2] ?? ''];
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, 200);
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
