import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { bits, boolean, explicit, identifier, implicit, integer, octets, sequence, set, time, utf8 } from './der.ts';

/**
 * Writes X.509 certificates (RFC 5280). node:crypto reads them and cannot write one; of the libraries that can, the maintained one
 * brings nineteen packages with it (decision 146).
 */

/** Who a certificate is for, in the order of the subject: organisations, then the common name. */
export interface DistinguishedName {
  readonly commonName: string;
  readonly organisations?: readonly string[];
}

/** From when until when a certificate is valid; whole seconds count. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

export interface LeafContent extends DistinguishedName, Validity {
  readonly usages: readonly ('client' | 'server')[];
  /** DNS names and IP addresses that it serves. */
  readonly hosts: readonly string[];
}

/** Who signs: the name and the key of an authority, on P-256. */
export interface Issuer {
  readonly name: DistinguishedName;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate for the holder of `publicKey`, PEM. It signs no other certificate. */
export function signLeaf(issuer: Issuer, content: LeafContent, publicKey: KeyObject): string {
  return signed(issuer, content, publicKey, leafExtensions(content, publicKey, issuer.publicKey));
}

/** The certificate of an authority by itself, PEM. It signs leaves only, no further authority. */
export function signAuthority(authority: Issuer, validity: Validity): string {
  const extensions = authorityExtensions(keyIdentifier(authority.publicKey));
  return signed(authority, { ...authority.name, ...validity }, authority.publicKey, extensions);
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));

function signed(
  issuer: Issuer,
  subject: DistinguishedName & Validity,
  publicKey: KeyObject,
  extensions: Buffer,
): string {
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    // Sixteen bytes that begin with 1, so that the number is positive and never shorter.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(time(subject.from), time(subject.until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions),
  );
  const whole = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.privateKey)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf({ commonName, organisations = [] }: DistinguishedName): Buffer {
  const part = (type: string, value: string): Buffer => set(sequence(identifier(type), utf8(value)));
  return sequence(...organisations.map((name) => part('2.5.4.10', name)), part('2.5.4.3', commonName));
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return sequence(identifier(type), ...(critical ? [boolean(true)] : []), octets(value));
}

function authorityExtensions(key: Buffer): Buffer {
  const signsCertificates = bits(Buffer.from([0b0000_0110]), 1);
  return sequence(
    extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
    extension('2.5.29.15', true, signsCertificates),
    extension('2.5.29.14', false, octets(key)),
  );
}

/** Extended key usages (RFC 5280, 4.2.1.12), by what a certificate is for. */
export const usageIdentifiers = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

function leafExtensions({ hosts, usages }: LeafContent, key: KeyObject, authorityKey: KeyObject): Buffer {
  const signsHandshakes = bits(Buffer.from([0b1000_0000]), 7);
  return sequence(
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, signsHandshakes),
    extension('2.5.29.37', false, sequence(...usages.map((usage) => identifier(usageIdentifiers[usage])))),
    extension('2.5.29.14', false, octets(keyIdentifier(key))),
    extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(authorityKey)))),
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
