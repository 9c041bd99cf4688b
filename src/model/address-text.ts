import ipaddr from 'ipaddr.js';

/** The bytes of an address, the most significant first: 4 or 16 of them. */
export type Bytes = readonly number[];

const dot = 0x2e;
const colon = 0x3a;

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
  return bytes.length === 4 ? textOfFour(bytes) : textOfSix(bytes);
}

/** Four decimal parts without leading zeros. */
function bytesOfFour(text: string): Bytes | undefined {
  if (text.length > 15) return undefined;
  const bytes: number[] = [];
  let value = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? dot : text.charCodeAt(at);
    if (code === dot) {
      if (value < 0) return undefined;
      bytes.push(value);
      value = -1;
    } else if (code < 0x30 || code > 0x39 || value === 0) return undefined;
    else {
      value = Math.max(value, 0) * 10 + code - 0x30;
      if (value > 255) return undefined;
    }
  }
  return bytes.length === 4 ? bytes : undefined;
}

/** Groups of one to four hexadecimal digits with at most one `::`; undefined for everything else, valid or not. */
function bytesOfSix(text: string): Bytes | undefined {
  if (text.length > 39) return undefined;
  const gap = text.indexOf('::');
  const bytes: number[] = [];
  if (gap < 0) return pushGroups(bytes, text, 0, text.length) && bytes.length === 16 ? bytes : undefined;
  if (gap > 0 && !pushGroups(bytes, text, 0, gap)) return undefined;
  const right: number[] = [];
  if (gap + 2 < text.length && !pushGroups(right, text, gap + 2, text.length)) return undefined;
  if (bytes.length + right.length > 14) return undefined;
  while (bytes.length + right.length < 16) bytes.push(0);
  for (const byte of right) bytes.push(byte);
  return bytes;
}

/** Appends the bytes of the groups in a part of the text; returns whether all of them are groups. */
function pushGroups(bytes: number[], text: string, from: number, to: number): boolean {
  let value = 0;
  let digits = 0;
  for (let at = from; at <= to; at += 1) {
    const code = at === to ? colon : text.charCodeAt(at);
    if (code === colon) {
      if (digits === 0) return false;
      bytes.push(value >> 8, value & 255);
      value = 0;
      digits = 0;
    } else {
      const digit = hexDigit(code);
      if (digit < 0 || digits === 4) return false;
      value = value * 16 + digit;
      digits += 1;
    }
  }
  return true;
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function textOfFour(bytes: Bytes): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

function textOfSix(bytes: Bytes): string {
  const zeros = longestZeros(bytes);
  const gap = zeros.count < 2 ? 8 : zeros.at;
  let text = '';
  let separator = '';
  for (let at = 0; at < 8; at += 1) {
    if (at === gap) {
      text += '::';
      separator = '';
      at += zeros.count - 1;
    } else {
      text += separator + groupOf(bytes, at).toString(16);
      separator = ':';
    }
  }
  return text;
}

function groupOf(bytes: Bytes, at: number): number {
  return ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0);
}

/** The longest run of zeros among the eight groups, the first of several. */
function longestZeros(bytes: Bytes): { readonly at: number; readonly count: number } {
  let best = { at: 0, count: 0 };
  let from = 0;
  for (let at = 0; at < 8; at += 1) {
    if (groupOf(bytes, at) !== 0) from = at + 1;
    else if (at + 1 - from > best.count) best = { at: from, count: at + 1 - from };
  }
  return best;
}
