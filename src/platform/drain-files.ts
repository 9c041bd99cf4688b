import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { apiVersion } from '../model/contract.ts';
import { findObject } from '../model/platform/find.ts';
import { InputError } from '../model/problem.ts';
import { buildPlatform } from '../model/spec/build.ts';
import { type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import type { Platform } from '../model/spec/platform.ts';
import { unknownName } from '../model/spec/unknown-name.ts';
import { readBounded } from '../runtime/bounded-file.ts';
import { readPaths } from './files.ts';
import { limits } from './limits.ts';
import { readDocuments, withoutDocuments } from './yaml.ts';

export type DrainTarget = Drain['spec']['target'];

/** What to write: the whole text of a file, or undefined to remove it. */
export interface FileEdit {
  readonly file: string;
  readonly text: string | undefined;
}

/** An edit of the platform spec that is not written yet. Both platforms are valid. */
export interface SpecEdit {
  readonly before: Platform;
  readonly after: Platform;
  readonly edits: readonly FileEdit[];
}

export interface NewDrain {
  readonly target: DrainTarget;
  readonly reason: string;
  /** Of a worker: also while pods on it are Ready. */
  readonly force?: true;
  /** RFC 3339. */
  readonly expires: string;
}

/**
 * The edit that puts a Drain into the first folder of `paths`, in a file of its own. One that this function wrote before for the same
 * target is replaced. Throws an InputError when the spec is not valid, before or after.
 */
export async function draining(paths: readonly string[], drain: NewDrain, nowMs: number): Promise<SpecEdit> {
  const { documents, before } = await readValid(paths, nowMs);
  checkTarget(drain.target, before);
  const name = nameOf(drain.target);
  const mine = documents.find(
    (document) => isDrain(document) && valueAt(document.value, ['metadata', 'name']) === name,
  );
  const file = mine?.file ?? join(await folderOf(paths), `drain-${name}.yaml`);
  const text = textOf(name, drain);
  const others = documents.filter((document) => document.file !== file);
  const kept = documents.filter((document) => document.file === file && document !== mine);
  if (kept.length > 0) throw new InputError(sharedFile(file, name));
  const added = readDocuments(text, file, dirname(file));
  const after = built([...others, ...added.documents], added.problems, nowMs);
  return { before, after, edits: [{ file, text }] };
}

/** The edit that removes every Drain of a target. Throws an InputError (`NotDrained`) when there is none. */
export async function undraining(paths: readonly string[], target: DrainTarget, nowMs: number): Promise<SpecEdit> {
  const { documents, before } = await readValid(paths, nowMs);
  const gone = documents.filter((document) => isDrain(document) && isOn(document, target));
  if (gone.length === 0) throw new InputError(notDrained(target, before));
  const after = built(
    documents.filter((document) => !gone.includes(document)),
    [],
    nowMs,
  );
  const edits: FileEdit[] = [];
  for (const [file, drains] of Map.groupBy(gone, (document) => document.file)) {
    const inFile = documents.filter((document) => document.file === file);
    const places = drains.map((document) => inFile.indexOf(document));
    const left = inFile.filter((document) => !drains.includes(document));
    const old = (await readBounded(file, limits.bytes)).toString('utf8');
    const text = left.length === 0 ? undefined : withoutDocuments(old, places);
    if (text !== undefined) checkSame(readDocuments(text, file, dirname(file)).documents, left, file);
    edits.push({ file, text });
  }
  return { before, after, edits };
}

/** No other object of a file may change with the one that is removed. */
function checkSame(read: readonly SpecDocument[], meant: readonly SpecDocument[], file: string): void {
  if (isDeepStrictEqual(read.map(valueOf), meant.map(valueOf))) return;
  throw new InputError({
    reason: 'SharedFile',
    file,
    message: 'holds other objects, from which the Drain cannot be parted safely',
    fix: 'remove the Drain there by hand',
  });
}

function valueOf({ value }: SpecDocument): unknown {
  return value;
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

async function readValid(paths: readonly string[], nowMs: number) {
  const { documents, problems } = await readPaths(paths);
  return { documents, before: built(documents, problems, nowMs) };
}

function built(documents: readonly SpecDocument[], unread: readonly SpecProblem[], nowMs: number): Platform {
  const { platform, problems } = buildPlatform(documents, nowMs);
  const all = [...unread, ...problems];
  if (all.length > 0) throw new InputError(all);
  return platform;
}

/** A Worker is a Node of a cluster, of which the spec knows nothing. */
function checkTarget({ kind, name }: DrainTarget, platform: Platform): void {
  if (kind === 'Site' || kind === 'Cluster') findObject(platform, kind, name);
  const blades = [...platform.edgePools.values()].flatMap(({ spec }) => spec.blades.map((blade) => blade.name));
  if (kind === 'Blade' && !blades.includes(name)) throw new InputError(unknownName('blade', name, blades));
}

function isDrain({ value }: SpecDocument): boolean {
  return valueAt(value, ['kind']) === 'Drain';
}

function isOn({ value }: SpecDocument, { kind, name }: DrainTarget): boolean {
  return valueAt(value, ['spec', 'target', 'kind']) === kind && valueAt(value, ['spec', 'target', 'name']) === name;
}

/** The name of the Drain of a target: `blade-paris-blade-1`. */
function nameOf({ kind, name }: DrainTarget): string {
  return `${kind.toLowerCase()}-${name}`.slice(0, 63).replace(/-+$/, '');
}

function textOf(name: string, { target, reason, force, expires }: NewDrain): string {
  return [
    `apiVersion: ${apiVersion}`,
    'kind: Drain',
    `metadata: { name: ${JSON.stringify(name)} }`,
    'spec:',
    `  target: { kind: ${target.kind}, name: ${JSON.stringify(target.name)} }`,
    ...(force === undefined ? [] : [`  force: ${force}`]),
    `  reason: ${JSON.stringify(reason)}`,
    `  expires: ${JSON.stringify(expires)}`,
    '',
  ].join('\n');
}

async function folderOf(paths: readonly string[]): Promise<string> {
  for (const path of paths) if ((await stat(path)).isDirectory()) return path;
  throw new InputError({
    reason: 'NoFolder',
    message: 'a Drain is written into a folder of the platform spec, and no folder was named',
    fix: 'name the folder that your agents read, e.g. /etc/tideline/platform',
  });
}

function sharedFile(file: string, name: string) {
  return {
    reason: 'SharedFile',
    file,
    object: `Drain/${name}`,
    message: 'stands in a file with other objects',
    fix: 'change its expires there, or undrain it first',
  };
}

function notDrained({ kind, name }: DrainTarget, { drains }: Platform) {
  const there = [...drains.values()].map(({ spec }) => `${spec.target.kind.toLowerCase()} ${spec.target.name}`);
  return {
    reason: 'NotDrained',
    message: `no Drain of ${kind.toLowerCase()} ${name} stands in the platform spec`,
    expected: there.length === 0 ? 'a target that is drained; nothing is' : `one of: ${there.join(', ')}`,
    fix: 'look at `tideline drains`',
  };
}
