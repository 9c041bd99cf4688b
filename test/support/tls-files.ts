import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authority, CertificateSubject } from '../../lab/control-plane/pki/certificate.ts';
import type { TlsFiles } from '../../src/runtime/tls/material.ts';

/** The certificate, key and CA files of one program, in a folder of their own. */
export interface TlsFolder {
  readonly files: TlsFiles;
  /** The options that name the files. */
  readonly options: readonly string[];
  /** Replaces one of them. */
  write(which: keyof TlsFiles, text: string): void;
  remove(): void;
}

export function tlsFolder(authority: Authority, subject: CertificateSubject): TlsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'tideline-tls-'));
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
  const { certificate, key } = authority.issue(subject);
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.ca, authority.certificate);
  return {
    files,
    options: ['--tls-cert', files.cert, '--tls-key', files.key, '--tls-ca', files.ca],
    write: (which, text) => writeFileSync(files[which], text),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
