import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LabStatus } from '../../../lab/observe/status.ts';
import { taskNamed } from '../../support/tasks.ts';
import { LabProcess, lab, runCommand, until } from './labprocess.ts';

/**
 * The commands of docs/operations/tasks.md by which a data centre joins the platform of the example, in a lab with all of its servers and
 * routers.
 */
let folder = '';
let running: LabProcess;
const { commands } = taskNamed('add a data centre');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tl-new-'));
  await cp('examples/hybrid', join(folder, 'platform'), { recursive: true });
  const [add = ''] = commands;
  const script = `cd '${folder}' && PATH="${resolve('bin')}:$PATH" && ${add}`;
  const { code, stdout, stderr } = await runCommand('sh', ['-c', script]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ {2}10\.3\.0\.21: deploy\/install blade rome-edge rome-blade-1$/m);
  running = new LabProcess(join(folder, 'lab'), [], ['--spec', join(folder, 'platform')]);
  await running.waitForOutput(/first request served/, 300_000);
}, 400_000);

afterAll(async () => {
  running?.child.kill('SIGTERM');
  await running?.exitCode(60_000).catch(() => running.destroy());
  await rm(folder, { recursive: true, force: true });
}, 90_000);

const inPlatform = (command: string) =>
  lab('exec', '--state', running.state, '--', 'sh', '-c', `cd "$0" && ${command}`, running.state);

it('announces the VIP of the new data centre from each of its blades, and its pods from its workers', async () => {
  await until(async () => {
    const status = JSON.parse((await lab('status', '--json', '--state', running.state)).stdout) as LabStatus;
    const routes = status.routes['rome-tor'] ?? [];
    const via = routes.find(({ prefix }) => prefix === '203.0.114.10/32')?.via ?? [];
    const pods = routes.filter(({ prefix }) => prefix.startsWith('10.30.'));
    return via.length === 2 && pods.length > 0 ? undefined : `rome-tor has ${JSON.stringify(routes)}`;
  }, 120_000);
});

it('has the blades under the names that the command for its servers says', async () => {
  const [, install = ''] = commands;
  const [, pool, blade] = /install blade (\S+) (\S+)$/.exec(install) ?? [];
  await until(async () => {
    const { stdout } = await inPlatform(`tideline why blade ${blade} platform`);
    return /^(?!.*FAILS)/.test(stdout) && stdout.includes(String(pool)) ? undefined : stdout;
  }, 60_000);
});

it('leads no user there until a policy does, and a plan weighs countries by what blades measured', async () => {
  const [measure = '', plan = ''] = taskNamed('weigh countries by what they ask').commands;
  await until(async () => {
    const { code, stdout } = await inPlatform(measure);
    return code === 0 && /^ {2}FR +\d+\.\d\d requests\/s$/m.test(stdout) ? undefined : stdout;
  }, 120_000);
  expect((await inPlatform(plan)).stdout).toMatch(/nothing to do$/m);
  await inPlatform("sed -i 's/, SN\\b//' platform/traffic.yaml");
  const { stdout } = await inPlatform(plan);
  expect(stdout).toMatch(/paris -> cloud: SN/);
  expect(stdout).toMatch(
    /\(countries count by [\d.]+ requests\/s of \d+ of them, measured \d+ min ago; each of the other/,
  );
  expect(stdout).not.toContain('rome');
});
