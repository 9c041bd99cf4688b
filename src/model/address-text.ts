import ipaddr from 'ipaddr.js';

/** The bytes of an address, the most significant first: 4 or 16 of them. */
export type Bytes = readonly number[];

/**
 * The bytes of an address, or undefined when the text is not one. What is written as almost every address is read here,
 * because ipaddr.js takes many microseconds for an IPv6 address and agents read thousands of them at every change; the rest
 * (`::ffff:10.0.0.1`, say) is left to ipaddr.js. Scopes (`fe80::1%eth0`) are refused.
 */
export function bytesOfText(text: string): Bytes | undefined {
  if (!text.includes(':')) return bytesOfFour(text);
  if (text.includes('%')) return undefined;
  return bytesOfSix(text) ?? (ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text).toByteArray() : undefined);
}

/** The canonical text of an address: dotted decimal, or RFC 5952. */
export function canonicalText(bytes: Bytes): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0));
  const zeros = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (zeros.count < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.at))}::${hex(groups.slice(zeros.at + zeros.count))}`;
}

/** Four decimal parts without leading zeros. */
function bytesOfFour(text: string): Bytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

/** Groups of one to four hexadecimal digits with at most one `::`; undefined for everything else, valid or not. */
function bytesOfSix(text: string): Bytes | undefined {
  const halves = text.split('::');
  const [left, right] = halves.map(groupsOf);
  if (halves.length > 2 || left === undefined) return undefined;
  if (halves.length === 1) return left.length === 8 ? toBytes(left) : undefined;
  if (right === undefined || left.length + right.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return toBytes([...left, ...zeros, ...right]);
}

function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':').map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : -1));
  return groups.includes(-1) ? undefined : groups;
}

function toBytes(groups: readonly number[]): Bytes {
  return groups.flatMap((group) => [group >> 8, group & 255]);
}

/** The longest run of zeros, the first of several. */
function longestZeros(groups: readonly number[]): { readonly at: number; readonly count: number } {
  let best = { at: 0, count: 0 };
  let from = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) from = index + 1;
    else if (index + 1 - from > best.count) best = { at: from, count: index + 1 - from };
  }
  return best;
}
