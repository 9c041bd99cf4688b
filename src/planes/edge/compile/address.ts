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
 * and `test/golden/data-plane/endpoints.txt` holds both to it and says why for each address. What a platform refuses beside
 * these is in `endpoint-rules.ts`; only the compile step knows that.
 */
export function checkAddress(text: unknown): CheckedAddress {
  // Tables have tens of thousands of IPv4 endpoints: they are checked without making an Address of each.
  const match = typeof text === 'string' ? ipv4.exec(text) : null;
  if (typeof text === 'string' && match !== null) {
    const range = rangeOf(Number(match[1]), Number(match[2]), text);
    return range === undefined ? { ok: true, address: text, family: 4 } : forbidden(text, range);
  }
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address === undefined)
    return { ok: false, reason: 'EndpointAddressInvalid', message: `${quoted(text)} is not an IP address` };
  if (isForbiddenIpv6(address.text)) return forbidden(address.text, nameOf(address.text));
  return { ok: true, address: address.text, family: 6 };
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

function forbidden(address: string, range: string): CheckedAddress {
  return { ok: false, reason: 'EndpointAddressForbidden', message: `${address} is ${range}` };
}

/** A short quotation of what somebody wrote, safe for logs. */
export function quoted(text: unknown): string {
  return JSON.stringify(typeof text === 'string' ? text.slice(0, 80) : (text ?? null))?.slice(0, 120) ?? 'nothing';
}
