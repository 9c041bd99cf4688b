import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { type Prefix, parsePrefix } from '../../../src/model/address.ts';
import { kernelBlackholes } from '../../../src/planes/network/kernel/blackholes.ts';
import { placesTaken } from '../../../src/planes/network/kernel/shadows.ts';

// The test runs in the namespace that `tools/isolated` made: nothing else has routes of protocol 114 there.
const run = promisify(execFile);
const prefixes = (...texts: readonly string[]): readonly Prefix[] =>
  texts.map((text) => parsePrefix(text)).filter((prefix) => prefix !== undefined);
const listed = async (): Promise<readonly string[]> =>
  (await kernelBlackholes.read()).blackholes.map(({ text }) => text);

afterEach(async () => {
  await kernelBlackholes.change([], (await kernelBlackholes.read()).blackholes);
  await run('ip', ['route', 'flush', 'proto', '80']);
});

it('adds and removes blackholes of both families, in one go and repeatedly', async () => {
  const both = prefixes('10.10.1.0/26', '10.10.2.0/26', '2001:db8:10::40/122');
  expect(await listed()).toEqual([]);
  expect(await kernelBlackholes.change(both, [])).toBe('');
  expect(await listed()).toEqual(['10.10.1.0/26', '10.10.2.0/26', '2001:db8:10::40/122']);
  expect(await kernelBlackholes.change(prefixes('10.10.3.0/26'), prefixes('10.10.1.0/26', '2001:db8:10::40/122'))).toBe(
    '',
  );
  expect(await listed()).toEqual(['10.10.2.0/26', '10.10.3.0/26']);
});

it('complains about one and does the others', async () => {
  await kernelBlackholes.change(prefixes('10.10.1.0/26'), []);
  const complaints = await kernelBlackholes.change(prefixes('10.10.1.0/26', '10.10.2.0/26'), prefixes('10.10.9.0/26'));
  expect(complaints).toContain('File exists');
  expect(complaints).toContain('No such process');
  expect(await listed()).toEqual(['10.10.1.0/26', '10.10.2.0/26']);
});

it("neither sees, replaces nor removes another program's routes", async () => {
  await run('ip', ['route', 'add', 'blackhole', '10.10.1.0/26', 'proto', '80']);
  await run('ip', ['route', 'add', 'blackhole', '10.10.2.0/26', 'proto', '80', 'metric', '65535']);
  await run('ip', ['rule', 'add', 'to', '10.10.0.0/16', 'lookup', '100', 'pref', '50']);
  expect(await listed()).toEqual([]);
  expect(placesTaken((await kernelBlackholes.read()).foreign).get('10.10.2.0/26')).toMatchObject({
    type: 'blackhole',
    protocol: '80',
  });
  expect(await kernelBlackholes.rules()).toMatchObject({
    foreign: [{ priority: 50, table: '100', to: { text: '10.10.0.0/16' } }],
    uplink: [],
  });
  await run('ip', ['rule', 'del', 'pref', '50']);
  expect(await kernelBlackholes.change(prefixes('10.10.1.0/26', '10.10.2.0/26'), [])).toContain('File exists');
  expect(await listed()).toEqual(['10.10.1.0/26']);
  await kernelBlackholes.change([], prefixes('10.10.1.0/26', '10.10.2.0/26'));
  const { stdout } = await run('ip', ['route', 'show', 'proto', '80']);
  expect(stdout).toMatch(/blackhole 10\.10\.1\.0\/26.*\n.*blackhole 10\.10\.2\.0\/26/);
});

it('adds, finds and removes its own rules of both families, for an interface that is there or not', async () => {
  const rules = prefixes('10.10.1.0/26', '2001:db8:10::40/122').flatMap((block) => [
    { block, uplink: 'lo', action: 'inside' } as const,
    { block, uplink: 'gone.100', action: 'drop' } as const,
  ]);
  expect(await kernelBlackholes.changeRules(rules, [])).toBe('');
  expect(await kernelBlackholes.rules()).toEqual({ foreign: [], uplink: rules });
  expect(await kernelBlackholes.changeRules(rules.slice(0, 1), [])).toContain('File exists');
  expect(await kernelBlackholes.changeRules([], rules)).toBe('');
  expect(await kernelBlackholes.rules()).toEqual({ foreign: [], uplink: [] });
});

it('tells of every change of routes and rules of both families, whoever makes it, until it is ended', async () => {
  let changes = 0;
  const end = kernelBlackholes.watch(
    () => changes++,
    () => {},
  );
  const told = (): Promise<void> =>
    vi.waitFor(() => expect(changes).toBeGreaterThan(0), { timeout: 20_000, interval: 20 });
  // Until it listens, a change may be missed.
  await vi.waitFor(
    async () => {
      await run('ip', ['route', 'replace', 'blackhole', '10.10.9.0/26', 'proto', '80']);
      await run('ip', ['route', 'del', 'blackhole', '10.10.9.0/26', 'proto', '80']);
      expect(changes).toBeGreaterThan(0);
    },
    { timeout: 20_000, interval: 50 },
  );
  for (const command of [
    ['route', 'add', 'blackhole', '10.10.1.0/26', 'proto', '80'],
    ['-6', 'route', 'add', 'blackhole', '2001:db8:10::40/122', 'proto', '80'],
    ['rule', 'add', 'to', '10.10.0.0/16', 'lookup', '100', 'pref', '50'],
    ['rule', 'del', 'pref', '50'],
    ['-6', 'route', 'del', 'blackhole', '2001:db8:10::40/122', 'proto', '80'],
  ]) {
    changes = 0;
    await run('ip', command);
    await told();
  }
  end();
});

it('says when it cannot tell of changes any longer', async () => {
  const ended = new Promise<void>((resolve) => kernelBlackholes.watch(() => {}, resolve));
  const { stdout } = await run('ps', ['--ppid', String(process.pid), '-o', 'pid=,args=']);
  const [, pid] = /(\d+) ip monitor route rule/.exec(stdout) ?? [];
  process.kill(Number(pid), 'SIGKILL');
  await ended;
});

it('follows no changes any longer when the agent is killed', async () => {
  const module = join(import.meta.dirname, '../../../src/planes/network/kernel/blackholes.ts');
  const script = `const { kernelBlackholes } = await import(${JSON.stringify(module)}); kernelBlackholes.watch(() => {}, () => {});`;
  const agent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const monitor = async (): Promise<string | undefined> => {
    const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=,args=']);
    return new RegExp(`^ *(\\d+) +${agent.pid} ip monitor route rule$`, 'm').exec(stdout)?.[1];
  };
  await expect.poll(monitor, { timeout: 20_000 }).toBeDefined();
  const pid = await monitor();
  agent.kill('SIGKILL');
  const isGone = async (): Promise<boolean> =>
    (await run('ps', ['-o', 'stat=', '-p', `${pid}`]).catch(() => ({ stdout: 'Z' }))).stdout.startsWith('Z');
  await expect.poll(isGone, { timeout: 20_000 }).toBe(true);
});
