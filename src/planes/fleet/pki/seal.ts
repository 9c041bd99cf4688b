import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

/**
 * A text under a passphrase, as JSON: AES-256-GCM with a key that scrypt makes of the passphrase, so that a text that was changed is
 * noticed. Salt and nonce are new at every sealing.
 */

/** 32 MiB of memory and some 50 ms a try: the passphrase has sixteen characters at least. */
const work = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };
const tagBytes = 16;

export function seal(text: string, passphrase: string): string {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32, work), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const [first, second, third] = [salt, nonce, sealed].map((bytes) => bytes.toString('base64'));
  return `${JSON.stringify({ format: 1, cipher: 'scrypt-aes-256-gcm', salt: first, nonce: second, sealed: third }, undefined, 1)}\n`;
}

/** `unreadable`: it is no sealed text. `locked`: another passphrase, or somebody changed it. */
export function unseal(
  sealed: string,
  passphrase: string,
): { readonly text: string } | { readonly reason: 'unreadable' | 'locked' } {
  const parts = partsOf(sealed);
  if (parts === undefined) return { reason: 'unreadable' };
  try {
    const cipher = createDecipheriv('aes-256-gcm', scryptSync(passphrase, parts.salt, 32, work), parts.nonce);
    cipher.setAuthTag(parts.sealed.subarray(-tagBytes));
    return { text: Buffer.concat([cipher.update(parts.sealed.subarray(0, -tagBytes)), cipher.final()]).toString() };
  } catch {
    return { reason: 'locked' };
  }
}

function partsOf(text: string): Record<'salt' | 'nonce' | 'sealed', Buffer> | undefined {
  let value: Partial<Record<string, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const bytes = (name: string) => Buffer.from(typeof value?.[name] === 'string' ? value[name] : '', 'base64');
  const parts = { salt: bytes('salt'), nonce: bytes('nonce'), sealed: bytes('sealed') };
  const fit = value?.['format'] === 1 && parts.nonce.length === 12 && parts.sealed.length >= tagBytes;
  return fit ? parts : undefined;
}
