import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FleetReport } from '../../lab/fleet-demo/report.ts';
import { fleetScenario } from '../../lab/fleet-demo/scenario.ts';
import { stateOfLab } from '../support/compile-cache.ts';

/** Plays the scenario of `make demo FLEET=1 ONCE=1`, and judges it by its report. */
let folder: string;
let state: string;
let code: number | null;
let report: FleetReport;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-demo-fleet-'));
  state = stateOfLab(join(folder, 'lab'));
  const file = join(folder, 'report.json');
  const words = ['demo', '--fleet', '--once', '--report', file, '--state', state];
  const child = spawn('bin/tideline', words, { stdio: ['ignore', 'inherit', 'inherit'] });
  [code] = (await once(child, 'close')) as [number | null];
  report = JSON.parse(await readFile(file, 'utf8')) as FleetReport;
}, 3_600_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each(fleetScenario.map(({ name }) => name))('%s goes well', (name) => {
  const step = report.steps.find((one) => one.name === name);
  expect({ ok: step?.ok, detail: step?.detail }).toEqual({ ok: true, detail: step?.detail });
});

test('no request failed, and the demo exits with 0', () => {
  expect(report.steps.map(({ name, failed }) => [name, failed])).toEqual(report.steps.map(({ name }) => [name, 0]));
  expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
});

test('leaves no disk of a server', () => {
  expect(existsSync(join(state, 'fleet'))).toBe(false);
});
