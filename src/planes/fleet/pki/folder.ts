import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../model/problem.ts';
import { compareText, messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { PemReason } from './reasons.ts';
import type { Pems } from './sign.ts';

/**
 * Public keys and certificates as files: one JSON object a server, from the path on the server to a PEM text. Public keys come from the servers;
 * certificates lie in `certificates/` of the folder of documents, beside those of the authorities by name in `authorities.json`.
 */

const mostBytes = 2 ** 20;
const mostBytesOfAll = 64 * mostBytes;
const isServer = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const certificatesFolder = 'certificates';
const authoritiesFile = 'authorities.json';

/** What was signed, and the authorities that signed it. */
export interface SignedFolder {
  readonly certificates: ReadonlyMap<string, Pems>;
  /** Certificates of the authorities, PEM, by name. */
  readonly authorities: Pems;
}

/**
 * The public keys that servers handed in: a folder with a file for each, or one file with an object for each server, as Salt prints it. A
 * place that does not exist has none; a file that is no such object is an InputError.
 */
export async function readPublicKeys(place: string): Promise<ReadonlyMap<string, Pems>> {
  const isFile = await stat(place).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) return readServers(place);
  const servers = await readJson(place, mostBytesOfAll);
  const found = new Map<string, Pems>();
  for (const [server, pems] of Object.entries(servers ?? {})) {
    // Salt prints `false`, or a text, for a server that did not answer or could not: it has handed in nothing.
    if (isServer.test(server) && isPems(pems)) found.set(server, pems);
  }
  return found;
}

/** What `writeSigned` wrote into the folder of documents; nothing where there is none. */
export async function readSigned(folder: string): Promise<SignedFolder> {
  const authorities = await readPems(join(folder, authoritiesFile));
  return { certificates: await readServers(join(folder, certificatesFolder)), authorities: authorities ?? {} };
}

/** Writes the files that differ from `before`, each whole or not at all; none is removed. Resolves with how many were written. */
export async function writeSigned(folder: string, before: SignedFolder, after: SignedFolder): Promise<number> {
  await mkdir(join(folder, certificatesFolder), { recursive: true, mode: 0o700 });
  let written = 0;
  const write = async (file: string, old: Pems | undefined, pems: Pems): Promise<void> => {
    if (pemsText(old ?? {}) === pemsText(pems)) return;
    await replaceFile(file, pemsText(pems));
    written += 1;
  };
  // The authorities first: a server that gets a certificate must be able to know who signed it.
  await write(join(folder, authoritiesFile), before.authorities, after.authorities);
  for (const [server, pems] of after.certificates)
    await write(join(folder, certificatesFolder, `${server}.json`), before.certificates.get(server), pems);
  return written;
}

/** One object a server, by its name; a folder that does not exist has none. Throws InputError (`PemsUnreadable`), which quotes nothing. */
export async function readServers(folder: string): Promise<ReadonlyMap<string, Pems>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return [];
    throw fault(folder, messageOf(error));
  });
  const found = new Map<string, Pems>();
  for (const name of names.toSorted(compareText)) {
    const server = name.replace(/\.json$/, '');
    if (server === name || !isServer.test(server)) continue;
    const pems = await readPems(join(folder, name));
    if (pems !== undefined) found.set(server, pems);
  }
  return found;
}

/** Undefined when there is no such file. */
async function readPems(file: string): Promise<Pems | undefined> {
  const value = await readJson(file, mostBytes);
  if (value === undefined || isPems(value)) return value;
  throw fault(file, 'is no JSON object from paths to PEM texts');
}

function isPems(value: unknown): value is Pems {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined when there is no such file. */
async function readJson(file: string, most: number): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string;
  try {
    text = (await readBounded(file, most)).toString();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fault(file, messageOf(error));
  }
  const value = parsed(text);
  if (!isObject(value)) throw fault(file, 'is no JSON object');
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON with sorted names: equal ones have equal texts. */
export function pemsText(pems: Pems): string {
  const sorted = Object.entries(pems).toSorted(([a], [b]) => compareText(a, b));
  return `${JSON.stringify(Object.fromEntries(sorted), undefined, 1)}\n`;
}

/** Nothing of that name is there; below a file there is nothing either, which whoever writes there says better. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function fault(file: string, message: string): InputError {
  const reason: PemReason = 'PemsUnreadable';
  const fix = file.includes(`/${certificatesFolder}/`)
    ? 'remove it and run `tideline fleet sign` again, which signs anew what stood there'
    : file.includes('/secrets/')
      ? 'remove it and run `tideline fleet sign` again, which writes it from the folder of the authorities'
      : 'collect the public keys again; what was signed before stays as it is';
  return new InputError([{ reason, file, message, fix }]);
}
