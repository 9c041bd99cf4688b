import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import { mostSimilar } from '../model/spec/similar.ts';
import { readBounded, UnreadableFile } from '../runtime/bounded-file.ts';
import { limits, tooManyBytes, tooManyEntries } from './limits.ts';
import { readDocuments } from './yaml.ts';

interface Found {
  readonly documents: SpecDocument[];
  readonly problems: SpecProblem[];
  /** The real paths of all files and folders that were read, so that a file named twice is read once and a loop of links ends. */
  readonly seen: Set<string>;
  /** How many entries of folders were looked at. */
  entries: number;
  /** The absolute manifest folders that Clusters name: they hold Kubernetes objects, and no spec. */
  readonly manifestFolders: Set<string>;
}

/**
 * Reads every spec document under `paths`. In a folder all `*.yaml`, `*.yml` and `*.json` count, at any depth, except
 * hidden entries and files in the manifest folder of a Cluster. Never rejects: a path that cannot be read is a problem.
 */
export async function readPaths(
  paths: readonly string[],
): Promise<{ readonly documents: readonly SpecDocument[]; readonly problems: readonly SpecProblem[] }> {
  const found: Found = { documents: [], problems: [], seen: new Set(), entries: 0, manifestFolders: new Set() };
  const named = new Set<string>();
  for (const path of paths) {
    const problem = await readPath(path, found, named);
    if (problem !== undefined) found.problems.push(problem);
  }
  const isSpec = (file: string | undefined): boolean =>
    file === undefined ||
    named.has(file) ||
    ![...found.manifestFolders].some((folder) => isInside(folder, resolve(file)));
  return {
    documents: found.documents.filter((document) => isSpec(document.file)),
    problems: found.problems.filter((problem) => isSpec(problem.file)),
  };
}

async function readPath(path: string, found: Found, named: Set<string>): Promise<SpecProblem | undefined> {
  try {
    if ((await stat(path)).isDirectory()) {
      const files = await readFolder(path, found, found.entries + limits.entriesOfFolder);
      if (files === 'too many') return tooManyEntries(path);
      return files > 0 ? undefined : folderEmpty(path);
    }
    named.add(path);
    await readOne(path, found);
    return undefined;
  } catch (error) {
    return await unreadable(path, error);
  }
}

/**
 * Reads the files of a folder, then the folders in it that are no manifest folder of a Cluster. Resolves with the number of
 * files seen, or with `too many` as soon as more than `most` files and folders were seen in all.
 */
async function readFolder(folder: string, found: Found, most: number): Promise<number | 'too many'> {
  if (!(await firstTime(folder, found))) return 1;
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const folders: string[] = [];
  let files = 0;
  for (const name of names) {
    const path = join(folder, name);
    found.entries += 1;
    if (found.entries > most) return 'too many';
    try {
      if ((await stat(path)).isDirectory()) folders.push(path);
      else if (/\.(yaml|yml|json)$/.test(name)) {
        files += 1;
        await readOne(path, found);
      }
    } catch (error) {
      found.problems.push(await unreadable(path, error));
    }
  }
  for (const path of folders) {
    if (found.manifestFolders.has(resolve(path))) continue;
    const inside = await readFolder(path, found, most);
    if (inside === 'too many') return inside;
    files += inside;
  }
  return files;
}

async function readOne(path: string, found: Found): Promise<void> {
  if (!(await firstTime(path, found))) return;
  const { size } = await stat(path);
  const tooMany = tooManyBytes(path, size);
  if (tooMany !== undefined) {
    found.problems.push(tooMany);
    return;
  }
  const bytes = await readBounded(path, limits.bytes);
  const folder = dirname(resolve(path));
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    found.problems.push({ reason: 'NotText', file: path, message: 'is not UTF-8 text', fix: 'save the file as UTF-8' });
    return;
  }
  const { documents, problems } = readDocuments(text, path, folder);
  found.documents.push(...documents);
  found.problems.push(...problems);
  for (const document of documents) {
    const manifests = manifestsOf(document);
    if (manifests === undefined) continue;
    const target = resolve(folder, manifests);
    if (!isInside(target, resolve(path))) found.manifestFolders.add(target);
    else found.problems.push(manifestsHoldSpec(document, path));
  }
}

function manifestsOf(document: SpecDocument): string | undefined {
  if (valueAt(document.value, ['kind']) !== 'Cluster') return undefined;
  const manifests = valueAt(document.value, ['spec', 'source', 'manifests']);
  return typeof manifests === 'string' && manifests !== '' ? manifests : undefined;
}

async function firstTime(path: string, found: Found): Promise<boolean> {
  const real = await realpath(path);
  if (found.seen.has(real)) return false;
  found.seen.add(real);
  return true;
}

function isInside(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '..' && !way.startsWith('../') && !way.startsWith('/');
}

function manifestsHoldSpec(document: SpecDocument, file: string): SpecProblem {
  return {
    reason: 'ManifestsHoldSpec',
    file,
    line: document.lineOf(['spec', 'source', 'manifests']),
    object: `Cluster/${String(valueAt(document.value, ['metadata', 'name']))}`,
    path: 'spec.source.manifests',
    message: 'the manifest folder holds the spec itself',
    expected: 'a folder of its own for the Kubernetes objects of this cluster',
    fix: 'move the Kubernetes objects to a folder below, e.g. ./clusters/paris',
  };
}

function folderEmpty(path: string): SpecProblem {
  return {
    reason: 'FolderEmpty',
    file: path,
    message: 'the folder holds no *.yaml, *.yml or *.json file',
    fix: 'name the folder that holds the platform spec',
  };
}

async function unreadable(path: string, error: unknown): Promise<SpecProblem> {
  if (error instanceof UnreadableFile)
    return { reason: 'FileUnreadable', file: path, message: error.message, fix: 'put a regular file in its place' };
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOENT') {
    const similar = await similarPath(path);
    const fix = similar === undefined ? 'check the path' : `did you mean "${similar}"?`;
    return { reason: 'FileMissing', file: path, message: 'no such file or folder', fix };
  }
  return { reason: 'FileUnreadable', file: path, message: `cannot be read (${code})`, fix: 'check its permissions' };
}

/** The path that exists and whose names are the same or only misspelt; undefined when there is none. */
async function similarPath(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) {
    const above = folder === path ? undefined : await similarPath(folder);
    return above === undefined ? undefined : similarPath(join(above, basename(path)));
  }
  const name = names.includes(basename(path)) ? basename(path) : mostSimilar(basename(path), names);
  return name === undefined ? undefined : join(folder, name);
}
