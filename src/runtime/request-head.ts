import type { EndpointReason } from './reasons.ts';

/** The part of a request that the agent's endpoint reads: it answers one request a connection, and no request has a body. */
export interface RequestHead {
  readonly method: 'GET' | 'HEAD';
  /** The path, without a query. */
  readonly path: string;
  /** The query, without the question mark; empty when there is none. */
  readonly query: string;
}

/** Larger heads are refused: a scraper sends some hundred bytes. */
export const maxHeadBytes = 8192;

/** The first byte of a visitor that speaks TLS (RFC 8446, 5.1): it would wait for an answer to what is no request. */
export const tlsHandshake = 0x16;

type Read =
  | { readonly state: 'partial' }
  | { readonly state: 'whole'; readonly head: RequestHead }
  | {
      readonly state: 'refused';
      readonly code: number;
      readonly reason: EndpointReason;
    };

const refused = (code: number, reason: EndpointReason): Read => ({ state: 'refused', code, reason });

/**
 * Reads the head of an HTTP/1 request from the bytes that came so far (RFC 9112). Nothing after the head is looked at, so no
 * length has to be believed. `hosts` are the names by which the server may be called; an address, or `localhost`, always may.
 */
export function readHead(bytes: Buffer, hosts: readonly string[]): Read {
  if (bytes[0] === tlsHandshake) return refused(400, 'TlsNotServed');
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length > maxHeadBytes ? refused(431, 'HeadTooLarge') : { state: 'partial' };
  if (end > maxHeadBytes) return refused(431, 'HeadTooLarge');
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const request = /^([!#$%&'*+.^_`|~\dA-Za-z-]+) ([\x21-\x7e]+) HTTP\/1\.([01])$/.exec(line);
  if (request === null || fields.some((field) => !fieldPattern.test(field))) return refused(400, 'BadRequest');
  const [, method = '', target = '', minor] = request;
  const named = fields.filter((field) => /^host:/i.test(field)).map((field) => field.slice(5).trim());
  if (named.length > 1 || (named.length === 0 && minor === '1')) return refused(400, 'BadRequest');
  if (named[0] !== undefined && !isOwnHost(named[0], hosts)) return refused(421, 'ForeignHost');
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'MethodNotAllowed');
  const [path = '', ...query] = target.split('?');
  return { state: 'whole', head: { method, path, query: query.join('?') } };
}

const fieldPattern = /^[!#$%&'*+.^_`|~\dA-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A web page can make a browser call any address by a name of its own (DNS rebinding); the name then stands in `Host`. It
 * cannot do so by an address.
 */
function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name) || /^\[[\da-f:.]+\]$/.test(name) || name === 'localhost') return true;
  return hosts.some((own) => own.toLowerCase() === name);
}
