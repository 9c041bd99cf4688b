import ipaddr from 'ipaddr.js';
import { parseAddress } from '../../../model/address.ts';
import type { EdgeReason } from '../reasons.ts';

export type CheckedAddress =
  | { readonly ok: true; readonly address: string; readonly family: 4 | 6 }
  | { readonly ok: false; readonly reason: EdgeReason; readonly message: string };

const octet = '(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const ipv4 = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);

/**
 * Whether nginx may connect to an endpoint's address. Addresses that lead to this host, to its link, to many or to
 * nowhere are refused, and so are those that may hold such an IPv4 address. `nginx/lua/validate.lua` has the same rule,
 * and `test/golden/data-plane/endpoints.txt` holds both to it and says why for each address.
 */
export function checkAddress(text: unknown, own: ReadonlySet<string>): CheckedAddress {
  // Tables have tens of thousands of IPv4 endpoints: they are checked without making an Address of each.
  const match = typeof text === 'string' ? ipv4.exec(text) : null;
  if (typeof text === 'string' && match !== null) {
    const range = rangeOf(Number(match[1]), Number(match[2]), text);
    return range === undefined ? checkOwn(text, 4, own) : forbidden(text, range);
  }
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address === undefined)
    return { ok: false, reason: 'EndpointAddressInvalid', message: `${quoted(text)} is not an IP address` };
  return isForbiddenIpv6(address.text) ? forbidden(address.text, nameOf(address.text)) : checkOwn(address.text, 6, own);
}

function rangeOf(first: number, second: number, text: string): string | undefined {
  if (first === 0) return 'unspecified';
  if (first === 127) return 'loopback';
  if (first === 169 && second === 254) return 'linkLocal';
  if (first < 224) return undefined;
  if (first < 240) return 'multicast';
  return text === '255.255.255.255' ? 'broadcast' : 'reserved';
}

/** Whether an IPv6 address in canonical text is forbidden: its first two groups decide. */
function isForbiddenIpv6(text: string): boolean {
  const [first = 0, second = 0] = text.split(':', 2).map((group) => (group === '' ? 0 : Number.parseInt(group, 16)));
  // 0000::/8: unspecified, loopback, and every form that holds an IPv4 address but Teredo and 6to4.
  if (first <= 0xff) return true;
  if (first === 0x2001) return second === 0;
  return first === 0x2002 || (first & 0xffc0) === 0xfe80 || first >= 0xff00;
}

/** The name of the range of a forbidden IPv6 address, for people. */
function nameOf(text: string): string {
  const range: string = ipaddr.parse(text).range();
  return range === 'unicast' ? 'reserved' : range;
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
