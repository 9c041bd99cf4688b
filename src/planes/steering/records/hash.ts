/**
 * A short name for a content: 64 bits of FNV-1a in base 36. Equal content has an equal name on every machine and in every
 * run; the name does not protect against forgery.
 */
export function contentName(content: string): string {
  // The hash in four parts of 16 bits, the highest last: products of big integers would take most of the time of a plan.
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const byte of encoder.encode(content)) {
    a ^= byte;
    // Times the prime 2^40 + 0x1b3, modulo 2^64; 2^40 is two parts and eight bits.
    const low = a * 0x1b3;
    const second = b * 0x1b3 + (low >>> 16);
    const third = c * 0x1b3 + (a << 8) + (second >>> 16);
    d = (d * 0x1b3 + (b << 8) + (third >>> 16)) & 0xffff;
    [a, b, c] = [low & 0xffff, second & 0xffff, third & 0xffff];
  }
  const hash = [d, c, b, a].reduce((sum, part) => (sum << 16n) | BigInt(part), 0n);
  return hash.toString(36).padStart(13, '0');
}

const encoder = new TextEncoder();
