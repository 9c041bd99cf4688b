import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { bits, boolean, explicit, identifier, implicit, integer, octets, sequence, set, time, utf8 } from './der.ts';

/** A key on P-256 and its certificate, both PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** Signs certificates. node:crypto reads X.509 but cannot write it, and a process of openssl costs more than all of these. */
export interface Authority extends Issued {
  issue(subject: CertificateSubject): Issued;
}

export interface CertificateSubject {
  readonly commonName: string;
  readonly organisations?: readonly string[];
  /** Names and addresses that it serves; with none it is a client's certificate only. */
  readonly hosts?: readonly string[];
  /** How long the certificate is valid from now; default 30 days. */
  readonly validSeconds?: number;
}

/** A self-signed authority, valid for 30 days. */
export function createAuthority(commonName: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = keyIdentifier(keys.publicKey);
  const issuer = { name: distinguishedName(commonName, []), key, privateKey: keys.privateKey };
  const certificate = signCertificate(issuer, issuer.name, keys.publicKey, authorityExtensions(key), defaultSeconds);
  return {
    certificate,
    key: privatePem(keys.privateKey),
    issue(subject) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const name = distinguishedName(subject.commonName, subject.organisations ?? []);
      const extensions = leafExtensions(subject.hosts ?? [], keyIdentifier(own.publicKey), key);
      return {
        certificate: signCertificate(issuer, name, own.publicKey, extensions, subject.validSeconds ?? defaultSeconds),
        key: privatePem(own.privateKey),
      };
    },
  };
}

interface Issuer {
  readonly name: Buffer;
  readonly key: Buffer;
  readonly privateKey: KeyObject;
}

const defaultSeconds = 30 * 86_400;
/**
 * Certificates are valid from a minute ago. All namespaces share one clock, but certificates have whole seconds only, and one
 * whose time has not begun is refused.
 */
const backdateMs = 60_000;
const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));

/** A signed certificate (RFC 5280, 4.1), PEM. */
function signCertificate(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  extensions: Buffer,
  validSeconds: number,
): string {
  const now = Date.now();
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    issuer.name,
    sequence(time(new Date(now - backdateMs)), time(new Date(now + validSeconds * 1000))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions),
  );
  const whole = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.privateKey)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string, organisations: readonly string[]): Buffer {
  const part = (type: string, value: string): Buffer => set(sequence(identifier(type), utf8(value)));
  return sequence(...organisations.map((name) => part('2.5.4.10', name)), part('2.5.4.3', commonName));
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return sequence(identifier(type), ...(critical ? [boolean(true)] : []), octets(value));
}

function authorityExtensions(key: Buffer): Buffer {
  const signsCertificates = bits(Buffer.from([0b0000_0110]), 1);
  return sequence(
    extension('2.5.29.19', true, sequence(boolean(true))),
    extension('2.5.29.15', true, signsCertificates),
    extension('2.5.29.14', false, octets(key)),
  );
}

function leafExtensions(hosts: readonly string[], key: Buffer, authorityKey: Buffer): Buffer {
  const signsHandshakes = bits(Buffer.from([0b1000_0000]), 7);
  const uses = [...(hosts.length > 0 ? ['1.3.6.1.5.5.7.3.1'] : []), '1.3.6.1.5.5.7.3.2'];
  return sequence(
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, signsHandshakes),
    extension('2.5.29.37', false, sequence(...uses.map(identifier))),
    extension('2.5.29.14', false, octets(key)),
    extension('2.5.29.35', false, sequence(implicit(0, authorityKey))),
    ...(hosts.length > 0 ? [extension('2.5.29.17', false, sequence(...hosts.map(alternativeName)))] : []),
  );
}

function alternativeName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host)) : implicit(7, Buffer.from(ipaddr.parse(host).toByteArray()));
}

/** The key identifier (RFC 5280, 4.2.1.2), here a hash of the whole SubjectPublicKeyInfo, which is as unique. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
