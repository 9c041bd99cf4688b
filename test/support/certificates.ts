import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

export interface Wish {
  readonly name: string;
  /** Options of `openssl genpkey`. Default: an RSA key of 2048 bits. */
  readonly key?: readonly string[];
  /** Default `sha256`. */
  readonly digest?: string;
  /** Default: itself. */
  readonly issuer?: Issued;
  /** An authority may issue others. */
  readonly authority?: boolean;
  /** Makes the certificate long. */
  readonly comment?: string;
  /** Days from now until it ends; default 30. */
  readonly days?: number;
}

export const rsa = (bits: number): readonly string[] => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];
export const ec = (curve: string): readonly string[] => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`];

/** Issues a certificate with the OpenSSL of this machine, which signs what no library of Node would: SHA-1, short keys. */
export async function issue({
  name,
  key = rsa(2048),
  digest = 'sha256',
  issuer,
  authority,
  comment,
  days = 30,
}: Wish): Promise<Issued> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const file = (suffix: string): string => join(folder, suffix);
  try {
    await run('openssl', ['genpkey', ...key, '-out', file('key')]);
    const extensions = authority === true ? 'basicConstraints=critical,CA:TRUE' : `subjectAltName=DNS:${name}`;
    const more = comment === undefined ? '' : `nsComment=${comment}\n`;
    await writeFile(file('extensions'), `${extensions}\n${more}`);
    const request = ['req', '-new', '-key', file('key'), '-subj', `/CN=${name}`, '-out', file('request')];
    await run('openssl', request);
    const signing = ['x509', '-req', '-in', file('request'), '-days', String(days), '-extfile', file('extensions')];
    if (issuer === undefined) signing.push('-signkey', file('key'));
    else {
      await writeFile(file('ca.crt'), issuer.certificate);
      await writeFile(file('ca.key'), issuer.key);
      signing.push('-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial');
    }
    // An Ed25519 or Ed448 issuer has a digest of its own.
    await run('openssl', [...signing, `-${digest}`, '-out', file('crt')]);
    return { certificate: await readFile(file('crt'), 'utf8'), key: await readFile(file('key'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The data of a TLS Secret. */
export function secretData(chain: string, key: string): { readonly 'tls.crt': string; readonly 'tls.key': string } {
  return { 'tls.crt': Buffer.from(chain).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') };
}
