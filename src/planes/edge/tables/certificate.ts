import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Secret } from '../../../kube/kinds/secret.ts';
import type { CertificateFacts } from '../compile/last-good.ts';
import type { CertificateReader, CertificateReading } from '../compile/tls.ts';
import type { EdgeReason, EdgeRefusal } from '../reasons.ts';

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
  const fault = chain
    .map((certificate, index) => faultOf(certificate, index, name))
    .find((found) => found !== undefined);
  if (fault !== undefined) return { ok: false, fault };
  const chainText = chain.map((certificate) => certificate.toString()).join('');
  const keyText = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const id = createHash('sha256').update(chainText).update(keyText).digest('hex').slice(0, 32);
  return { ok: true, certificate: { id, chain: chainText, key: keyText }, facts: factsOf(chain[0]) };
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

/**
 * Why OpenSSL at security level 2, Debian's default, would refuse a certificate of a chain at the handshake, when it is
 * too late: the client gets no answer at all. Node's own OpenSSL lets some of these pass, so the rules stand here; what
 * they miss `nginx/lua/validate.lua` finds, which asks the OpenSSL of nginx.
 */
function faultOf(certificate: X509Certificate, index: number, name: string): EdgeRefusal | undefined {
  const what = index === 0 ? `the certificate in tls.crt of ${name}` : `certificate ${index + 1} in tls.crt of ${name}`;
  const wrong = keyFault(certificate.publicKey, index === 0);
  if (wrong !== undefined) return { reason: 'CertificateKeyWeak', message: `${what} has a key of ${wrong}` };
  const signature = certificate.signatureAlgorithm ?? certificate.signatureAlgorithmOid;
  if (!weakDigest.test(signature) || isSelfSigned(certificate)) return undefined;
  return { reason: 'CertificateSignatureWeak', message: `${what} is signed with ${signature}` };
}

/** The names that OpenSSL gives to signatures with these digests, in which SHA-1 has no dash: `sha1WithRSAEncryption`. */
const weakDigest = /md[245]|sha1(?!\d)|rmd160|ripemd/i;
/** The curves that OpenSSL offers a client: with any other, client and server share no way to sign. */
const usualCurves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Above this a signature costs so much (8192 bits: ten times as much as 4096) that handshakes of one host hold up all others. */
const longestRsaBits = 4096;

function keyFault(key: KeyObject, leaf: boolean): string | undefined {
  const { modulusLength: bits = 0, namedCurve = 'no name' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return bits < 2048 || (leaf && bits > longestRsaBits) ? `${bits} bits (RSA)` : undefined;
    case 'ec':
      return leaf && !usualCurves.has(namedCurve) ? `the curve ${namedCurve}` : undefined;
    case 'ed25519':
      return undefined;
    default:
      return leaf ? `type ${key.asymmetricKeyType ?? 'unknown'}` : undefined;
  }
}

/** OpenSSL does not look at the signature of such a certificate, because it says nothing. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.checkIssued(certificate);
}

/** A certificate without names in subjectAltName is for its common name, as OpenSSL sees it. */
function factsOf(certificate: X509Certificate): CertificateFacts {
  const named = [...(certificate.subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name]) => name);
  const common = /^CN=(.+)$/m.exec(certificate.subject ?? '')?.[1];
  const names = named.length > 0 ? named : [common];
  return {
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    names: names.filter((name) => name !== undefined).map((name) => name.toLowerCase()),
  };
}

function refuse(reason: EdgeReason, message: string): CertificateReading {
  return { ok: false, fault: { reason, message } };
}
