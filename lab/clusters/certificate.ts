import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SelfMadeCertificate {
  readonly chain: string;
  readonly key: string;
  /** The certificate and its key as files, for programs that read files. */
  readonly chainFile: string;
  readonly keyFile: string;
}

/** Makes a self-signed certificate for the host names, valid for a month; clients trust exactly this one. Needs openssl. */
export async function makeCertificate(folder: string, hosts: readonly string[]): Promise<SelfMadeCertificate> {
  await mkdir(folder, { recursive: true });
  const chainFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  const names = hosts.map((host) => `DNS:${host}`).join(',');
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30'.split(' ');
  const subject = ['-subj', `/CN=${hosts[0]}`, '-addext', `subjectAltName=${names}`];
  await run('openssl', [...kind, ...subject, '-keyout', keyFile, '-out', chainFile]);
  const [chain, key] = await Promise.all([readFile(chainFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { chain, key, chainFile, keyFile };
}
