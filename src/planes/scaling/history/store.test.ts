import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countries } from '../../../model/geo/countries.ts';
import { states } from '../../../model/geo/states.ts';
import { type Step, stepMs, stepsPerDay } from '../forecast/history.ts';
import { lineOf } from './lines.ts';
import { appendStep, readHistory } from './store.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'tideline-history-')), 'history');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const start = Date.UTC(2026, 10, 28, 12);
const step = (number: number, rate = 1.5): Step => ({
  atMs: start + number * stepMs,
  requestsPerSecond: { FR: rate, 'US-CA': 0 },
  unknownPerSecond: 0.25,
});

async function append(...steps: readonly Step[]): Promise<void> {
  for (const one of steps) await appendStep(folder, one);
}

test('what was appended is read, in files of a day', async () => {
  const steps = [step(0), step(1), step(stepsPerDay)];
  await append(...steps);
  expect(await readHistory(folder)).toEqual({ steps, damaged: 0 });
  expect(readdirSync(folder)).toEqual(['2026-11-28.jsonl', '2026-11-29.jsonl']);
});

test('a line that was cut at any byte costs that step alone, and what is appended later is read', async () => {
  await append(step(0), step(1));
  const path = join(folder, '2026-11-28.jsonl');
  const whole = readFileSync(path);
  const first = whole.indexOf('\n') + 1;
  for (let size = 0; size < whole.length; size += 1) {
    writeFileSync(path, whole);
    truncateSync(path, size);
    await append(step(2));
    const { steps, damaged } = await readHistory(folder);
    // A line whose end alone was lost is whole.
    const left = size >= whole.length - 1 ? [step(0), step(1)] : size >= first - 1 ? [step(0)] : [];
    expect(steps, `cut at ${size}`).toEqual([...left, step(2)]);
    expect(damaged).toBeLessThanOrEqual(1);
  }
});

test('sixteen days are kept, and a clock that was a year ahead for once costs one of them', async () => {
  await append(step(365 * stepsPerDay), ...Array.from({ length: 20 }, (_, day) => step(day * stepsPerDay)));
  expect(readdirSync(folder)).toHaveLength(16);
  expect((await readHistory(folder)).steps.map(({ atMs }) => (atMs - start) / stepMs / stepsPerDay)).toEqual([
    ...Array.from({ length: 15 }, (_, index) => index + 5),
    365,
  ]);
});

test('other files in the folder are left alone', async () => {
  await append(step(0));
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await append(...Array.from({ length: 20 }, (_, day) => step(day * stepsPerDay)));
  expect(readdirSync(folder)).toContain('notes.txt');
});

test('what is no figure is counted and left out', async () => {
  await append(step(0));
  writeFileSync(
    join(folder, '2026-11-27.jsonl'),
    '{"atMs":"now"}\n[]\n\0\0\0\n{"atMs":1,"requestsPerSecond":{"FR":-1}}\n{"atMs":1,"requestsPerSecond":{"FR":1e999}}\n',
  );
  expect(await readHistory(folder)).toEqual({ steps: [step(0)], damaged: 5 });
});

test('what is no file of a history is refused at once, and a file that grows without end is not written on', async () => {
  await append(step(0));
  await promisify(execFile)('mkfifo', [join(folder, '2026-11-29.jsonl')]);
  await expect(append(step(stepsPerDay))).rejects.toThrow('no regular file');
  await expect(readHistory(folder)).rejects.toThrow('no regular file');
  writeFileSync(join(folder, '2026-11-30.jsonl'), Buffer.alloc(2 << 20, 10));
  await expect(append(step(2 * stepsPerDay))).rejects.toThrow('a day of a history has at most 2097152');
});

test('a folder that is not there has no history', async () => {
  await expect(readHistory(folder)).rejects.toThrow('ENOENT');
});

test('a day of every country and state, with all digits, fits into a file', () => {
  const rates = Object.fromEntries([...countries, ...states].map(({ code }, index) => [code, 12345.678 + index]));
  const bytes = Buffer.byteLength(lineOf({ atMs: start, requestsPerSecond: rates, unknownPerSecond: 12345.678 })) + 1;
  expect(bytes * stepsPerDay).toBeLessThan(1.4e6);
});

test('files are for their user and group', async () => {
  await append(step(0));
  expect(statSync(join(folder, '2026-11-28.jsonl')).mode & 0o007).toBe(0);
});
