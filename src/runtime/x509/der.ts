/** The few kinds of DER (X.690) that a certificate is made of. */

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes = Buffer.from(value.toString(16).padStart(value > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => element(0x31, ...items);
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));
export const octets = (value: Uint8Array): Buffer => element(0x04, value);
export const bits = (value: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.from([unused]), value);
export const utf8 = (value: string): Buffer => element(0x0c, Buffer.from(value, 'utf8'));

/** A positive integer, given as bytes with the most significant first. */
export function integer(value: Uint8Array): Buffer {
  const negative = ((value[0] ?? 0) & 0x80) !== 0;
  return negative ? element(0x02, Buffer.from([0]), value) : element(0x02, value);
}

/** An explicit tag `[n]`, which wraps whole elements. */
export const explicit = (n: number, content: Uint8Array): Buffer => element(0xa0 | n, content);

/** An implicit tag `[n]`, in place of the tag that the bytes would have. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content);

/** An object identifier, `1.2.840.10045.4.3.2`. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** A time in whole seconds: UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(value: Date): Buffer {
  const digits = value.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return value.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}
