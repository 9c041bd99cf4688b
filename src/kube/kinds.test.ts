import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectionPath, hasCollection } from './api/resources.ts';
import { type Kind, kindFacts, kinds, knownKind } from './kinds.ts';
import { parseManifests } from './manifests/documents.ts';
import { keyOf } from './objects/metadata.ts';
import { type ReadObject, readObject } from './read-object.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { stateOf } from './state.ts';

/** The name of a kind's file: `ipam-block.ts` for `IPAMBlock`. */
function fileOf(kind: Kind): string {
  return `${kind.replace(/([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$2-').toLowerCase()}.ts`;
}

function accepted(read: ReadObject): ReadObject & { readonly ok: true } {
  if (!read.ok) throw new Error(`${read.kind} ${read.path} ${read.message}`);
  return read;
}

const least = (kind: Kind) => accepted(readObject(kind, { metadata: { name: 'a' } }));

describe('the kinds', () => {
  it('are a file each', async () => {
    const folder = join(import.meta.dirname, 'kinds');
    expect((await readdir(folder)).toSorted()).toEqual(kinds.map(fileOf).toSorted());
    for (const kind of kinds)
      expect(Object.values<unknown>(await import(join(folder, fileOf(kind))))).toContain(kindFacts[kind]);
  });

  it('are named once, and so are their collections', () => {
    expect(kinds.map((kind) => kindFacts[kind].kind)).toEqual(kinds);
    const collections = kinds.map((kind) => collectionPath(kind, kindFacts[kind].apiVersions[0]));
    expect(new Set(collections).size).toBe(kinds.length);
  });

  it.each(kinds)('%s is read in each of its API versions, in its scope, and in no other group', async (kind) => {
    const { apiVersions, namespaced, plural } = kindFacts[kind];
    for (const apiVersion of apiVersions) {
      const text = JSON.stringify({ apiVersion, kind, metadata: { name: 'a', namespace: 'video' } });
      const { objects } = await parseManifests(text);
      expect(objects).toMatchObject([{ read: { ok: true, kind, key: namespaced ? 'video/a' : 'a' } }]);
    }
    expect(knownKind('other.example/v1', kind)).toBeUndefined();
    expect(hasCollection({ resources: [{ name: plural }] }, kind)).toBe(true);
    expect(plural).toMatch(/^[a-z]+s$/);
  });

  it.each(kinds.filter((kind) => kindFacts[kind].own !== true))('%s loses what nobody reads', (kind) => {
    const raw = { metadata: { name: 'a', managedFields: [] }, spec: { unread: 1 }, unread: 1 };
    const { object } = accepted(readObject(kind, raw));
    expect(JSON.stringify(object)).not.toMatch(/unread|managedFields/);
    expect(object.kind).toBe(kind);
  });

  it.each(kinds.filter((kind) => kindFacts[kind].own === true))('%s keeps what only its judge knows', (kind) => {
    const raw = { metadata: { name: 'a', managedFields: [] }, spec: { newer: { field: [1] } }, unread: 1 };
    const { object } = accepted(readObject(kind, raw));
    expect(object).toEqual({ kind, metadata: { name: 'a' }, spec: raw.spec });
  });

  it('all come back from a snapshot', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-kinds-'));
    try {
      const objects = kinds.map((kind) => least(kind).object);
      const state = stateOf(
        0,
        new Map(objects.map((object) => [object.kind, new Map([[keyOf(object.metadata), object]])])),
      );
      await writeSnapshot(join(folder, 'state.json'), state);
      expect(await readSnapshot(join(folder, 'state.json'))).toMatchObject({ ok: true, state });
      expect(kinds.filter((kind) => state.objects[kind].size !== 1)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
