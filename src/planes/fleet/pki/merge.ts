import type { ServerDocument } from '../compile/document.ts';
import type { SignedFolder } from './folder.ts';

/** The document with the certificates that are signed for its server, and those of its authorities, as far as there are any. */
export function withCertificates(
  document: ServerDocument,
  { certificates, authorities }: SignedFolder,
): ServerDocument {
  const own = certificates.get(document.server.id) ?? {};
  const { pki } = document;
  return {
    ...document,
    pki: {
      ...pki,
      certificates: mapped(pki.certificates, (one, path) => withPem(one, own[path])),
      authorities: mapped(pki.authorities, (one) => withPem(one, authorities[one.authority])),
    },
  };
}

function withPem<T extends object>(one: T, pem: string | undefined): T {
  return pem === undefined ? one : { ...one, pem };
}

function mapped<T>(
  table: Readonly<Record<string, T>>,
  change: (one: T, path: string) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(table).map(([path, one]) => [path, change(one, path)]));
}
