import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { messageOf } from '../../model/values.ts';
import { readBounded } from '../bounded-file.ts';
import { type CredentialLife, certificateLife } from './life.ts';

/** The paths of three PEM files: the certificate with what it was issued by, its key, and the CA whose certificates are believed. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** What the files hold, checked. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly life: CredentialLife;
  /** For connections that this program opens. */
  readonly outward: SecureContext;
}

/** Why the files cannot be used. The message names the file, and nothing of what a key holds. */
export class UnusableTlsFiles extends Error {
  override readonly name = 'UnusableTlsFiles';
}

/** Older versions are not spoken. */
export const minVersion = 'TLSv1.2';
/** A chain of ten certificates has some twenty KiB. */
const maxBytes = 256 << 10;

/**
 * Reads the files. A certificate that has ended, or is not valid yet, can be used: others refuse it, and say so. Rejects with
 * UnusableTlsFiles.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([read(files.cert), read(files.key), read(files.ca)]);
  const leaf = parsed(files.cert, 'certificate', () => new X509Certificate(cert));
  // The message of OpenSSL may quote what it could not parse.
  const secret = parsed(files.key, 'private key without a passphrase', () => createPrivateKey(key), false);
  parsed(files.ca, 'certificate', () => authoritiesIn(ca));
  return joined(files, { cert, key, ca }, leaf, secret);
}

function joined(
  files: TlsFiles,
  pem: Pick<TlsMaterial, 'cert' | 'key' | 'ca'>,
  leaf: X509Certificate,
  secret: KeyObject,
): TlsMaterial {
  if (!leaf.checkPrivateKey(secret)) throw new UnusableTlsFiles(`${files.key} is not the key of ${files.cert}`);
  const life = certificateLife(pem.cert);
  if (life === undefined) throw new UnusableTlsFiles(`${files.cert} does not say how long it is valid`);
  const outward = parsed(files.cert, 'chain that OpenSSL takes', () => createSecureContext({ ...pem, minVersion }));
  return { ...pem, life, outward };
}

async function read(path: string): Promise<string> {
  try {
    return (await readBounded(path, maxBytes)).toString('utf8');
  } catch (error) {
    throw new UnusableTlsFiles(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** With an empty `ca` Node would believe every public authority. */
function authoritiesIn(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('it holds none');
  for (const block of blocks) if (!new X509Certificate(block).ca) throw new Error('one in it is not that of a CA');
}

function parsed<T>(path: string, what: string, parse: () => T, quoted = true): T {
  try {
    return parse();
  } catch (error) {
    throw new UnusableTlsFiles(`${path} holds no ${what}${quoted ? `: ${messageOf(error)}` : ''}`);
  }
}
