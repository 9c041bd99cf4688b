import ipaddr from 'ipaddr.js';
import { type Bytes, bytesOfText, canonicalText } from './address-text.ts';

/** An IP address in canonical text form (RFC 5952 for IPv6). */
export interface Address {
  readonly family: 4 | 6;
  readonly text: string;
}

/** An IP prefix with no host bits set, in canonical text form. `text` is unique for a prefix and sorts stably. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly network: string;
  readonly length: number;
  readonly text: string;
}

/** The address, or undefined when the text is not one. IPv4 must be four decimal parts: `10.1` and `010.0.0.1` are refused. */
export function parseAddress(text: string): Address | undefined {
  const bytes = bytesOfText(text);
  return bytes === undefined ? undefined : { family: familyOf(bytes), text: canonicalText(bytes) };
}

/** The prefix, or undefined when the text is not `address/length` or has host bits set. A bare address is a host prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const bytes = bytesOfText(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const bits = bytes.length * 8;
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > bits || bytes.some((byte, index) => (byte & ~maskByte(index, length)) !== 0)) return undefined;
  return prefixOf(bytes, length);
}

/** The prefix without its host bits, or undefined when the text is not `address/length`. A bare address is a host prefix. */
export function parseLoosePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const bytes = bytesOfText(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const bits = bytes.length * 8;
  const digits = slash < 0 ? String(bits) : text.slice(slash + 1);
  const length = /^\d{1,3}$/.test(digits) ? Number(digits) : bits + 1;
  return length > bits ? undefined : prefixOf(cleared(bytes, length), length);
}

/** The prefix that `text` was most likely meant to be: as `parseLoosePrefix`, and with addresses such as `10.1`. */
export function nearestPrefix(text: string): Prefix | undefined {
  return parseLoosePrefix(text) ?? nearestUnusual(text);
}

function nearestUnusual(text: string): Prefix | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const [address, length] = ipaddr.parseCIDR(text);
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return parsePrefix(`${kind.networkAddressFromCIDR(text).toString()}/${length}`);
}

/** The host prefix (/32 or /128) of an address. */
export function hostPrefix(address: Address): Prefix {
  const length = address.family === 4 ? 32 : 128;
  return { family: address.family, network: address.text, length, text: `${address.text}/${length}` };
}

/** True when every address of `inner` is in `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const inside = bytesOf(inner);
  return bytesOf(outer).every((byte, index) => byte === ((inside[index] ?? 0) & maskByte(index, outer.length)));
}

/** The two prefixes that make up this one; none for a host prefix. */
export function halvesOf(prefix: Prefix): readonly Prefix[] {
  const first = bytesOf(prefix);
  if (prefix.length >= first.length * 8) return [];
  const at = prefix.length >> 3;
  const second = first.with(at, (first[at] ?? 0) | (0x80 >> (prefix.length & 7)));
  return [first, second].map((bytes) => prefixOf(bytes, prefix.length + 1));
}

/** The prefix of this shorter length that holds `prefix`; itself when it is not longer than that. */
export function widened(prefix: Prefix, length: number): Prefix {
  if (length >= prefix.length) return prefix;
  return prefixOf(cleared(bytesOf(prefix), length), length);
}

/** The address with this index (0: the network address) in a prefix, or undefined when the prefix ends before it. */
export function addressAt(prefix: Prefix, index: number): Address | undefined {
  const network = bytesOf(prefix);
  const bits = network.length * 8 - prefix.length;
  if (index < 0 || (bits < 53 && index >= 2 ** bits)) return undefined;
  const bytes = [...network];
  let carry = index;
  for (let at = bytes.length - 1; at >= 0 && carry > 0; at -= 1) {
    carry += bytes[at] ?? 0;
    bytes[at] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return { family: prefix.family, text: canonicalText(bytes) };
}

/**
 * The address that is in `to` what this one is in `from`, which holds it; undefined where `to` is of another family, or has no room for it.
 */
export function moved(address: Address, from: Prefix, to: Prefix): Address | undefined {
  if (from.family !== to.family || !contains(from, hostPrefix(address))) return undefined;
  const host = (bytesOfText(address.text) ?? []).map((byte, index) => byte & ~maskByte(index, from.length) & 0xff);
  if (host.some((byte, index) => (byte & maskByte(index, to.length)) !== 0)) return undefined;
  return { family: to.family, text: canonicalText(bytesOf(to).map((byte, index) => byte | (host[index] ?? 0))) };
}

/** True when the two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, b) || contains(b, a);
}

/** The IPv4 prefix that an IPv4-mapped one stands for (RFC 4291, section 2.5.5.2); undefined for any other prefix. */
export function unmapped(prefix: Prefix): Prefix | undefined {
  const bytes = bytesOf(prefix);
  const isMapped = bytes.length === 16 && bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff));
  return isMapped && prefix.length >= 96 ? prefixOf(bytes.slice(12), prefix.length - 96) : undefined;
}

/** Orders prefixes by family, then network, then length: a total order, the same on every machine. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  const left = bytesOf(a);
  const right = bytesOf(b);
  for (let index = 0; index < left.length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * A prefix that keeps its bytes: a sort compares each many times. They are in a private field, so that it looks like any other
 * prefix. (A WeakMap of thousands of short-lived prefixes costs more in garbage collection than it saves.)
 */
class ParsedPrefix implements Prefix {
  readonly family: 4 | 6;
  readonly network: string;
  readonly length: number;
  readonly text: string;
  readonly #bytes: Bytes;

  constructor(bytes: Bytes, length: number) {
    this.family = familyOf(bytes);
    this.network = canonicalText(bytes);
    this.length = length;
    this.text = `${this.network}/${length}`;
    this.#bytes = bytes;
  }

  static bytesOf(prefix: Prefix): Bytes {
    return #bytes in prefix ? prefix.#bytes : (bytesOfText(prefix.network) ?? []);
  }
}

function bytesOf(prefix: Prefix): Bytes {
  return ParsedPrefix.bytesOf(prefix);
}

function prefixOf(bytes: Bytes, length: number): Prefix {
  return new ParsedPrefix(bytes, length);
}

/** The bytes with all bits after the first `length` cleared. */
function cleared(bytes: Bytes, length: number): Bytes {
  return bytes.length * 8 === length ? bytes : bytes.map((byte, index) => byte & maskByte(index, length));
}

function familyOf(bytes: Bytes): 4 | 6 {
  return bytes.length === 4 ? 4 : 6;
}

function maskByte(index: number, length: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}
