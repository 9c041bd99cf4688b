import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { trafficSteps } from '../../../test/support/scaling/traffic.ts';
import { appendStep } from '../../planes/scaling/history/store.ts';
import { expectedDemand } from './history.ts';

const folder = mkdtempSync(join(tmpdir(), 'tideline-expected-'));
afterAll(() => rmSync(folder, { recursive: true }));

const nowMs = Date.UTC(2026, 0, 20);
const fromMs = nowMs - 15 * 86_400_000;
const steps = trafficSteps({ fromMs, days: 15, seed: 5, countries: ['FR', 'JP'] });
const file = join(folder, 'history.csv');
writeFileSync(
  file,
  steps
    .flatMap(({ atMs, requestsPerSecond }) =>
      Object.entries(requestsPerSecond).map(([place, rate]) => `${new Date(atMs).toISOString()},${place},${rate}`),
    )
    .join('\n'),
);

test('a file of fifteen days forecasts another hour, margins included', async () => {
  const evening = await expectedDemand(file, { at: 'sunday 21:00 Europe/Paris', margin: 0.2 }, nowMs);
  const night = await expectedDemand(file, { at: 'sunday 04:00 Europe/Paris', margin: 0.2 }, nowMs);
  expect(evening.basis).toContain('expected at 2026-01-25T20:00:00.000Z, by a history of 15.0 days until 0 min ago');
  expect(evening.doubts).toEqual([]);
  expect(evening.rates.measuredAtMs).toBe(nowMs);
  const [high = 0, low = 0] = [evening, night].map(({ rates }) => rates.requestsPerSecond['FR']);
  expect(high / low).toBeGreaterThan(3);
});

test('a folder of a history forecasts the next quarter of an hour; users of no known country too', async () => {
  const history = join(folder, 'history');
  for (const step of steps.slice(-12)) await appendStep(history, { ...step, unknownPerSecond: 2 });
  const next = await expectedDemand(history, { margin: 0.5 }, nowMs);
  expect(next.unknownPerSecond).toBe(3);
  expect(next.doubts?.map(({ reason }) => reason)).toEqual(['HistoryShort']);
});

test.each([
  [{ at: 'someday', margin: 0 }, 'names no moment'],
  [{ at: '2026-01-01T00:00:00Z', margin: 0 }, 'lies in the past'],
  [{ at: '2027-01-01T00:00:00Z', margin: 0 }, 'is more than 14 days ahead'],
])('%j is refused', async (options, message) => {
  await expect(expectedDemand(file, options, nowMs)).rejects.toThrow(message);
});

test('a history that is none is refused', async () => {
  await expect(expectedDemand(join(folder, 'none'), { margin: 0 }, nowMs)).rejects.toThrow('holds no history');
  await expect(expectedDemand(folder, { margin: 0 }, nowMs)).rejects.toThrow('holds no step until now');
  await expect(expectedDemand('/dev/zero', { margin: 0 }, nowMs)).rejects.toThrow('no regular file');
});
