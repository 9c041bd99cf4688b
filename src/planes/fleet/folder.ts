import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareText, messageOf } from '../../model/values.ts';
import { readBounded } from '../../runtime/bounded-file.ts';
import { replaceFile } from '../../runtime/kept-file.ts';
import type { CompiledFleet } from './compile/compile.ts';
import type { ServerDocument } from './compile/document.ts';
import { listOf } from './compile/objects.ts';
import { jsonText } from './compile/text.ts';
import { badFleet } from './reasons.ts';

/** The folder that `tideline fleet compile` writes and a Salt master reads. Its `index.json` lists what we wrote there, and nothing else is ever removed. */

const indexName = 'index.json';
const documentsFolder = 'documents';
const objectsFolder = 'objects';
const targetsFolder = 'targets';
const mostIndexBytes = 16 * 2 ** 20;
const mostDocumentBytes = 2 ** 20;

interface Index {
  /** SHA-256 of each file, by its path in the folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** The signature of a document's bytes, in base64, as `salt/pillar/tideline.py` verifies it. */
export type SignDocument = (text: string) => string;

export interface Written {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/** The checksum of all documents, objects, targets and waves: two equal ones mean equal bytes everywhere. */
export function checksumOf(compiled: CompiledFleet): string {
  const hash = createHash('sha256');
  for (const [path, text] of filesOf(compiled)) hash.update(`${path}\0${sumOf(text)}\n`);
  return hash.digest('hex');
}

/**
 * Writes what is not there already, each file whole or not at all and for its owner alone, and removes what an earlier run wrote and this
 * one does not.
 */
export async function writeFolder(folder: string, compiled: CompiledFleet, sign?: SignDocument): Promise<Written> {
  const before = (await readIndex(folder)) ?? { files: {} };
  const files: Record<string, string> = {};
  const written: string[] = [];
  try {
    for (const name of [documentsFolder, objectsFolder, targetsFolder])
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    for (const [path, text] of filesOf(compiled, sign)) {
      files[path] = sumOf(text);
      if (before.files[path] === files[path] && (await holds(join(folder, path), files[path]))) continue;
      await replaceFile(join(folder, path), text);
      written.push(path);
    }
    const removed = Object.keys(before.files).filter((path) => !(path in files) && isOurs(path));
    for (const path of removed) await rm(join(folder, path), { force: true });
    await replaceFile(join(folder, indexName), jsonText({ files }));
    return { written, removed, unchanged: Object.keys(files).length - written.length };
  } catch (error) {
    throw badFleet('FolderNotWritten', `--out: ${messageOf(error)}`, 'name a folder that may be written');
  }
}

/** Whether an earlier compile wrote there: only such a folder has documents that a run may be reading. */
export async function isCompiled(folder: string): Promise<boolean> {
  return (await readIndex(folder)) !== undefined;
}

/** The documents that an earlier compile wrote. Throws an InputError when the folder has none or one cannot be read. */
export async function readDocuments(folder: string): Promise<ReadonlyMap<string, ServerDocument>> {
  const fix = 'name the folder that `tideline fleet compile --out` wrote, or compile it again';
  const index = await readIndex(folder);
  if (index === undefined) throw badFleet('FolderNotCompiled', `--against: ${folder} has no ${indexName} of ours`, fix);
  const paths = Object.keys(index.files).filter(
    (path) => path.startsWith(`${documentsFolder}/`) && path.endsWith('.json') && isOurs(path),
  );
  const documents = new Map<string, ServerDocument>();
  for (const path of paths.toSorted(compareText)) {
    const text = await textOf(join(folder, path), mostDocumentBytes);
    const document: ServerDocument | undefined = text === undefined ? undefined : parsed(text);
    if (document?.format !== 1)
      throw badFleet('FolderNotCompiled', `--against: ${join(folder, path)} is no document`, fix);
    documents.set(document.server.id, document);
  }
  return documents;
}

/** Every file with its text, one after the other, so that only one text is in memory at once. */
function* filesOf(compiled: CompiledFleet, sign?: SignDocument): Generator<readonly [path: string, text: string]> {
  for (const [id, document] of compiled.documents) {
    const text = `${JSON.stringify(document)}\n`;
    yield [`${documentsFolder}/${id}.json`, text];
    if (sign !== undefined) yield [`${documentsFolder}/${id}.json.sig`, `${sign(text)}\n`];
  }
  for (const [cluster, objects] of compiled.objects)
    yield [`${objectsFolder}/${cluster}.json`, jsonText(listOf(objects))];
  for (const [job, groups] of compiled.targets) yield [`${targetsFolder}/${job}.json`, jsonText(groups)];
  yield ['pki-plan.json', jsonText(compiled.pkiPlan)];
  yield ['roster.json', jsonText(compiled.roster)];
  yield ['waves.json', jsonText(compiled.waves)];
}

/** Whether a path of an index is one that we could have written: an index may have been edited. */
function isOurs(path: string): boolean {
  return /^((documents|objects|targets)\/[a-z0-9][-.a-z0-9]*|pki-plan|roster|waves)\.json(\.sig)?$/.test(path);
}

async function readIndex(folder: string): Promise<Index | undefined> {
  const text = await textOf(join(folder, indexName), mostIndexBytes);
  const index: Partial<Index> | undefined = text === undefined ? undefined : parsed(text);
  return typeof index?.files === 'object' ? { files: index.files } : undefined;
}

async function holds(file: string, sum: string): Promise<boolean> {
  const text = await textOf(file, mostIndexBytes);
  return text !== undefined && sumOf(text) === sum;
}

async function textOf(file: string, mostBytes: number): Promise<string | undefined> {
  try {
    return (await readBounded(file, mostBytes)).toString();
  } catch {
    return undefined;
  }
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
