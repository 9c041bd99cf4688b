import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabStatus } from '../../../lab/observe/status.ts';
import { descendants, LabProcess, lab, leftovers, pidsMentioning, until } from './labprocess.ts';
import { runTasks } from './tasks.ts';

const servedTimeoutMs = 100_000;

async function status(state: string): Promise<LabStatus> {
  const { code, stdout, stderr } = await lab('status', '--json', '--memory', '--state', state);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as LabStatus;
}

describe('a lab from start to end', () => {
  let folder = '';
  let state = '';
  let running: LabProcess;
  const before = leftovers();
  let filesBefore: readonly string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp('/tmp/tl-lab-');
    state = join(folder, 'a');
    filesBefore = (await readdir('/run')).sort();
    // With certificates and Prometheus, of which what follows takes no notice: it holds with them as without.
    running = new LabProcess(state, [], ['--tls', '--alerts']);
    await running.waitForOutput(/every country is served\n\nready; [^]*Prometheus watches the alerts/, servedTimeoutMs);
  });
  afterAll(async () => {
    running.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves every country, each session is up, nothing runs twice', async () => {
    await until(async () => {
      const { routers, countries, agents, services } = await status(state);
      const missing = [
        ...routers.flatMap((r) => r.sessions.filter((s) => !s.established).map((s) => `${r.name}-${s.neighbor}`)),
        ...countries.filter((c) => Object.keys(c.servedBy).length === 0).map((c) => c.country),
        ...countries.filter((c) => c.route53.length === 0 || c.powerdns.length === 0).map((c) => `DNS of ${c.country}`),
        ...agents.filter((agent) => agent.status === undefined).map((agent) => agent.server),
        ...services.filter((service) => service.state !== 'running').map((service) => service.name),
      ];
      return missing.length === 0 ? undefined : `missing: ${missing.join(' ')}`;
    }, 30_000);
    const { countries, memory, compressed } = await status(state);
    expect(countries.length).toBeGreaterThanOrEqual(8);
    expect(compressed).toMatchObject({ healthFactor: 10, ttlSeconds: 2 });
    expect(memory?.totalMiB).toBeLessThan(3072);
  });

  it('has a Prometheus that every agent lets in with its certificate', async () => {
    const asked = ['exec', '--state', state, '--', 'curl', '-s', 'http://127.0.0.1:9090/api/v1/targets?state=active'];
    await until(async () => {
      const { stdout } = await lab(...asked);
      const { data } = JSON.parse(stdout) as { data: { activeTargets: { scrapeUrl: string; health: string }[] } };
      const up = data.activeTargets.filter(
        ({ scrapeUrl, health }) => scrapeUrl.startsWith('https:') && health === 'up',
      );
      return up.length === 8 ? undefined : `only these are asked: ${up.map(({ scrapeUrl }) => scrapeUrl).join(' ')}`;
    }, 15_000);
    expect((await status(state)).alerts).toBeDefined();
  });

  it('is the only lab of its state folder', async () => {
    expect(await lab('up', '--state', state)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /a lab is running in .*\(LabRunning\)\n {4}fix: end it with: tideline lab down --state \S+; or choose another folder/,
      ),
    });
  });

  it('kills a blade and heals it; the router follows', async () => {
    const vip = async (): Promise<readonly string[]> =>
      (await status(state)).routes['paris-tor']?.find((route) => route.prefix === '192.0.2.10/32')?.via ?? [];
    // As the operator asks, from inside the lab.
    const overview = () => lab('exec', '--state', state, '--', 'tideline', 'status', join(state, 'platform'));
    const announcers = (count: number) =>
      until(async () => {
        const via = await vip();
        return via.length === count ? undefined : `192.0.2.10 is announced by ${via.join(' ')}`;
      }, 30_000);
    await announcers(2);
    expect(await overview()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\S+ {2}all well, as far as agents and ExaBGP know: 8 agents answer/),
    });
    const begun = await lab('fault', 'blade-killed', 'paris-blade-1', '--state', state);
    expect(begun).toMatchObject({ code: 0, stdout: expect.stringContaining('blade-killed paris-blade-1: ') });
    await announcers(1);
    expect(await overview()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^\S+ {2}FAULT: paris-blade-1 (cannot be reached|does not answer)[^\n]*\n[^]*192\.0\.2\.10 +paris-blade-2 \(1 of 2 blades do not answer\)/,
      ),
    });
    expect((await status(state)).faults).toMatchObject([{ name: 'blade-killed', target: 'paris-blade-1' }]);
    expect(await lab('heal', '--state', state)).toMatchObject({ stdout: 'healed blade-killed paris-blade-1\n' });
    await announcers(2);
    expect(await lab('heal', '--state', state)).toMatchObject({ stdout: 'nothing to heal\n' });
  });

  it('starts again what is killed, and leaves no zombie', async () => {
    await lab('fault', 'agents-killed', '--state', state);
    await until(async () => {
      const killed = (await status(state)).services.filter((service) => service.name.endsWith('-agent'));
      const missing = killed.filter((service) => service.state !== 'running' || service.restarts === 0);
      return missing.length === 0 ? undefined : `not started again: ${missing.map((s) => s.name).join(' ')}`;
    }, 15_000);
    await until(() => {
      const zombies = descendants(running.child.pid ?? 0).filter((one) => one.state === 'Z');
      return zombies.length === 0 ? undefined : `${zombies.length} zombies`;
    }, 5000);
  });

  it('runs a command on a machine of the lab, with its exit code', async () => {
    const place = ['exec', '--state', state, '--on', 'paris-blade-1', '--'];
    expect(await lab(...place, 'ip', '-br', 'addr', 'show', 'lo')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('192.0.2.10/32'),
    });
    expect(await lab(...place, 'sh', '-c', 'exit 7')).toMatchObject({ code: 7 });
    expect(await lab('exec', '--state', join(folder, 'none'), '--', 'true')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('(NoLab)'),
    });
  });

  it('shows what programs of a machine wrote last', async () => {
    const logs = await lab('logs', 'paris-blade-1', '--lines', '1000', '--state', state);
    expect(logs.code).toBe(0);
    expect(logs.stdout).toMatch(/^paris-blade-1-edge-agent: \{.*"level"/m);
    expect(await lab('logs', 'paris-blad-1', '--state', state)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/did you mean "paris-blade-1/),
    });
  });

  it.each([
    [['fault', 'earthquake'], /there is no fault earthquake .*\n {4}expected: agents-killed, blade-drained/],
    [
      ['fault', 'blade-killed', 'tokyo-blade-1'],
      /blade-killed cannot hit tokyo-blade-1 .*\n {4}expected: paris-blade-1/,
    ],
    [
      ['fault', 'control-plane-lost'],
      /cannot hit anything here .*\n {4}expected: a lab that was started with --kubernetes/,
    ],
    [['heal', 'earthquake'], /there is no fault earthquake/],
  ])('refuses %s', async (words, message) => {
    expect(await lab(...words, '--state', state)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });

  describe('the tasks of docs/operations/tasks.md', () => runTasks(() => state));

  it('runs beside another lab, which ends with its parent', async () => {
    const other = new LabProcess(join(folder, 'b'), ['sh', '-c', '"$@"; exit', 'parent']);
    await other.waitForOutput(/network: /, 30_000);
    other.child.kill('SIGKILL');
    await until(() => {
      const left = pidsMentioning(other.state).length;
      return left === 0 ? undefined : `${left} processes are left`;
    }, 10_000);
    expect(await lab('status', '--state', other.state)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no lab is running'),
    });
    expect((await status(state)).countries.length).toBeGreaterThan(0);
  });

  it('ends completely by `lab down`', async () => {
    // What is not seen now would not be seen when it is left.
    expect(pidsMentioning(state).length).toBeGreaterThan(10);
    expect(leftovers().namespaces.length).toBeGreaterThan(before.namespaces.length + 10);
    expect(await readdir(state)).toContain('lab.sock');
    expect(await lab('down', '--state', state)).toMatchObject({ code: 0 });
    expect(await running.exitCode(10_000)).toBe(0);
    await until(() => {
      const left = pidsMentioning(state);
      return left.length === 0 ? undefined : `${left.length} processes are left`;
    }, 10_000);
    await until(() => {
      const extra = leftovers().namespaces.filter((namespace) => !before.namespaces.includes(namespace));
      return extra.length === 0 ? undefined : `left: ${extra.join(' ')}`;
    }, 5000);
    expect(leftovers().mounts).toEqual(before.mounts);
    expect((await readdir('/run')).sort()).toEqual(filesBefore);
    expect((await readdir(state)).sort()).not.toContain('lab.sock');
    expect(await lab('down', '--state', state)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('fix: start one with: tideline lab up'),
    });
  });
});
