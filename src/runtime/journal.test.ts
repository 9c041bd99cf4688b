import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { type Entry, Journal } from './journal.ts';
import { silentLog } from './log.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-journal-'));
  path = join(folder, 'history.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const clock = new FakeClock();
const opened = async (maxBytes?: number): Promise<Journal> => {
  const journal = new Journal({ path, clock, log: silentLog, ...(maxBytes && { maxBytes }) });
  await journal.open();
  return journal;
};
const entries = (from: number, to: number): readonly (Entry & { readonly text: string })[] =>
  Array.from({ length: to - from }, (_, at) => ({ atMs: from + at, text: 'x'.repeat(80) }));
const times = (journal: Journal, sinceMs = 0) => journal.told(sinceMs).entries.map(({ atMs }) => atMs);

it('tells what an earlier one wrote, and what was appended since', async () => {
  const first = await opened();
  first.append(entries(1, 4));
  await first.close();
  const second = await opened();
  second.append(entries(4, 6));
  expect(times(second)).toEqual([1, 2, 3, 4, 5]);
  expect(times(second, 4)).toEqual([4, 5]);
  await second.close();
  expect(times(await opened())).toEqual([1, 2, 3, 4, 5]);
});

it('keeps two generations and no more, whatever is appended', async () => {
  const journal = await opened(10_000);
  for (let turn = 0; turn < 100; turn++) {
    journal.append(entries(turn * 10, turn * 10 + 10));
    await journal.close();
  }
  expect((await readdir(folder)).toSorted()).toEqual(['history.jsonl', 'history.jsonl.1']);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(10_000);
  const kept = times(await opened(10_000));
  expect(kept.at(-1)).toBe(999);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 1000 - kept.length + at));
  expect(kept.length).toBeGreaterThan(90);
});

it('skips what cannot be read and counts it, and a line that was cut takes no other with it', async () => {
  await writeFile(path, '{"atMs":1}\n\u0000garbage\n{"atMs":"soon"}\n{"atMs":2}\n{"atMs":3,"wh');
  const journal = await opened();
  expect([times(journal), journal.told(0).damaged]).toEqual([[1, 2], 3]);
  journal.append([{ atMs: 4 }]);
  await journal.close();
  const again = await opened();
  expect([times(again), again.told(0).damaged]).toEqual([[1, 2, 4], 3]);
});

it('says by name that it cannot be written, keeps what waits, and writes it when it can', async () => {
  const journal = new Journal({ path: join(folder, 'file', 'history.jsonl'), clock, log: silentLog });
  await writeFile(join(folder, 'file'), '');
  await journal.open();
  journal.append([{ atMs: 1 }]);
  await journal.close();
  expect(journal.told(0)).toMatchObject({
    entries: [{ atMs: 1 }],
    problem: expect.stringMatching(/^HistoryNotWritten: /),
  });
  await rm(join(folder, 'file'));
  journal.append([{ atMs: 2 }]);
  await journal.close();
  expect(journal.told(0)).not.toHaveProperty('problem');
  expect(await readFile(join(folder, 'file', 'history.jsonl'), 'utf8')).toBe('{"atMs":1}\n{"atMs":2}\n');
});

it('says a full disk by name', async () => {
  const journal = new Journal({ path: '/dev/full', clock, log: silentLog });
  journal.append([{ atMs: 1 }]);
  await journal.close();
  expect(journal.told(0).problem).toMatch(/^HistoryNotWritten: \/dev\/full: /);
});

it.each(['FIFO', 'folder'])('never writes to a %s in its place, and does not wait for it', async (what) => {
  if (what === 'FIFO') await promisify(execFile)('mkfifo', [path]);
  else await mkdir(path);
  const journal = await opened();
  journal.append([{ atMs: 1 }]);
  await journal.close();
  expect(journal.told(0).problem).toContain('HistoryNotWritten');
});

it('keeps two thousand entries in memory', async () => {
  const journal = await opened();
  journal.append(entries(0, 5000));
  expect(times(journal)).toHaveLength(2000);
  await journal.close();
  expect(times(await opened())).toHaveLength(2000);
});
