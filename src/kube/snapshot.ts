import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { compareKeys, messageOf, withoutUndefined } from '../model/values.ts';
import { readBounded } from '../runtime/bounded-file.ts';
import type { AnyObject, Kind } from './kinds.ts';
import { kindFacts, kinds } from './kinds.ts';
import { parseManifests } from './manifests/documents.ts';
import { codeOf } from './manifests/folder.ts';
import type { ObjectKey } from './objects/metadata.ts';
import type { KubeReason } from './reasons.ts';
import type { ClusterState, Origin } from './source.ts';
import { objectsOfKind, stateOf } from './state.ts';

export type SnapshotRead =
  | { readonly ok: true; readonly state: ClusterState }
  | {
      readonly ok: false;
      readonly reason: Extract<KubeReason, 'SourceMissing' | 'SourceEmpty' | 'SourceUnreadable'>;
      readonly message: string;
    };

/** What Node takes as one text is little more. A cluster of 10,000 objects needs a fiftieth. */
const snapshotBytes = 500 << 20;

/**
 * Writes the state as one Kubernetes List in JSON, sorted, with one object a line: a manifest file like any other. The write is
 * atomic (a reader finds the old file or the new one, also after a power cut). A file has one writer, which writes once at a time. The file is readable by its owner only, because
 * it holds Secrets.
 */
export async function writeSnapshot(file: string, state: ClusterState): Promise<void> {
  await removeLeftOvers(file);
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      let bytes = 0;
      for (const piece of snapshotPieces(state)) {
        bytes += Buffer.byteLength(piece);
        if (bytes > snapshotBytes)
          throw new Error(`the state has more than the ${snapshotBytes} bytes that are read again`);
        await handle.appendFile(piece);
        await setImmediate();
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A state that was read from a file is no newer because it is written again.
    const { savedAtMs } = state.origin ?? {};
    if (savedAtMs !== undefined) await utimes(temporary, savedAtMs / 1000, savedAtMs / 1000);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The names of temporary files of `writeSnapshot`, after the name of the file. */
const temporaryName = /^\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.tmp$/;

/**
 * Removes what writers left that were killed while they wrote: such a file holds Secrets, and nobody reads it again. The file has
 * one writer, so no temporary file beside it is in use.
 */
export async function removeLeftOvers(file: string): Promise<void> {
  const [folder, name] = [dirname(file), basename(file)];
  const entries = await readdir(folder).catch(() => []);
  const left = entries.filter((entry) => entry.startsWith(name) && temporaryName.test(entry.slice(name.length)));
  await Promise.all(left.map((entry) => rm(join(folder, entry), { force: true })));
}

/**
 * How many objects are written before other work may run: some milliseconds of work, so that a large state delays nothing
 * urgent.
 */
const pieceSize = 500;

const headEnd = ',"items":[';

/** The first line, which says where the state comes from. */
function headOf(origin: Origin = { versions: {} }): string {
  return `{"apiVersion":"v1","kind":"List","origin":${JSON.stringify(origin)}${headEnd}`;
}

/** Where the state of a file comes from; undefined in a file of an earlier version, which does not say so. */
function originOf(text: string): Origin | undefined {
  const line = text.slice(0, text.indexOf('\n'));
  if (!line.endsWith(headEnd)) return undefined;
  const { origin } = JSON.parse(`${line.slice(0, -headEnd.length)}}`) as { readonly origin?: Origin };
  return origin;
}

/** The text of the file in pieces. The same state gives the same bytes. */
function* snapshotPieces(state: ClusterState): Generator<string> {
  yield `${headOf(state.origin)}\n`;
  let piece: string[] = [];
  let separator = '';
  for (const kind of kinds) {
    const sorted = [...objectsOfKind(state, kind)].toSorted(compareKeys);
    for (const [, object] of sorted) {
      piece.push(`${separator}${JSON.stringify({ apiVersion: kindFacts[kind].apiVersions[0], ...object })}`);
      separator = ',\n';
      if (piece.length < pieceSize) continue;
      yield piece.join('');
      piece = [];
    }
  }
  yield `${piece.join('')}\n]}\n`;
}

/** Reads the state of a snapshot file, as revision 0. Never throws. A file with any bad object is not trusted at all. */
export async function readSnapshot(file: string): Promise<SnapshotRead> {
  const objects = new Map<Kind, Map<ObjectKey, AnyObject>>();
  let origin: Origin | undefined;
  try {
    const text = (await readBounded(file, snapshotBytes)).toString('utf8');
    const savedAtMs = (await stat(file)).mtimeMs;
    origin = { versions: {}, ...originOf(text), savedAtMs };
    const parsed = await parseManifests(text);
    for (const { read } of parsed.objects) {
      if (!read.ok)
        return { ok: false, reason: 'SourceUnreadable', message: `${read.kind} ${read.path} ${read.message}` };
      const ofKind = objects.get(read.kind) ?? new Map<ObjectKey, AnyObject>();
      objects.set(read.kind, ofKind.set(read.key, read.object));
    }
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'SourceMissing' : 'SourceUnreadable';
    return { ok: false, reason, message: messageOf(error) };
  }
  if (objects.size === 0) return { ok: false, reason: 'SourceEmpty', message: `no object in ${file}` };
  return { ok: true, state: { ...stateOf(0, objects), ...withoutUndefined({ origin }) } };
}
