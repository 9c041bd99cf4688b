import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type StepReport, summarise, summary, writeReport } from './report.ts';

const step = (ok: boolean): StepReport => ({
  name: 'a',
  ok,
  seconds: 1,
  requests: 10,
  failed: 0,
  retried: 0,
  recoveredAfterMs: null,
  alerts: [],
  detail: '',
});
const figures = { notPlayed: [], nginxReloads: 0, firstServedAfterMs: 5000, memoryMiB: 900 };

describe('summarise', () => {
  it('is ok when every step is and nothing was reloaded', () => {
    expect(summarise([step(true), step(true)], figures).ok).toBe(true);
  });
  it.each([
    ['a step failed', [step(true), step(false)], figures],
    ['nginx was reloaded', [step(true)], { ...figures, nginxReloads: 1 }],
    ['there were no steps', [], figures],
  ])('is not ok when %s', (_case, steps, figuresOfCase) => {
    expect(summarise(steps, figuresOfCase).ok).toBe(false);
  });
});

it('tells how it went, what went wrong and was left out, which alerts fired, and where the report is', () => {
  const lost = { ...step(false), name: 'b', failed: 3, alerts: ['TidelineBladesGone paris'], detail: 'no route' };
  expect(summary(summarise([step(true), lost], { ...figures, notPlayed: ['c', 'd'] }), '/tmp/report.json')).toEqual([
    '1 of 2 steps went well, 20 requests of which 3 failed, 0 nginx reloads, first request served after 5.0 s, 900 MiB',
    'FAILED b: no route',
    'not played: c, d',
    'alerts that fired: TidelineBladesGone paris',
    'report in /tmp/report.json',
  ]);
});

it('writes the report as JSON', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-report-'));
  try {
    const file = join(folder, 'demo', 'report.json');
    await writeReport(file, summarise([step(true)], figures));
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      ok: true,
      nginxReloads: 0,
      steps: [{ name: 'a' }],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
