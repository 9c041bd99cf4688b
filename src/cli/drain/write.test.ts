import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blade } from '../../../test/support/snapshot.ts';
import type { Snapshot } from '../../observe/snapshot.ts';
import { type DrainEdit, drainInFolder, undrainEverywhere } from '../../platform/drain-edits.ts';
import { readValid } from '../../platform/spec-edit.ts';
import { type WholeSpec } from '../../platform/whole.ts';
import { planOf, writeDrains } from './write.ts';

const takenAtMs = Date.UTC(2026, 10, 27);
const agents = [blade('paris-blade-1'), blade('paris-blade-2')];
const snapshot: Snapshot = { takenAtMs, agents, clusters: [], pools: [], drains: [] };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-drain-write-'));
  await cp('examples/hybrid', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function spec(): Promise<WholeSpec> {
  return { folder: (await readValid([folder], takenAtMs)).documents, apis: [], unread: new Map() };
}

async function drain(name: string, expires = '2026-11-27T02:00:00Z'): Promise<DrainEdit> {
  const wanted = { target: { kind: 'Blade' as const, name }, reason: 'disks', expires };
  return drainInFolder([folder], await spec(), wanted, takenAtMs);
}

const rim = {
  read: () => readValid([folder], takenAtMs),
  writeObject: async () => {
    throw new Error('no API is concerned');
  },
};

async function write(edit: DrainEdit, force = false) {
  const plan = planOf(edit, snapshot);
  expect(force || plan.refusals.length === 0).toBe(true);
  const written = await writeDrains({ edit, plan, snapshot, force }, rim);
  return { ...written, reasons: written.plan.refusals.map(({ reason }) => reason) };
}

const written = async () => (await readdir(folder)).filter((name) => name.startsWith('drain-')).toSorted();

test('of two drains that were planned at the same moment the second gives way, with the reason', async () => {
  const [one, two] = [await drain('paris-blade-1'), await drain('paris-blade-2')];
  expect(await write(one)).toMatchObject({ stands: true, reasons: [] });
  expect(await write(two)).toMatchObject({ stands: false, reasons: ['LeavesVip'] });
  expect(await written()).toEqual(['drain-blade-paris-blade-1.yaml']);
});

test('two drains that are written beside each other never both stand', async () => {
  const edits = [await drain('paris-blade-1'), await drain('paris-blade-2')];
  const results = await Promise.all(edits.map((edit) => write(edit)));
  const stand = results.filter(({ stands }) => stands).length;
  expect(stand).toBeLessThan(2);
  expect(await written()).toHaveLength(stand);
});

test('with force both stand', async () => {
  const [one, two] = [await drain('paris-blade-1'), await drain('paris-blade-2')];
  await write(one);
  expect(await write(two, true)).toMatchObject({ stands: true });
  expect(await written()).toHaveLength(2);
});

test('what gives way leaves an older Drain of its target as it was', async () => {
  const own = join(folder, 'drain-blade-paris-blade-2.yaml');
  await write(await drain('paris-blade-2', '2026-11-26T23:00:00Z'), true);
  const over = await readFile(own, 'utf8');
  const [one, two] = [await drain('paris-blade-1'), await drain('paris-blade-2')];
  await write(one);
  expect(await write(two)).toMatchObject({ stands: false, reasons: ['LeavesVip'] });
  expect(await readFile(own, 'utf8')).toBe(over);
});

test('a folder that another change made invalid takes the edit back, and says what is wrong there', async () => {
  const edit = await drain('paris-blade-1');
  await writeFile(join(folder, 'other.yaml'), 'kind: [Site');
  await expect(write(edit)).rejects.toThrow(/other\.yaml/);
  expect(await written()).toEqual([]);
});

test('an undrain stands beside a drain of the other blade', async () => {
  await write(await drain('paris-blade-1'));
  const back = await undrainEverywhere([folder], await spec(), { kind: 'Blade', name: 'paris-blade-1' }, takenAtMs);
  await write(await drain('paris-blade-2'), true);
  expect(await write(back)).toMatchObject({ stands: true, reasons: [] });
  expect(await written()).toEqual(['drain-blade-paris-blade-2.yaml']);
});
