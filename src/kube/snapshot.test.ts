import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AnyObject, Kind } from './kinds.ts';
import { parseManifests } from './manifests/documents.ts';
import { keyOf, type ObjectKey } from './objects/metadata.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { stateOf } from './state.ts';

describe('snapshot', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tideline-snapshot-'));
    file = join(folder, 'last-good.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const objects: readonly AnyObject[] = [
    { kind: 'Node', metadata: { name: 'a' }, spec: { podCIDRs: ['10.10.1.0/26'] } },
    {
      kind: 'Secret',
      metadata: { name: 'web', namespace: 'video' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': 'Yw==', 'tls.key': 'aw==' },
    },
    { kind: 'Ingress', metadata: { name: 'crowded', namespace: 'video' }, spec: { rules: [{}] }, notKept: 'object' },
    { kind: 'BlockAffinity', metadata: { name: 'b' }, spec: { cidr: '10.10.1.0/26', deleted: 'false' } },
  ];
  const origin = { cluster: '2c4f9d1e', versions: { Node: '41', Secret: '97' } };
  const byKind = new Map<Kind, Map<ObjectKey, AnyObject>>(
    objects.map((object) => [object.kind, new Map([[keyOf(object.metadata), object]])]),
  );
  const state = { ...stateOf(7, byKind), origin };

  it('comes back as it was, is private, and leaves no other file', async () => {
    await writeSnapshot(file, state);
    const read = await readSnapshot(file);
    expect(read).toEqual({
      ok: true,
      state: { ...state, revision: 0, origin: { ...state.origin, savedAtMs: expect.any(Number) } },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['last-good.json']);
  });

  it('replaces the one before, also a readable one, by a private one', async () => {
    await writeFile(file, 'old');
    await chmod(file, 0o644);
    await writeSnapshot(file, state);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('a writer that was killed leaves no Secret behind: the next one removes its file, and no other', async () => {
    const left = 'last-good.json.01234567-89ab-cdef-0123-456789abcdef.tmp';
    const others = ['last-good.json.tmp', 'other.json.01234567-89ab-cdef-0123-456789abcdef.tmp', 'last-good.json.old'];
    for (const name of [left, ...others]) await writeFile(join(folder, name), 'keys');
    await writeSnapshot(file, state);
    expect((await readdir(folder)).toSorted()).toEqual([...others, 'last-good.json'].toSorted());
  });

  it('is a manifest file', async () => {
    await writeSnapshot(file, state);
    const parsed = await parseManifests(await readFile(file, 'utf8'));
    expect(parsed.objects.map(({ read }) => read.ok && read.key)).toEqual(['a', 'video/crowded', 'video/web', 'b']);
  });

  it.each([
    ['missing', undefined, 'SourceMissing'],
    ['empty', '', 'SourceEmpty'],
    ['cut', '{"apiVersion":"v1","kind":"List","items":[\n{"apiVersion":"v1","kind":"Node"', 'SourceUnreadable'],
    ['of bad objects', '{"apiVersion":"v1","kind":"Node","metadata":{}}', 'SourceUnreadable'],
  ])('%s: says why it cannot be read', async (_, content, reason) => {
    if (content !== undefined) await writeFile(file, content);
    expect(await readSnapshot(file)).toMatchObject({ ok: false, reason });
  });

  it('leaves nothing behind when it cannot be written', async () => {
    await expect(writeSnapshot(join(folder, 'no', 'such'), state)).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toEqual([]);
  });
});
