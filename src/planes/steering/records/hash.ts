/**
 * A short name for a content: 64 bits of FNV-1a in base 36. Equal content has an equal name on every machine and in every
 * run; the name does not protect against forgery.
 */
export function contentName(content: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(content)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(36).padStart(13, '0');
}
