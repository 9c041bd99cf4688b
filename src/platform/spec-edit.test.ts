import { chmod, cp, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DrainTarget, draining, undraining } from './drain-files.ts';
import { loadPlatformOrThrow } from './load.ts';
import { writeEdits } from './spec-edit.ts';

const now = Date.UTC(2026, 10, 27);
const expires = '2099-01-01T00:00:00Z';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-edit-'));
  await cp('examples/hybrid', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const planned = (target: DrainTarget, reason = 'disks') => draining([folder], { target, reason, expires }, now);
const drain = async (target: DrainTarget, reason?: string) => writeEdits((await planned(target, reason)).edits);
const undrain = async (name: string) => writeEdits((await undraining([folder], { kind: 'Blade', name }, now)).edits);
const blade1 = { kind: 'Blade', name: 'paris-blade-1' } as const;
const own = () => join(folder, 'drain-blade-paris-blade-1.yaml');
const drained = async () =>
  [...(await loadPlatformOrThrow([folder])).drains.values()].map(({ spec }) => spec.target.name);

const object = (kind: string, name: string, spec: string) =>
  `apiVersion: tideline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const freeze = (name: string) => object('Freeze', name, "{ reason: r, by: b, since: '2026-11-26T00:00:00Z' }");
const drainOf = (name: string, blade: string) =>
  object('Drain', name, `{ target: { kind: Blade, name: ${blade} }, reason: r, expires: '${expires}' }`);

test('an object of another kind that has the name of the new one stays', async () => {
  await writeFile(join(folder, 'a.yaml'), freeze('blade-paris-blade-1'));
  await drain(blade1);
  const { freezes, drains } = await loadPlatformOrThrow([folder]);
  expect([...freezes.keys(), ...drains.keys()]).toEqual(['blade-paris-blade-1', 'blade-paris-blade-1']);
});

test('a document that would change with the one that is removed stops the edit, and the file stays as it was', async () => {
  const text = `${freeze('one')}---\n${drainOf('two', blade1.name)}...\n%YAML 1.2\n---\n${freeze('three')}`;
  await writeFile(join(folder, 'mine.yaml'), text);
  await expect(undrain(blade1.name)).rejects.toMatchObject({
    problems: [{ reason: 'SharedFile', message: expect.stringContaining('cannot be parted safely') }],
  });
  expect(await readFile(join(folder, 'mine.yaml'), 'utf8')).toBe(text);
});

test('a file keeps its mode, and a new one is for everybody to read', async () => {
  const modeOf = async () => ((await stat(own())).mode & 0o777).toString(8);
  await drain(blade1);
  expect(await modeOf()).toBe('644');
  await chmod(own(), 0o640);
  await drain(blade1, 'memory');
  expect(await modeOf()).toBe('640');
});

test('who reads a file while it is written reads the one before, and nothing stays beside it', async () => {
  await drain(blade1);
  const before = await readFile(own(), 'utf8');
  const reader = await open(own());
  try {
    const edit = await planned(blade1, 'memory');
    await writeEdits(edit.edits);
    expect((await reader.readFile()).toString('utf8')).toBe(before);
  } finally {
    await reader.close();
  }
  expect(await readFile(own(), 'utf8')).toContain('memory');
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('each worker has a Drain of its own, however long its name is and whatever dots it has', async () => {
  const names = [
    'ip-10-1-2-3.eu-central-1.compute.internal',
    'ip-10-1-2-3-eu-central-1-compute-internal',
    `${'a'.repeat(60)}1`,
    `${'a'.repeat(60)}2`,
    `${'b'.repeat(55)}-c`,
    `${'n'.repeat(60)}.${'n'.repeat(60)}.example`,
  ];
  for (const name of names) await drain({ kind: 'Worker', name });
  expect((await drained()).toSorted()).toEqual(names.toSorted());
  for (const name of names) await writeEdits((await undraining([folder], { kind: 'Worker', name }, now)).edits);
  expect(await drained()).toEqual([]);
});

test('a blade that no pool has is refused before anything of a file is said', async () => {
  const refused = planned({ kind: 'Blade', name: 'paris-blade-9' });
  await expect(refused).rejects.toMatchObject({ problems: [expect.not.objectContaining({ file: expect.anything() })] });
});
