import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys, messageOf } from '../../model/values.ts';

/** Inode, size and times of a file, by which one content is told from another without reading it. */
export type Signature = string;

export type FolderListing =
  | {
      readonly ok: true;
      /** Manifest files by path relative to the folder, sorted. */
      readonly files: ReadonlyMap<string, Signature>;
      /** The absolute paths of the folder and of every folder in it: these are to be watched. */
      readonly folders: readonly string[];
    }
  | { readonly ok: false; readonly missing: boolean; readonly message: string };

const manifestName = /^[^.].*\.(ya?ml|json)$/i;
const deepest = 32;

/**
 * Lists the manifest files of a folder at any depth. Names that start with a dot are skipped (editors' files, the
 * `..data` link of a mounted ConfigMap); links are followed.
 */
export async function listFolder(folder: string): Promise<FolderListing> {
  const files = new Map<string, Signature>();
  const folders: string[] = [];
  try {
    await walk(folder, '', { files, folders });
  } catch (error) {
    return { ok: false, missing: codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR', message: messageOf(error) };
  }
  return { ok: true, folders, files: new Map([...files].toSorted(compareKeys)) };
}

interface Found {
  readonly files: Map<string, Signature>;
  readonly folders: string[];
}

async function walk(root: string, relative: string, found: Found): Promise<void> {
  if (found.folders.length > 0 && relative.split('/').length > deepest) return;
  const here = join(root, relative);
  const entries = await readdir(here, { withFileTypes: true });
  found.folders.push(here);
  await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith('.')) return;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      const wanted = manifestName.test(entry.name);
      const state = entry.isDirectory() || !wanted ? undefined : await statOrGone(join(root, path));
      if (entry.isDirectory() || state?.isDirectory() === true || (entry.isSymbolicLink() && !wanted))
        await walk(root, path, found).catch(ignoreGone);
      else if (state?.isFile() === true) found.files.set(path, signatureOf(state));
    }),
  );
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

export function sizeOf(signature: Signature): number {
  return Number(signature.split(':')[1]);
}

/** The text of a file, or undefined when it changed while it was read or is gone. Rejects when the file may not be read. */
export async function readSettled(folder: string, path: string, signature: Signature): Promise<string | undefined> {
  const full = join(folder, path);
  let text: string;
  try {
    text = await readFile(full, 'utf8');
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
