import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Issuer, signAuthority, signLeaf, type Validity } from '../../../src/runtime/x509/certificate.ts';

/** A key on P-256 and its certificate, both PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** Makes keys and signs their certificates. */
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
  const issuer: Issuer = { name: { commonName }, ...newKeys() };
  return {
    certificate: signAuthority(issuer, validFor(defaultSeconds)),
    key: privatePem(issuer.privateKey),
    issue({ validSeconds = defaultSeconds, hosts = [], ...name }) {
      const own = newKeys();
      const usages = hosts.length > 0 ? (['server', 'client'] as const) : (['client'] as const);
      const content = { ...name, ...validFor(validSeconds), hosts, usages };
      return { certificate: signLeaf(issuer, content, own.publicKey), key: privatePem(own.privateKey) };
    },
  };
}

const defaultSeconds = 30 * 86_400;
/**
 * Certificates are valid from a minute ago. All namespaces share one clock, but certificates have whole seconds only, and one
 * whose time has not begun is refused.
 */
const backdateMs = 60_000;

function validFor(seconds: number): Validity {
  const now = Date.now();
  return { from: new Date(now - backdateMs), until: new Date(now + seconds * 1000) };
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
