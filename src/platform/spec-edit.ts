import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError, type InputProblem } from '../model/problem.ts';
import { buildPlatform } from '../model/spec/build.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { KindName } from '../model/spec/kinds.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import type { Platform } from '../model/spec/platform.ts';
import { readBounded } from '../runtime/bounded-file.ts';
import { readPaths } from './files.ts';
import { limits } from './limits.ts';
import { readDocuments, withoutDocuments } from './yaml.ts';

/** What to write: the whole text of a file, or undefined to remove it. */
export interface FileEdit {
  readonly file: string;
  readonly text: string | undefined;
}

/** An edit of the platform spec that is not written yet. Both platforms are valid. */
export interface SpecEdit {
  readonly before: Platform;
  readonly after: Platform;
  /** The documents that `after` is made of. */
  readonly documents: readonly SpecDocument[];
  readonly edits: readonly FileEdit[];
}

/** An object that a command writes, in a file of its own. */
export interface NewObject {
  readonly kind: KindName;
  readonly name: string;
  /** The whole text of its file. */
  readonly text: string;
}

/** A valid spec and the documents that it is made of. */
export interface ValidSpec {
  readonly documents: readonly SpecDocument[];
  readonly platform: Platform;
}

/** Reads a spec that is to be edited. Throws an InputError when it is not valid. */
export async function readValid(paths: readonly string[], nowMs: number): Promise<ValidSpec> {
  const { documents, problems } = await readPaths(paths);
  return { documents, platform: built(documents, problems, nowMs) };
}

/**
 * The edit that puts an object into the first folder of `paths`, in a file of its own, named as its kind and name. One of the same
 * name is replaced where it stands. Throws an InputError when the spec is not valid then.
 */
export async function putting(
  paths: readonly string[],
  { documents, platform }: ValidSpec,
  object: NewObject,
  nowMs: number,
): Promise<SpecEdit> {
  const placed = await placing(paths, documents, object);
  const after = built(placed.documents, placed.problems, nowMs);
  return { before: platform, after, documents: placed.documents, edits: [placed.edit] };
}

/** An object put among the documents of a spec, which nobody has validated yet. */
interface Placed {
  readonly documents: readonly SpecDocument[];
  /** What is wrong with its own text. */
  readonly problems: readonly SpecProblem[];
  readonly edit: FileEdit;
}

/** As `putting`, for a spec that need not be valid. */
export async function placing(
  paths: readonly string[],
  documents: readonly SpecDocument[],
  { kind, name, text }: NewObject,
): Promise<Placed> {
  const mine = documents.find(
    (document) => isOfKind(document, kind) && valueAt(document.value, ['metadata', 'name']) === name,
  );
  const file = mine?.file ?? join(await folderOf(paths, kind), `${kind.toLowerCase()}-${name}.yaml`);
  const others = documents.filter((document) => document.file !== file);
  const kept = documents.filter((document) => document.file === file && document !== mine);
  if (kept.length > 0) throw new InputError(sharedFile(file, kind, name));
  const added = readDocuments(text, file, dirname(file));
  return { documents: [...others, ...added.documents], problems: added.problems, edit: { file, text } };
}

/** The edit that removes these documents of a spec, and nothing else that stands in their files. */
export async function removing(
  { documents, platform }: ValidSpec,
  gone: readonly SpecDocument[],
  nowMs: number,
): Promise<SpecEdit> {
  const stay = documents.filter((document) => !gone.includes(document));
  const after = built(stay, [], nowMs);
  return { before: platform, after, documents: stay, edits: await removals(documents, gone) };
}

/** The edits that remove these documents of a spec, which need not be valid, and nothing else that stands in their files. */
export async function removals(
  documents: readonly SpecDocument[],
  gone: readonly SpecDocument[],
): Promise<readonly FileEdit[]> {
  const edits: FileEdit[] = [];
  for (const [file, going] of Map.groupBy(gone, (document) => document.file)) {
    const inFile = documents.filter((document) => document.file === file);
    const places = going.map((document) => inFile.indexOf(document));
    const left = inFile.filter((document) => !going.includes(document));
    const old = (await readBounded(file, limits.bytes)).toString('utf8');
    const text = left.length === 0 ? undefined : withoutDocuments(old, places);
    if (text !== undefined) checkSame(readDocuments(text, file, dirname(file)).documents, left, file);
    edits.push({ file, text });
  }
  return edits;
}

/** Writes an edit. A reader of a folder sees each file as it was or as it is now, and nothing between. */
export async function writeEdits(edits: readonly FileEdit[]): Promise<void> {
  for (const { file, text } of edits) {
    if (text === undefined) {
      await rm(file);
      continue;
    }
    // Hidden files are no part of a spec.
    const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}`);
    try {
      const mode = await stat(file).then(
        (found) => found.mode & 0o777,
        () => 0o644,
      );
      await writeFile(temporary, text, { mode, flag: 'wx' });
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/** The text of a file of the spec, or undefined when there is no such file. */
export async function textOfFile(file: string): Promise<string | undefined> {
  try {
    return (await readBounded(file, limits.bytes)).toString('utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export function isOfKind({ value }: SpecDocument, kind: KindName): boolean {
  return valueAt(value, ['kind']) === kind;
}

/** No other object of a file may change with the one that is removed. */
function checkSame(read: readonly SpecDocument[], meant: readonly SpecDocument[], file: string): void {
  if (isDeepStrictEqual(read.map(valueOf), meant.map(valueOf))) return;
  throw new InputError({
    reason: 'SharedFile',
    file,
    message: 'holds other objects, from which the one to be removed cannot be parted safely',
    fix: 'remove it there by hand',
  });
}

function valueOf({ value }: SpecDocument): unknown {
  return value;
}

/** The platform of these documents. Throws an InputError when it is not valid. */
export function built(documents: readonly SpecDocument[], unread: readonly SpecProblem[], nowMs: number): Platform {
  const { platform, problems } = buildPlatform(documents, nowMs);
  const all = [...unread, ...problems];
  if (all.length > 0) throw new InputError(all);
  return platform;
}

/** The first folder of these paths. */
export async function folderOf(paths: readonly string[], kind: KindName): Promise<string> {
  for (const path of paths) if ((await stat(path)).isDirectory()) return path;
  throw new InputError({
    reason: 'NoFolder',
    message: `a ${kind} is written into a folder of the platform spec, and no folder was named`,
    fix: 'name the folder that your agents read, e.g. /etc/tideline/platform',
  });
}

function sharedFile(file: string, kind: KindName, name: string): InputProblem {
  return {
    reason: 'SharedFile',
    file,
    object: `${kind}/${name}`,
    message: 'stands in a file with other objects',
    fix: 'change it there, or remove it first',
  };
}
