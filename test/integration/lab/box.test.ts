import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LabProcess, lab, pidsMentioning, runCommand, until } from './labprocess.ts';

let folder = '';
let running: LabProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp('/tmp/tl-box-');
  await chmod(folder, 0o777);
});
afterEach(async () => {
  running?.destroy();
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** The command and what it started in the box: what is not seen now would not be seen when it is left. */
function expectSomethingRuns(state: string): void {
  expect(pidsMentioning(state).length).toBeGreaterThan(1);
}

async function expectNothingLeft(state: string): Promise<void> {
  await until(() => {
    const left = pidsMentioning(state).length;
    return left === 0 ? undefined : `${left} processes are left`;
  }, 10_000);
}

it('ends completely when the command itself is killed, and the socket it leaves is recognised', async () => {
  running = new LabProcess(join(folder, 'lab'));
  await running.waitForOutput(/network: /, 30_000);
  expectSomethingRuns(running.state);
  running.child.kill('SIGKILL');
  await expectNothingLeft(running.state);
  expect(await lab('status', '--state', running.state)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('its socket is left from one that was killed'),
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)('ends completely by %s', async (signal) => {
  running = new LabProcess(join(folder, 'lab'));
  await running.waitForOutput(/network: /, 30_000);
  expectSomethingRuns(running.state);
  running.child.kill(signal);
  expect(await running.exitCode(10_000)).toBe(0);
  await expectNothingLeft(running.state);
});

it('runs as an ordinary user where user namespaces are allowed, else says why not', async () => {
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const [command = '', ...args] = asNobody;
  const allowed = await runCommand(command, [...args, 'unshare', '--user', '--map-root-user', '--net', 'true']);
  running = new LabProcess(join(folder, 'lab'), asNobody);
  if (allowed.code === 0) {
    await running.waitForOutput(/first request served/, 100_000);
    running.child.kill('SIGTERM');
    expect(await running.exitCode(10_000)).toBe(0);
  } else {
    expect(await running.exitCode(10_000)).not.toBe(0);
    expect(running.output).toMatch(/NamespacesNotAllowed|setpriv/);
  }
  await expectNothingLeft(running.state);
});

it('says what to do where the kernel gives no namespaces', async () => {
  const withoutRight = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
  running = new LabProcess(join(folder, 'lab'), withoutRight);
  expect(await running.exitCode(10_000)).toBe(2);
  expect(running.output).toMatch(/does not let us make namespaces: .*\(NamespacesNotAllowed\)\n {4}fix: /);
  expect(running.output).not.toMatch(/ at .*\.ts:/);
});

it('says that a path is too long for its socket', async () => {
  const state = join(folder, 'x'.repeat(100));
  expect(await lab('up', '--state', state)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('StatePathTooLong'),
  });
});
