import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../../model/problem.ts';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import { type Issuer, signAuthority } from '../../../runtime/x509/certificate.ts';
import { type Brought, checkAuthorityBrought } from './brought.ts';
import type { AuthorityReason } from './reasons.ts';
import { inPhase, type Numbered, type Phase } from './rotation.ts';
import type { OpenAuthority } from './sign.ts';

/**
 * Authorities in a folder of the operator, two files each, in the forms that openssl writes and reads: `CLUSTER/PURPOSE.crt`, and `CLUSTER/PURPOSE.key`, a
 * PKCS #8 key encrypted by the passphrase (PBES2 with AES-256). Whoever has both files and the passphrase is the authority: the
 * folder belongs on no server. During a change of the authority there are two of them, `PURPOSE-2.crt` and so on, and `PURPOSE.json` says which signs.
 */

const authorityDays = 3650;
const dayMs = 86_400_000;
const shortestPassphrase = 16;
const mostBytes = 65_536;

/** Reads a passphrase: the first line of a file that nobody else may read. Throws InputError (`PassphraseUnfit`). */
export async function readPassphrase(file: string): Promise<string> {
  const text = await read(file, 'PassphraseUnfit', 'name a file with the passphrase on its first line');
  const [line = ''] = text.split(/\r?\n/);
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw fault(file, 'PassphraseUnfit', 'others may read the passphrase', `run: chmod 0600 ${file}`);
  if (line.length < shortestPassphrase)
    throw fault(
      file,
      'PassphraseUnfit',
      `the passphrase has ${line.length} characters`,
      `take at least ${shortestPassphrase}, e.g. by: openssl rand -base64 24`,
    );
  return line;
}

/** An authority that stands nowhere yet: to show what would be signed, or to be written. */
export function newAuthority(name: string, nowMs: number): OpenAuthority {
  const issuer: Issuer = { name: { commonName: name }, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  const validity = { from: new Date(nowMs - 3_600_000), until: new Date(nowMs + authorityDays * dayMs) };
  return { issuer, trusted: signAuthority(issuer, validity) };
}

/** Makes an authority, or throws InputError (`AuthorityExists`) when one of its files is there. */
export async function createAuthority(folder: string, name: string, passphrase: string, nowMs: number): Promise<void> {
  for (const end of ['key', 'crt', 'json']) {
    const file = join(folder, `${name}.${end}`);
    const fix = 'keep it: what it signed needs it; or name another folder';
    if (await exists(file)) throw fault(file, 'AuthorityExists', 'there is a file already', fix);
  }
  await writeAuthority(folder, name, passphrase, nowMs);
}

/**
 * One phase of the change of an authority; returns the names of the authorities, of which the first signs. Where it is known what servers got, a
 * phase that takes something away from them is refused before all of them have the one before. Throws InputError.
 */
export async function changeAuthority(
  folder: string,
  name: string,
  passphrase: string,
  change: { readonly phase: Phase; readonly nowMs: number; readonly write: boolean; readonly brought?: Brought },
): Promise<readonly string[]> {
  const { phase, nowMs, write, brought } = change;
  const before = await authorityFilesOf(folder, name);
  const authority = (await openAuthorities(folder, [name], passphrase, nowMs)).get(name);
  if (authority === undefined)
    throw fault(
      join(folder, `${name}.crt`),
      'AuthorityUnreadable',
      `there is no authority ${name} here`,
      'make it by `tideline fleet sign --create-authorities`',
    );
  const after = await inPhase(before, phase, async (file) => {
    const whole = `${dirname(name)}/${file}`;
    // A phase that was cut off has left files that nothing names: nobody believes them, and they are written again.
    if (write) await writeAuthority(folder, whole, passphrase, nowMs);
    return { name: file };
  });
  if (brought !== undefined && phase !== 'introduce' && after !== before)
    checkAuthorityBrought(name, authority, brought);
  const names = after.map((one) => one.name);
  if (!write) return names;
  await replaceFile(join(folder, `${name}.json`), `${JSON.stringify({ format: 1, authorities: names })}\n`);
  for (const gone of before.filter((one) => !names.includes(one.name)))
    for (const end of ['key', 'crt']) await rm(join(folder, dirname(name), `${gone.name}.${end}`), { force: true });
  return names;
}

/** The names of the files of an authority: the first signs, all are trusted. */
async function authorityFilesOf(folder: string, name: string): Promise<readonly Numbered[]> {
  const file = join(folder, `${name}.json`);
  if (!(await exists(file))) return [{ name: basename(name) }];
  const fix = `restore ${basename(file)} from a backup`;
  const text = await read(file, 'AuthorityUnreadable', fix);
  const names = namesIn(text);
  if (names === undefined) throw fault(file, 'AuthorityUnreadable', 'it names no authorities', fix);
  return names.map((one) => ({ name: one }));
}

function namesIn(text: string): readonly string[] | undefined {
  try {
    const value: { readonly format?: unknown; readonly authorities?: unknown } | null = JSON.parse(text);
    const names = value?.format === 1 ? value.authorities : undefined;
    const fit =
      Array.isArray(names) && names.length > 0 && names.every((name) => /^[a-z][-a-z0-9]*$/.test(String(name)));
    return fit ? names.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** The key is written first. */
async function writeAuthority(folder: string, name: string, passphrase: string, nowMs: number): Promise<void> {
  const { issuer, trusted } = newAuthority(name, nowMs);
  const key = issuer.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
  await replaceFile(join(folder, `${name}.key`), key);
  await replaceFile(join(folder, `${name}.crt`), trusted);
}

/** Opens authorities; of a name without files there is none in the result. Throws InputError for files that cannot be used. */
export async function openAuthorities(
  folder: string,
  names: readonly string[],
  passphrase: string,
  nowMs: number,
): Promise<ReadonlyMap<string, OpenAuthority>> {
  const opened = await Promise.all(names.map((name) => openAuthority(folder, name, passphrase, nowMs)));
  return new Map(names.flatMap((name, index) => (opened[index] === undefined ? [] : [[name, opened[index]] as const])));
}

async function openAuthority(
  folder: string,
  name: string,
  passphrase: string,
  nowMs: number,
): Promise<OpenAuthority | undefined> {
  const [signs, ...others] = await authorityFilesOf(folder, name);
  const signing = `${dirname(name)}/${signs?.name ?? ''}`;
  const file = join(folder, `${signing}.crt`);
  const keyFile = join(folder, `${signing}.key`);
  if (!(await exists(file)) && !(await exists(keyFile))) return undefined;
  const fix = `restore both files of the authority ${name} from a backup`;
  const certificate = await read(file, 'AuthorityUnreadable', fix);
  const sealed = await read(keyFile, 'AuthorityUnreadable', fix);
  const holder = certificateIn(file, certificate, fix);
  const privateKey = openKey(keyFile, sealed, passphrase);
  if (!holder.ca || !holder.checkPrivateKey(privateKey))
    throw fault(file, 'AuthorityUnreadable', `the certificate is not that of the key in ${keyFile}`, fix);
  if (holder.validToDate.getTime() < nowMs)
    throw fault(
      file,
      'AuthorityEnds',
      `the authority ended on ${holder.validToDate.toISOString()}`,
      'make a new one under another name',
    );
  const also = others.map((other) =>
    read(join(folder, dirname(name), `${other.name}.crt`), 'AuthorityUnreadable', fix),
  );
  const trusted = [certificate, ...(await Promise.all(also))].map((pem) => `${pem.trimEnd()}\n`).join('');
  return {
    trusted,
    issuer: { name: { commonName: signing }, publicKey: createPublicKey(privateKey), privateKey },
  };
}

function certificateIn(file: string, text: string, fix: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw fault(file, 'AuthorityUnreadable', messageOf(error), fix);
  }
}

function openKey(file: string, sealed: string, passphrase: string): KeyObject {
  // A key that is not sealed would be opened by any passphrase, and somebody has taken the seal off.
  if (!sealed.startsWith('-----BEGIN ENCRYPTED PRIVATE KEY-----'))
    throw fault(
      file,
      'AuthorityUnreadable',
      'the key is not encrypted',
      `run: openssl pkcs8 -topk8 -in ${file} -out ${file}`,
    );
  try {
    return createPrivateKey({ key: sealed, passphrase });
  } catch {
    throw fault(
      file,
      'AuthorityLocked',
      'the passphrase does not open the key',
      'give the passphrase that it was made with',
    );
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function read(file: string, reason: AuthorityReason, fix: string): Promise<string> {
  try {
    return (await readBounded(file, mostBytes)).toString();
  } catch (error) {
    throw fault(file, reason, messageOf(error), fix);
  }
}

function fault(file: string, reason: AuthorityReason, message: string, fix: string): InputError {
  return new InputError([{ reason, file, message, fix }]);
}
