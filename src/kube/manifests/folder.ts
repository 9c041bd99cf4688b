import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatProblem } from '../../model/problem.ts';
import { compareKeys, messageOf } from '../../model/values.ts';
import { readBounded } from '../../runtime/bounded-file.ts';
import type { KubeReason } from '../reasons.ts';
import { bounds } from './bounds.ts';

/** Inode, size and times of a file, by which one content is told from another without reading it. */
export type Signature = string;

export type FolderListing =
  | {
      readonly ok: true;
      /** Manifest files by path relative to the folder, sorted. */
      readonly files: ReadonlyMap<string, Signature>;
      /** The absolute paths of the folder and of every folder in it: these are to be watched. */
      readonly folders: readonly string[];
      /**
       * A folder changed while it was listed, or was away for a moment: the files are those of no one moment, and one that is not
       * among them may have been there all the time.
       */
      readonly torn: boolean;
    }
  | { readonly ok: false; readonly missing: boolean; readonly tooLarge: boolean; readonly message: string };

const manifestName = /^[^.].*\.(ya?ml|json)$/i;

/**
 * Lists the manifest files of a folder at any depth. Names that start with a dot are skipped (editors' files, the
 * `..data` link of a mounted ConfigMap); links are followed, but a folder inside of itself is not entered again. A FIFO or a device
 * with the name of a manifest is listed: it cannot be read, and is not the same as a deleted file. A folder beyond a bound is refused
 * as a whole, because a part of it would look like a deletion of the rest.
 */
export async function listFolder(folder: string): Promise<FolderListing> {
  const found: Found = { files: new Map(), folders: new Map(), vanished: [], bytes: 0n };
  let torn: boolean;
  try {
    await walk(folder, '', found, []);
    torn = await isTorn(found);
  } catch (error) {
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    return { ok: false, missing, tooLarge: error instanceof FolderTooLarge, message: messageOf(error) };
  }
  return { ok: true, folders: [...found.folders.keys()], files: new Map([...found.files].toSorted(compareKeys)), torn };
}

interface Found {
  readonly files: Map<string, Signature>;
  /** The signature of each folder before it was read. */
  readonly folders: Map<string, Signature>;
  /** What a folder named and was not there a moment later. */
  readonly vanished: { readonly path: string; readonly isLink: boolean }[];
  bytes: bigint;
}

/** Whether anything that was found is different now; of what vanished only a link that leads nowhere, as it did before, is not. */
async function isTorn({ folders, vanished }: Found): Promise<boolean> {
  for (const { path, isLink } of vanished) if (!isLink || (await statOrGone(path)) !== undefined) return true;
  for (const [folder, before] of folders) {
    const now = await statOrGone(folder);
    if (now === undefined || signatureOf(now) !== before) return true;
  }
  return false;
}

async function walk(root: string, relative: string, found: Found, above: readonly string[]): Promise<void> {
  const here = join(root, relative);
  const before = await stat(here, { bigint: true });
  const id = `${before.dev}:${before.ino}`;
  if (above.includes(id)) return;
  if (above.length > bounds.levelsOfFolders)
    throw tooLarge(here, 'is nested too deeply', `${bounds.levelsOfFolders} levels`);
  const entries = await readdir(here, { withFileTypes: true });
  found.folders.set(here, signatureOf(before));
  if (found.folders.size > bounds.folders) throw tooLarge(root, 'has too many folders', `${bounds.folders}`);
  await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith('.')) return;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      const wanted = manifestName.test(entry.name);
      const vanishes = (error: unknown): void => {
        ignoreGone(error);
        found.vanished.push({ path: join(root, path), isLink: entry.isSymbolicLink() });
      };
      const state =
        entry.isDirectory() || !wanted ? undefined : await stat(join(root, path), { bigint: true }).catch(vanishes);
      if (entry.isDirectory() || state?.isDirectory() === true || (entry.isSymbolicLink() && !wanted))
        await walk(root, path, found, [...above, id]).catch(vanishes);
      else if (state !== undefined) note(root, path, state, found);
    }),
  );
}

function note(root: string, path: string, state: BigIntStats, found: Found): void {
  found.files.set(path, signatureOf(state));
  found.bytes += state.size;
  if (found.files.size > bounds.files) throw tooLarge(root, 'has too many files', `${bounds.files}`);
  if (found.bytes > bounds.folderBytes)
    throw tooLarge(root, 'has files of too many bytes', `${bounds.folderBytes} bytes`);
}

class FolderTooLarge extends Error {}

function tooLarge(file: string, message: string, most: string): Error {
  const reason: KubeReason = 'FolderTooLarge';
  const fix = 'leave only the manifests of this cluster in the folder';
  return new FolderTooLarge(formatProblem({ reason, file, message, expected: `at most ${most}`, fix }));
}

/** Swallows the error for a file, folder or link that vanished between two calls: it counts as absent. */
function ignoreGone(error: unknown): void {
  const code = codeOf(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
}

async function statOrGone(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    ignoreGone(error);
    return undefined;
  }
}

function signatureOf(state: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): Signature {
  return `${state.ino}:${state.size}:${state.mtimeNs}:${state.ctimeNs}`;
}

/** The text of a file, or undefined when it changed while it was read or is gone. Rejects when the file may not be read, is none, or is too large. */
export async function readSettled(
  folder: string,
  path: string,
  signature: Signature,
  maxBytes: number,
): Promise<string | undefined> {
  const full = join(folder, path);
  let text: string;
  try {
    text = (await readBounded(full, maxBytes)).toString('utf8');
  } catch (error) {
    ignoreGone(error);
    return undefined;
  }
  const after = await statOrGone(full);
  return after !== undefined && signatureOf(after) === signature ? text : undefined;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
