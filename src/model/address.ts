import ipaddr from 'ipaddr.js';

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
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    const canonical = ipaddr.IPv4.parse(text).toString();
    return canonical === text ? { family: 4, text } : undefined;
  }
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return { family: 6, text: ipaddr.IPv6.parse(text).toRFC5952String() };
}

/** The prefix, or undefined when the text is not `address/length` or has host bits set. A bare address is a host prefix. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > bits) return undefined;
  const parts = bytesOf(address);
  if (parts.some((byte, index) => (byte & ~maskByte(index, length)) !== 0)) return undefined;
  return { family: address.family, network: address.text, length, text: `${address.text}/${length}` };
}

/** The prefix that `text` was most likely meant to be: host bits cleared, or a bare address as a host prefix. */
export function nearestPrefix(text: string): Prefix | undefined {
  if (!ipaddr.isValidCIDR(text)) return parsePrefix(text);
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
  return sameBits(
    bytesOf({ family: outer.family, text: outer.network }),
    bytesOf({ family: inner.family, text: inner.network }),
    outer.length,
  );
}

/** The two prefixes that make up this one; none for a host prefix. */
export function halvesOf(prefix: Prefix): readonly Prefix[] {
  const bits = prefix.family === 4 ? 32 : 128;
  if (prefix.length >= bits) return [];
  const first = [...bytesOf({ family: prefix.family, text: prefix.network })];
  const second = first.with(prefix.length >> 3, (first[prefix.length >> 3] ?? 0) | (0x80 >> (prefix.length & 7)));
  return [first, second].flatMap((bytes) => parsePrefix(`${textOf(bytes)}/${prefix.length + 1}`) ?? []);
}

/** The prefix of this shorter length that holds `prefix`; itself when it is not longer than that. */
export function widened(prefix: Prefix, length: number): Prefix {
  if (length >= prefix.length) return prefix;
  const bytes = bytesOf({ family: prefix.family, text: prefix.network });
  const masked = bytes.map((byte, index) => byte & maskByte(index, length));
  return parsePrefix(`${textOf(masked)}/${length}`) ?? prefix;
}

/** True when the two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, b) || contains(b, a);
}

/** Orders prefixes by family, then network, then length: a total order, the same on every machine. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  const left = bytesOf({ family: a.family, text: a.network });
  const right = bytesOf({ family: b.family, text: b.network });
  for (const [index, byte] of left.entries()) {
    const difference = byte - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function bytesOf(address: Address): readonly number[] {
  return ipaddr.parse(address.text).toByteArray();
}

function textOf(bytes: readonly number[]): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

function sameBits(a: readonly number[], b: readonly number[], length: number): boolean {
  return a.every((byte, index) => {
    const mask = maskByte(index, length);
    return (byte & mask) === ((b[index] ?? 0) & mask);
  });
}

function maskByte(index: number, length: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}
