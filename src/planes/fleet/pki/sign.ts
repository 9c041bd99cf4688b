import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { parseAddress } from '../../../model/address.ts';
import { compareText } from '../../../model/values.ts';
import { type Issuer, type LeafContent, signLeaf, usageIdentifiers } from '../../../runtime/x509/certificate.ts';
import type { PlannedCertificate } from '../compile/certificates.ts';
import type { SignReason, SignRefusal } from './reasons.ts';

/** PEM texts of one server by path. */
export type Pems = Readonly<Record<string, string>>;

/** An authority whose key is open. */
export interface OpenAuthority {
  readonly issuer: Issuer;
  /** What servers are to trust, PEM: its certificate first, and during a change of the authority that of the other one. */
  readonly trusted: string;
}

export interface SigningInput {
  /** The certificates that the spec wants, by server. Nothing else decides what a certificate says. */
  readonly planned: ReadonlyMap<string, readonly PlannedCertificate[]>;
  /** Public keys that the servers handed in, by server and path of the private key. */
  readonly publicKeys: ReadonlyMap<string, Pems>;
  /** Certificates that were signed before, by server and path. */
  readonly present: ReadonlyMap<string, Pems>;
  readonly authorities: ReadonlyMap<string, OpenAuthority>;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** A certificate that was signed now, and why. */
export interface Signed {
  readonly server: string;
  readonly path: string;
  readonly reason: SignReason;
  readonly pem: string;
}

export interface Unsigned {
  readonly server: string;
  readonly path: string;
  readonly reason: SignRefusal;
  readonly message: string;
}

export interface Signing {
  /** Everything that is valid after it, by server and path: what was kept and what was signed. */
  readonly certificates: ReadonlyMap<string, Pems>;
  readonly signed: readonly Signed[];
  readonly refused: readonly Unsigned[];
}

const dayMs = 86_400_000;
const leafDays = 365;
/** Clocks of servers differ, and a certificate whose time has not begun is refused. */
const backdateMs = 3_600_000;

/**
 * Signs what has a reason to be signed and keeps the rest, so that a second call signs nothing. What a server hands in is its
 * public key, and no more is believed of it: a server that asks for another name or group is not even heard.
 */
export function signAll(input: SigningInput): Signing {
  const { shared, fits } = sortKeys(input);
  const signed: Signed[] = [];
  const refused: Unsigned[] = [];
  const certificates = new Map<string, Pems>();
  for (const [server, planned] of [...input.planned].sort(([a], [b]) => compareText(a, b))) {
    const pems: Record<string, string> = {};
    for (const one of planned) {
      const refuse = (reason: SignRefusal, message: string) =>
        refused.push({ server, path: one.path, reason, message });
      const authority = input.authorities.get(one.authority);
      const text = input.publicKeys.get(server)?.[one.key];
      const before = input.present.get(server)?.[one.path];
      const other = shared.get(placeOf(server, one.key));
      const key = fits.get(placeOf(server, one.key));
      if (before !== undefined) pems[one.path] = before;
      if (authority === undefined) refuse('AuthorityMissing', `there is no authority ${one.authority}`);
      else if (text === undefined) refuse('KeyMissing', `${server} has not handed in the public key of ${one.key}`);
      else if (key === undefined) refuse('KeyUnfit', `what ${server} handed in for ${one.key} is no key to sign`);
      else if (other !== undefined) refuse('KeyShared', `${server} has the key of ${one.key} in common with ${other}`);
      else {
        const reason = whySign({ planned: one, before, key, authority, nowMs: input.nowMs });
        if (reason === undefined) continue;
        const pem = signLeaf(authority.issuer, contentOf(one, input.nowMs), key);
        pems[one.path] = pem;
        signed.push({ server, path: one.path, reason, pem });
      }
    }
    certificates.set(server, pems);
  }
  return { certificates, signed, refused };
}

function placeOf(server: string, path: string): string {
  return `${server}:${path}`;
}

/**
 * The keys that may be signed, and for those that two places have, the other place. A server that hands in nothing now, because another wave has
 * its turn, holds the keys that its certificates were signed for.
 */
function sortKeys({ publicKeys, present, planned }: SigningInput) {
  const fits = new Map<string, KeyObject>();
  const shared = new Map<string, string>();
  const holders = new Map<string, string>();
  for (const [server, certificates] of planned)
    for (const { key, path } of publicKeys.has(server) ? [] : certificates) {
      const bytes = keyOf(present.get(server)?.[path]);
      if (bytes !== undefined) holders.set(bytes, placeOf(server, key));
    }
  for (const [server, pems] of [...publicKeys].sort(([a], [b]) => compareText(a, b)))
    for (const [path, pem] of Object.entries(pems)) {
      const place = placeOf(server, path);
      const key = fitKey(pem);
      if (key === undefined) continue;
      fits.set(place, key);
      const bytes = bytesOf(key);
      const first = holders.get(bytes);
      if (first === undefined) holders.set(bytes, place);
      else {
        shared.set(place, first);
        shared.set(first, place);
      }
    }
  return { fits, shared };
}

function bytesOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** The key that a certificate was signed for. */
function keyOf(pem: string | undefined): string | undefined {
  const key = pem === undefined ? undefined : certificateOf(pem)?.publicKey;
  return key === undefined ? undefined : bytesOf(key);
}

function fitKey(pem: string): KeyObject | undefined {
  // A private key has a public one in it, and createPublicKey would take that: a private key must never come here.
  if (!/^-----BEGIN PUBLIC KEY-----\r?\n/.test(pem)) return undefined;
  try {
    const key = createPublicKey(pem);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
    const fit =
      (type === 'ec' && details?.namedCurve === 'prime256v1') ||
      (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048);
    return fit ? key : undefined;
  } catch {
    return undefined;
  }
}

interface Question {
  readonly planned: PlannedCertificate;
  readonly before: string | undefined;
  readonly key: KeyObject;
  readonly authority: OpenAuthority;
  readonly nowMs: number;
}

function whySign({ planned, before, key, authority, nowMs }: Question): SignReason | undefined {
  if (before === undefined) return 'CertificateMissing';
  const read = certificateOf(before);
  if (read === undefined) return 'CertificateUnreadable';
  if (!read.publicKey.equals(key)) return 'KeyChanged';
  if (!read.verify(authority.issuer.publicKey)) return 'AuthorityChanged';
  if (textOf(read) !== plannedText(planned)) return 'ContentChanged';
  const [from, until] = [read.validFromDate.getTime(), read.validToDate.getTime()];
  return until - nowMs < (until - from) / 3 ? 'CertificateEndsSoon' : undefined;
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function contentOf(planned: PlannedCertificate, nowMs: number): LeafContent {
  const { commonName, organization, usages, dnsNames, addresses } = planned;
  return {
    commonName,
    ...(organization === undefined ? {} : { organisations: [organization] }),
    usages,
    hosts: [...dnsNames, ...addresses],
    from: new Date(nowMs - backdateMs),
    until: new Date(nowMs + leafDays * dayMs),
  };
}

/** What a planned certificate says, in a form to compare. */
function plannedText({ commonName, organization, usages, dnsNames, addresses }: PlannedCertificate): string {
  return JSON.stringify([
    [...(organization === undefined ? [] : [`O=${organization}`]), `CN=${commonName}`],
    usages.map((usage) => usageIdentifiers[usage]).sort(compareText),
    [...dnsNames.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${canonical(address)}`)].sort(
      compareText,
    ),
  ]);
}

/** The same of a certificate. */
function textOf({ subject, keyUsage, subjectAltName }: X509Certificate): string {
  const names = (subjectAltName ?? '').split(', ').filter((name) => name !== '');
  return JSON.stringify([
    subject.split('\n'),
    [...keyUsage].sort(compareText),
    names
      .map((name) => name.replace(/^IP Address:(.*)$/, (_, address: string) => `IP:${canonical(address)}`))
      .sort(compareText),
  ]);
}

function canonical(address: string): string {
  return parseAddress(address)?.text ?? address;
}
