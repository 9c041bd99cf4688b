import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { draining, undraining } from './drain-files.ts';
import { loadPlatformOrThrow } from './load.ts';
import { writeEdits } from './spec-edit.ts';

const now = Date.UTC(2026, 10, 27);
const expires = '2026-11-27T02:00:00Z';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-drain-'));
  await cp('examples/hybrid', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function drain(kind: 'Site' | 'Blade', name: string, reason = 'disks'): Promise<void> {
  const { edits } = await draining([folder], { target: { kind, name }, reason, expires }, now);
  await writeEdits(edits);
}

async function undrain(name: string): Promise<void> {
  await writeEdits((await undraining([folder], { kind: 'Blade', name }, now)).edits);
}

const drains = async () =>
  [...(await loadPlatformOrThrow([folder])).drains.values()].map(({ spec }) => [spec.target.name, spec.reason]);

test('a Drain is a file of its own that the loader reads, and goes as it came', async () => {
  const before = await readdir(folder);
  await drain('Blade', 'paris-blade-1', 'a "quoted": reason # of disks');
  expect(await drains()).toEqual([['paris-blade-1', 'a "quoted": reason # of disks']]);
  await undrain('paris-blade-1');
  expect(await readdir(folder)).toEqual(before);
});

test('a second Drain of the same target takes the place of the first', async () => {
  await drain('Blade', 'paris-blade-1');
  await drain('Blade', 'paris-blade-1', 'memory');
  await drain('Blade', 'paris-blade-2');
  expect(await drains()).toEqual([
    ['paris-blade-1', 'memory'],
    ['paris-blade-2', 'disks'],
  ]);
});

test('an edit is not written before it is asked for, and says both specs', async () => {
  const target = { kind: 'Site', name: 'paris' } as const;
  const edit = await draining([folder], { target, reason: 'power', expires }, now);
  expect([edit.before.drains.size, edit.after.drains.size]).toEqual([0, 1]);
  expect(await drains()).toEqual([]);
});

const handWritten = (name: string) => `kind: Drain
apiVersion: tideline.dev/v1alpha1
metadata: { name: by-hand-${name} }
spec: { target: { kind: Blade, name: ${name} }, reason: by hand, expires: '2099-01-01T00:00:00Z' }
`;

test('what a person wrote by hand is removed too, and what stands beside it stays as it is', async () => {
  const [one, two] = [handWritten('paris-blade-1'), handWritten('paris-blade-2')];
  const file = join(folder, 'mine.yaml');
  await writeFile(file, `# Ours.\n${one}---\n# Keep this.\n${two}--- # empty\n---\n${one.replace('by-hand', 'again')}`);
  await undrain('paris-blade-1');
  expect(await readFile(file, 'utf8')).toContain(`# Keep this.\n${two}`);
  expect(await drains()).toEqual([['paris-blade-2', 'by hand']]);
  await undrain('paris-blade-2');
  expect(await drains()).toEqual([]);
  expect(await readdir(folder)).not.toContain('mine.yaml');
});

test.each([
  ['a site that does not exist', () => drain('Site', 'pariss'), /no Site "pariss".*did you mean "paris"/s],
  ['a blade that does not exist', () => drain('Blade', 'paris-blade-9'), /no blade "paris-blade-9"/],
  ['a reason with a line end', () => drain('Blade', 'paris-blade-1', 'a\nb'), /spec\.reason/],
])('%s is refused, and nothing is written', async (_, attempt, says) => {
  const before = await readdir(folder);
  await expect(attempt()).rejects.toThrow(says);
  expect(await readdir(folder)).toEqual(before);
});

test('without a folder there is no place for a Drain', async () => {
  const files = ['sites.yaml', 'clusters.yaml', 'traffic.yaml'].map((name) => join(folder, name));
  const target = { kind: 'Blade', name: 'paris-blade-1' } as const;
  await expect(draining(files, { target, reason: 'disks', expires }, now)).rejects.toThrow(/NoFolder/);
});

test('a Drain that stands with other objects in one file is not replaced, since they would go with it', async () => {
  const own = handWritten('paris-blade-1').replace('by-hand-paris-blade-1', 'blade-paris-blade-1');
  await writeFile(join(folder, 'shared.yaml'), `${own}---\n${handWritten('paris-blade-2')}`);
  await expect(drain('Blade', 'paris-blade-1')).rejects.toMatchObject({ problems: [{ reason: 'SharedFile' }] });
});

test('a blade that no pool has is refused', async () => {
  await expect(drain('Blade', 'paris-blade-9')).rejects.toMatchObject({ problems: [{ reason: 'UnknownName' }] });
});

test('the Drain of a worker stays when a blade of the same name is undrained', async () => {
  const ofWorker = handWritten('paris-blade-1').replace('kind: Blade', 'kind: Worker').replace('by-hand', 'worker');
  await writeFile(join(folder, 'worker.yaml'), ofWorker);
  await drain('Blade', 'paris-blade-1');
  await undrain('paris-blade-1');
  expect(await drains()).toEqual([['paris-blade-1', 'by hand']]);
});
