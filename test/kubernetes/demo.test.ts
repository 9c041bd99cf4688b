import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoReport } from '../../src/lab/demo/report.ts';

/** `make demo KUBERNETES=1 ONCE=1`: the scenario on real control planes, as its report tells it. */
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
  'apiserver-lost',
  'blade-cold-start',
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
  'apiserver-lost',
];

let folder = '';
let report: DemoReport;
let code: number | null = null;
let processesBefore: readonly string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-kubernetes-demo-'));
  processesBefore = await processes();
  const words = [
    'demo',
    '--once',
    '--kubernetes',
    '--report',
    join(folder, 'report.json'),
    '--state',
    join(folder, 'lab'),
  ];
  const child = spawn('bin/tideline', words, { stdio: ['ignore', 'inherit', 'inherit'] });
  [code] = (await once(child, 'exit')) as [number | null];
  report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as DemoReport;
}, 900_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('plays the twelve steps and two more, in order', () => {
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

it('never reloads nginx, and exits with 0', () => {
  expect({ code, ok: report.ok, reloads: report.nginxReloads }).toEqual({ code: 0, ok: true, reloads: 0 });
});

it('leaves no process behind', async () => {
  expect((await processes()).filter((line) => !processesBefore.includes(line))).toEqual([]);
});

/** Programs of a lab that run on this machine, `pid command`. */
async function processes(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    ids.map(async (id) => `${id} ${await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')}`),
  );
  return commands.filter((line) =>
    /\b(bird|exabgp|nginx|pdns_server|calico-ipam|etcd|kube-apiserver|kube-controller-manager|kube-scheduler)\0/.test(
      line,
    ),
  );
}
