import { X509Certificate } from 'node:crypto';

export interface Authority {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
/** A chain that is longer is none of a client's. */
const longestChain = 4;
/** Extended key usage: client authentication. */
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** The certificates of a PEM bundle. Throws where one cannot be read. */
export function authoritiesIn(bundle: string): readonly Authority[] {
  return [...bundle.matchAll(block)].map(([pem]) => ({ pem, certificate: new X509Certificate(pem) }));
}

/** Whether one of these authorities issued the certificate for a client, and everything in between is valid at this moment. */
export function isClientOf(leaf: X509Certificate, authorities: readonly Authority[], nowMs: number): boolean {
  return leaf.keyUsage?.includes(clientAuth) === true && isIssued(leaf, { authorities, nowMs, depth: 0 });
}

interface Chain {
  readonly authorities: readonly Authority[];
  readonly nowMs: number;
  readonly depth: number;
}

function isIssued(one: X509Certificate, { authorities, nowMs, depth }: Chain): boolean {
  if (depth > longestChain || !isValidAt(one, nowMs)) return false;
  const signs = (issuer: X509Certificate): boolean =>
    issuer.ca && one.checkIssued(issuer) && one.verify(issuer.publicKey);
  if (authorities.some(({ certificate }) => isValidAt(certificate, nowMs) && signs(certificate))) return true;
  // What the client sent along with its own.
  const between = one.issuerCertificate;
  if (between === undefined || between.fingerprint256 === one.fingerprint256 || !signs(between)) return false;
  return isIssued(between, { authorities, nowMs, depth: depth + 1 });
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

/** The common name and the organisations of a certificate's subject. */
export function subjectOf(certificate: X509Certificate): {
  readonly name: string;
  readonly organisations: readonly string[];
} {
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<
    Record<string, string | readonly string[] | undefined>
  >;
  const all = (value: string | readonly string[] | undefined): readonly string[] =>
    value === undefined ? [] : typeof value === 'string' ? [value] : value;
  return { name: all(subject['CN']).at(-1) ?? '', organisations: all(subject['O']) };
}
