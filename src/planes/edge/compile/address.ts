import ipaddr from 'ipaddr.js';
import { parseAddress } from '../../../model/address.ts';
import type { EdgeReason } from '../reasons.ts';

export type CheckedAddress =
  | { readonly ok: true; readonly address: string; readonly family: 4 | 6 }
  | { readonly ok: false; readonly reason: EdgeReason; readonly message: string };

const octet = '(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const ipv4 = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);
const forbiddenIpv6 = new Set([
  'loopback',
  'linkLocal',
  'multicast',
  'unspecified',
  'ipv4Mapped',
  'rfc6145',
  'rfc6052',
  '6to4',
  'teredo',
]);

/** Whether nginx may connect to an endpoint's address. Addresses that lead to this host or nowhere are refused. */
export function checkAddress(text: unknown, own: ReadonlySet<string>): CheckedAddress {
  // Tables have tens of thousands of IPv4 endpoints: they take a way that makes no objects.
  const match = typeof text === 'string' ? ipv4.exec(text) : null;
  if (typeof text === 'string' && match !== null) {
    const range = rangeOf(Number(match[1]), Number(match[2]), text);
    return range === undefined ? checkOwn(text, 4, own) : forbidden(text, range);
  }
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address === undefined)
    return { ok: false, reason: 'EndpointAddressInvalid', message: `${quoted(text)} is not an IP address` };
  const range: string = ipaddr.parse(address.text).range();
  return forbiddenIpv6.has(range) ? forbidden(address.text, range) : checkOwn(address.text, 6, own);
}

function rangeOf(first: number, second: number, text: string): string | undefined {
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'linkLocal';
  if (first >= 224 && first <= 239) return 'multicast';
  return text === '255.255.255.255' ? 'broadcast' : undefined;
}

function checkOwn(address: string, family: 4 | 6, own: ReadonlySet<string>): CheckedAddress {
  if (own.has(address))
    return { ok: false, reason: 'EndpointIsOwn', message: `${address} is a VIP or a blade of this pool` };
  return { ok: true, address, family };
}

function forbidden(address: string, range: string): CheckedAddress {
  return { ok: false, reason: 'EndpointAddressForbidden', message: `${address} is ${range}` };
}

/** A short quotation of what somebody wrote, safe for logs. */
export function quoted(text: unknown): string {
  return JSON.stringify(typeof text === 'string' ? text.slice(0, 80) : (text ?? null))?.slice(0, 120) ?? 'nothing';
}
