import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Secret } from '../../../kube/kinds/secret.ts';
import type { CertificateReader, CertificateReading } from '../compile/tls.ts';
import type { EdgeReason } from '../reasons.ts';

const maxCertificateBytes = 256 * 1024;
const maxChain = 16;
const pemCertificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const base64 = /^[A-Za-z0-9+/\s]*=*\s*$/;

/**
 * The certificate reader of an agent: parses, checks and writes both parts anew, so that only what the crypto library
 * printed reaches nginx. Readings are kept by Secret object: one that was read before is not parsed again.
 */
export function createCertificateReader(): CertificateReader {
  const known = new WeakMap<Secret, CertificateReading>();
  return (secret) => {
    const before = known.get(secret);
    if (before !== undefined) return before;
    const reading = readCertificate(secret);
    known.set(secret, reading);
    return reading;
  };
}

function readCertificate(secret: Secret): CertificateReading {
  const name = `Secret ${secret.metadata.namespace ?? 'default'}/${secret.metadata.name}`;
  const chain = readChain(decode(secret.data?.['tls.crt']));
  if (chain === undefined || chain[0] === undefined)
    return refuse('CertificateUnreadable', `tls.crt of ${name} holds no readable PEM certificate`);
  const key = readKey(decode(secret.data?.['tls.key']));
  if (key === undefined) return refuse('CertificateKeyUnreadable', `tls.key of ${name} holds no readable PEM key`);
  if (!chain[0].checkPrivateKey(key))
    return refuse('CertificateKeyMismatch', `tls.key of ${name} does not belong to its first certificate`);
  if (!isStrong(key)) return refuse('CertificateKeyWeak', `tls.key of ${name} is a key that OpenSSL refuses`);
  const chainText = chain.map((certificate) => certificate.toString()).join('');
  const keyText = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const id = createHash('sha256').update(chainText).update(keyText).digest('hex').slice(0, 32);
  return { ok: true, certificate: { id, chain: chainText, key: keyText } };
}

function decode(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > maxCertificateBytes * 2 || !base64.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('latin1');
}

function readChain(pem: string | undefined): readonly X509Certificate[] | undefined {
  const blocks = pem?.match(pemCertificate) ?? [];
  if (blocks.length > maxChain) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function readKey(pem: string | undefined): KeyObject | undefined {
  try {
    return pem === undefined ? undefined : createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** Whether a key meets Debian's OpenSSL security level 2: RSA from 2048 bits, or an elliptic curve. */
function isStrong(key: KeyObject): boolean {
  if (key.asymmetricKeyType === 'rsa') return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  return key.asymmetricKeyType === 'ec' || key.asymmetricKeyType === 'ed25519';
}

function refuse(reason: EdgeReason, message: string): CertificateReading {
  return { ok: false, fault: { reason, message } };
}
