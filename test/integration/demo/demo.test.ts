import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoReport } from '../../../src/lab/demo/report.ts';

/** `make demo ONCE=1`, as its report tells it: all steps of the scenario, in order, judged by the clients. */
const steps = [
  'pods-routable',
  'ingress-direct',
  'steering',
  'scale-up',
  'blade-drained',
  'blade-killed',
  'uplink-cut',
  'cluster-lost',
  'cluster-back',
  'cloud-region-lost',
  'input-lost',
  'agents-restarted',
];
/** Steps in which no request may fail. */
const unnoticed = [
  'pods-routable',
  'ingress-direct',
  'steering',
  'scale-up',
  'blade-drained',
  'input-lost',
  'agents-restarted',
];

let folder = '';
let report: DemoReport;
let output = '';
let code: number | null = null;
let processesBefore: readonly string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-demo-'));
  processesBefore = await processes();
  const words = ['demo', '--once', '--report', join(folder, 'report.json'), '--state', join(folder, 'lab')];
  const child = spawn('bin/tideline', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  [code] = (await once(child, 'exit')) as [number | null];
  report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as DemoReport;
}, 600_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('plays every step of the scenario, in order', () => {
  expect(report.steps.map(({ name }) => name)).toEqual(steps);
});

it.each(steps)('%s goes well', (name) => {
  const step = report.steps.find((candidate) => candidate.name === name);
  expect({ ok: step?.ok, detail: step?.detail }).toEqual({ ok: true, detail: step?.detail });
  expect(step?.requests).toBeGreaterThan(0);
});

it.each(unnoticed)('%s costs no request', (name) => {
  expect(report.steps.find((step) => step.name === name)?.failed).toBe(0);
});

it('never reloads nginx, and stays within its memory', () => {
  expect(report.nginxReloads).toBe(0);
  expect(report.memoryMiB).toBeGreaterThan(0);
  expect(report.memoryMiB).toBeLessThan(3072);
});

it('exits with 0 and a summary', () => {
  expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
  expect(output).toContain('12 of 12 steps went well');
});

it('leaves no process behind', async () => {
  expect((await processes()).filter((id) => !processesBefore.includes(id)).length).toBe(0);
});

/** Programs of a lab that run on this machine, `pid command`. */
async function processes(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    ids.map(async (id) => `${id} ${await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')}`),
  );
  return commands.filter((line) =>
    /\b(bird|exabgp|nginx|pdns_server|relay\/main|clients\/main|route53\/main)\b/.test(line),
  );
}
