import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlStatus, nginxCommand } from '../../../lab/daemons/nginx.ts';
import { eventually } from '../../support/eventually.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'render-'));
  // The workers are another user here, who must be able to enter the folders of nginx.
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'run'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function render(...more: readonly string[]): Promise<{ stdout: string }> {
  return run('bin/tideline', ['edge', 'render', '--platform', 'examples/hybrid', ...more]);
}

describe('tideline edge render', () => {
  it('writes what nginx -t accepts, the same every time, and keeps its certificate', async () => {
    const to = join(folder, 'nginx');
    const args = [
      '--pool',
      'paris-edge',
      '--run-dir',
      join(folder, 'run'),
      '--to',
      to,
      '--access-log',
      '--syslog',
      '--workers',
      '1',
    ];
    expect((await render(...args)).stdout).toBe(`${to}/nginx.conf\n`);
    const files = ['nginx.conf', 'default.crt', 'default.key'];
    const read = () => Promise.all(files.map((file) => readFile(join(to, file), 'utf8')));
    const first = await read();
    await render(...args);
    expect(await read()).toEqual(first);
    expect((await stat(join(to, 'default.key'))).mode & 0o777).toBe(0o600);
    await run('nginx', ['-t', '-e', 'stderr', '-p', `${to}/`, '-c', join(to, 'nginx.conf')]);
    expect(await readdir(join(folder, 'run', 'nginx-control'))).toEqual([]);
  });

  it.each(['--run-dir', '--to'])('refuses a %s in which others may write', async (option) => {
    const open = join(folder, 'open');
    await mkdir(open, { recursive: true });
    await chmod(open, 0o777);
    const closed = join(folder, 'closed');
    const place = { '--run-dir': closed, '--to': closed, [option]: open };
    const failure: unknown = await render('--pool', 'paris-edge', ...Object.entries(place).flat()).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 2, stderr: expect.stringMatching(/others may write in .*\(OpenFolder\)/) });
    expect(await readdir(open)).toEqual([]);
  });

  describe('for workers of another user', () => {
    type Places = readonly [string, ...string[]];
    /** A folder of 0755 that everybody may enter, under one with this mode, with a file of 0600 in it. */
    async function place(mode: number): Promise<{ readonly parent: string; readonly runDir: string }> {
      const parent = await mkdtemp(join('/tmp', 'workers-'));
      const runDir = join(parent, 'run');
      await mkdir(runDir, { mode: 0o755 });
      await chmod(parent, mode);
      return { parent, runDir };
    }
    const renderFor = (user: string, runDir: string, ...more: readonly string[]): Promise<unknown> =>
      render('--pool', 'paris-edge', '--run-dir', runDir, '--to', join(runDir, 'to'), '--user', user, ...more).catch(
        (error: unknown) => error,
      );

    it.each([
      ['--run-dir', (closed: string, open: string): Places => [closed, '--temporary-dir', open]],
      ['--temporary-dir', (closed: string, open: string): Places => [open, '--temporary-dir', closed]],
    ] as const)('refuses a %s that they may not enter, and takes it for workers who may', async (option, options) => {
      const [closed, open] = [await place(0o700), await place(0o755)];
      const args = options(closed.runDir, open.runDir);
      try {
        const failure = await renderFor('nobody', ...args);
        const says = new RegExp(
          `${option}: the workers of nginx \\(nobody\\) may not enter ${closed.parent},.*\\(ClosedFolder\\)`,
        );
        expect(failure).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
        expect(failure).toMatchObject({ stderr: expect.stringContaining(`chmod a+x ${closed.parent}`) });
        expect(await renderFor('root', ...args)).toMatchObject({ stdout: expect.stringContaining('nginx.conf') });
        await chmod(closed.parent, 0o711);
        expect(await renderFor('nobody', ...args)).toMatchObject({ stdout: expect.stringContaining('nginx.conf') });
      } finally {
        for (const { parent } of [closed, open]) await rm(parent, { recursive: true });
      }
    });

    it('refuses alerts of an earlier nginx that they may not read', async () => {
      const { parent, runDir } = await place(0o755);
      try {
        await writeFile(join(runDir, 'nginx-alerts.log'), '', { mode: 0o600 });
        expect(await renderFor('nobody', runDir)).toMatchObject({ stderr: expect.stringContaining('(ClosedFile)') });
        await chmod(join(runDir, 'nginx-alerts.log'), 0o644);
        expect(await renderFor('nobody', runDir)).toMatchObject({ stdout: expect.stringContaining('nginx.conf') });
      } finally {
        await rm(parent, { recursive: true });
      }
    });

    it('refuses a user who does not exist', async () => {
      const failure = await renderFor('nosuchuser', join(folder, 'run'));
      expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('nosuchuser') });
    });
  });

  it('makes the control socket unreachable for others at once, whatever the umask is and before any agent comes', async () => {
    const [runDir, to] = [join(folder, 'live'), join(folder, 'live-conf')];
    await mkdir(runDir, { mode: 0o755 });
    await render('--pool', 'paris-edge', '--run-dir', runDir, '--to', to, '--workers', '1');
    const { command, args } = nginxCommand({ rendered: to, runDir });
    const modes = new Set<number>();
    const nginx = spawn('sh', ['-c', 'umask 0; exec "$@"', 'sh', command, ...args], { stdio: 'ignore' });
    try {
      const control = join(runDir, 'nginx-control');
      await eventually(
        'the socket answers',
        async () => {
          const mode = await stat(control).then(
            (found) => found.mode & 0o777,
            () => undefined,
          );
          if (mode !== undefined) modes.add(mode);
          return (await controlStatus(join(control, 'nginx.sock'))) !== undefined;
        },
        { timeoutMs: 20_000, everyMs: 1 },
      );
      expect([...modes]).toEqual([0o700]);
    } finally {
      nginx.kill('SIGQUIT');
      await once(nginx, 'exit');
    }
  });

  it.each([
    [['--pool', 'nope', '--run-dir', '/run/x', '--to', '/nonexistent/x'], 'expected: newyork-edge or paris-edge'],
    [['--pool', 'paris-edge', '--run-dir', '/run/a b', '--to', '/nonexistent/x'], 'the run directory must be'],
    [['--pool', 'paris-edge', '--run-dir', '/run/x', '--to', '/nonexistent/$x'], 'the target folder must be'],
    [['--pool', 'paris-edge', '--run-dir', '/run/x', '--to', '/nonexistent/x', '--workers', '0'], 'a number from 1'],
    [['--pool', 'paris-edge', '--run-dir', '/run/x', '--to', '/nonexistent/x', '--user', 'a;b'], 'is no user name'],
    [['--pool', 'paris-edge'], '--run-dir'],
  ])('refuses %j', async (args, message) => {
    const failure: unknown = await render(...args).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(failure).toMatchObject({ stderr: expect.not.stringMatching(/^\s+at /m) });
  });
});
