import type { Problem } from '../../model/problem.ts';
import { messageOf } from '../../model/values.ts';
import { UnreadableFile } from '../../runtime/bounded-file.ts';
import { type AnyObject, type Kind, kindFacts } from '../kinds.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import type { ReadObject } from '../read-object.ts';
import type { KubeReason } from '../reasons.ts';
import { keptOf, namespaceFull } from '../room.ts';
import type { ClusterState } from '../source.ts';
import { type ObjectsByKind, objectsOfKind } from '../state.ts';
import { BadFile } from './bad-file.ts';
import { bounds } from './bounds.ts';
import { type DocumentCache, type FoundObject, parseManifests } from './documents.ts';
import { readSettled, type Signature } from './folder.ts';

/** The content of one file that is in force, which is its last good one, and the problem of the newest one. */
export interface FileContent {
  /** The signature of the content that was read last, good or bad. */
  readonly signature: Signature;
  readonly objects: readonly FoundObject[];
  readonly ignored: number;
  readonly cache: DocumentCache;
  readonly problem?: FileProblem;
}

export type FileProblem = Problem<KubeReason>;

/** Reads the newest content of a file. When it is bad, the result holds the objects of `before` and the problem. */
export async function readContent(
  folder: string,
  path: string,
  signature: Signature,
  before: FileContent | undefined,
): Promise<FileContent | 'changing'> {
  const kept = {
    signature,
    objects: before?.objects ?? [],
    ignored: before?.ignored ?? 0,
    cache: before?.cache ?? new Map(),
  };
  try {
    const text = await readSettled(folder, path, signature, bounds.fileBytes);
    if (text === undefined) return 'changing';
    const parsed = await parseManifests(text, before?.cache);
    if (parsed.objects.length + parsed.ignored === 0 && kept.objects.length > 0)
      throw new BadFile('FileEmpty', 'is empty; delete the file to delete its objects');
    return { signature, ...parsed };
  } catch (error) {
    return { ...kept, problem: problemOf(path, error) };
  }
}

/** What is wrong with a file that could not be read or parsed. */
export function problemOf(path: string, error: unknown): FileProblem {
  if (error instanceof UnreadableFile) {
    const fix = error.reason === 'NotAFile' ? 'put a regular file in its place' : 'split it into several files';
    return { reason: error.reason, file: path, message: error.message, fix };
  }
  if (!(error instanceof BadFile))
    return { reason: 'NotReadable', file: path, message: messageOf(error), fix: 'check its permissions' };
  return { reason: error.reason, file: path, message: error.message, ...error.details };
}

export interface Assembled {
  readonly objects: ObjectsByKind;
  readonly ignored: number;
  /** Refused objects; each was dropped or stays in its last good version. */
  readonly refused: readonly FileProblem[];
}

/** Merges the files, in the order of their names, into one set of objects. `inForce` has the last good versions. */
export function assemble(files: ReadonlyMap<string, FileContent>, inForce: ClusterState): Assembled {
  const objects = new Map<Kind, Map<ObjectKey, AnyObject>>();
  const places = new Map<AnyObject, Place>();
  const refused: FileProblem[] = [];
  let ignored = 0;
  for (const [file, content] of files) {
    ignored += content.ignored;
    for (const { line, read } of content.objects) {
      if (kindFacts[read.kind].own === true) {
        ignored += 1;
        continue;
      }
      const ofKind = objects.get(read.kind) ?? new Map<ObjectKey, AnyObject>();
      objects.set(read.kind, ofKind);
      if (!read.ok) {
        refused.push(problemOfObject({ file, line }, read));
        const last = read.key === undefined ? undefined : objectsOfKind(inForce, read.kind).get(read.key);
        if (read.key !== undefined && last !== undefined && !ofKind.has(read.key)) ofKind.set(read.key, last);
      } else if (ofKind.has(read.key)) {
        const { kind, key } = read;
        const message = 'the same object stands in an earlier place';
        refused.push({ file, line, object: `${kind}/${key}`, reason: 'DuplicateObject', message });
      } else {
        ofKind.set(read.key, read.object);
        places.set(read.object, { file, line });
      }
    }
  }
  const kept = [...objects].map(([kind, ofKind]) => {
    const found = keptOf(kind, ofKind, objectsOfKind(inForce, kind));
    for (const key of found.refused) {
      const object = ofKind.get(key);
      refused.push(problemOfObject(object && places.get(object), namespaceFull(kind, key)));
    }
    return [kind, found.kept] as const;
  });
  return { objects: new Map(kept), ignored, refused };
}

interface Place {
  readonly file: string;
  readonly line: number;
}

function problemOfObject(place: Place | undefined, read: Extract<ReadObject, { ok: false }>): FileProblem {
  const { kind, key, reason, path, message } = read;
  return { ...place, object: key === undefined ? kind : `${kind}/${key}`, reason, path, message };
}
