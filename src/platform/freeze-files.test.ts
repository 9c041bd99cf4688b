import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freezing, thawing } from './freeze-files.ts';
import { loadPlatformOrThrow } from './load.ts';
import { writeEdits } from './spec-edit.ts';

const now = Date.UTC(2026, 10, 27);
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-freeze-'));
  await cp('examples/hybrid', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const freeze = async (reason: string, until?: string) =>
  writeEdits((await freezing([folder], { reason, by: 'anna', ...(until && { until }) }, now)).edits);
const freezes = async () =>
  [...(await loadPlatformOrThrow([folder])).freezes.values()].map(({ spec }) => [spec.reason, spec.by, spec.until]);

test('a Freeze is a file of its own, a second one takes its place, and it goes as it came', async () => {
  const before = await readdir(folder);
  await freeze('a "quoted": reason # of routes');
  expect(await freezes()).toEqual([['a "quoted": reason # of routes', 'anna', undefined]]);
  await freeze('still', '2026-11-28T00:00:00Z');
  expect(await freezes()).toEqual([['still', 'anna', '2026-11-28T00:00:00Z']]);
  await writeEdits((await thawing([folder], now)).edits);
  expect(await readdir(folder)).toEqual(before);
});

test('thaw removes every Freeze, also one that a person wrote beside other objects', async () => {
  await freeze('one');
  const spec = "{ reason: two, by: bob, since: '2026-11-26T00:00:00Z' }";
  await writeFile(
    join(folder, 'mine.yaml'),
    `apiVersion: tideline.dev/v1alpha1\nkind: Freeze\nmetadata: { name: mine }\nspec: ${spec}\n`,
  );
  expect(await freezes()).toHaveLength(2);
  await writeEdits((await thawing([folder], now)).edits);
  expect(await freezes()).toEqual([]);
  expect((await thawing([folder], now)).edits).toEqual([]);
});

test('a Freeze says whose place it takes, and that of another person is shortened by force alone', async () => {
  const by = async (who: string, until?: string, force?: true) =>
    freezing([folder], { reason: 'x', by: who, ...(until && { until }), ...(force && { force }) }, now);
  const noon = '2026-11-27T12:00:00Z';
  const evening = '2026-11-27T18:00:00Z';
  expect((await by('anna')).replaced).toBeUndefined();
  await freeze('routes flap');
  await expect(by('bob', evening)).rejects.toThrow(/FROZEN by anna since \S+: routes flap \(FreezeOfAnother\)/);
  for (const edit of [await by('bob'), await by('anna', noon), await by('bob', noon, true)])
    expect(edit.replaced?.spec).toMatchObject({ by: 'anna', reason: 'routes flap' });
  await freeze('routes flap', evening);
  await expect(by('bob', noon)).rejects.toThrow(/FreezeOfAnother/);
  await expect(by('bob', evening)).resolves.toBeDefined();
  await freeze('short', '2026-11-26T00:00:00Z');
  expect((await by('bob', noon)).replaced).toBeUndefined();
});

test('a Freeze that has ended is nothing to thaw', async () => {
  await freeze('short', '2026-11-26T00:00:00Z');
  expect((await thawing([folder], now)).edits).toEqual([]);
});

test('a file needs a folder that agents read', async () => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
  await expect(freezing(files, { reason: 'x', by: 'anna' }, now)).rejects.toThrow(/NoFolder/);
});
