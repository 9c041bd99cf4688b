import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function agent(...args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((done) => {
    const child = execFile(
      join(root, 'bin/tideline'),
      ['edge', 'agent', '--run-dir', folder, ...args],
      (_error, _stdout, stderr) => {
        done({ code: child.exitCode, stderr });
      },
    );
  });
}

const platform = ['--platform', join(root, 'examples/hybrid')];
const blade = [...platform, '--pool', 'paris-edge', '--blade', 'paris-blade-1'];

describe('tideline edge agent', () => {
  it.each([
    ['no platform', ['--platform', '/none', '--pool', 'p', '--blade', 'b'], /no such file or folder/],
    [
      'an unknown pool',
      [...platform, '--pool', 'p', '--blade', 'b'],
      /no EdgePool "p" .*\n.*expected: newyork-edge or paris-edge/,
    ],
    [
      'an unknown blade',
      [...platform, '--pool', 'paris-edge', '--blade', 'b'],
      /no blade "b" .*\n.*paris-blade-1 or paris-blade-2/,
    ],
    ['a bad address', [...blade, '--metrics-address', 'nonsense'], /expected host:port/],
    ['a bad port', [...blade, '--peer-port', '70000'], /expected a port/],
    ['nothing', [], /required option '--pool <name>' not specified/],
  ])('refuses %s with exit code 2 and no stack trace', async (_, args, message) => {
    const { code, stderr } = await agent(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });

  it('ends with exit code 1 when its own address is taken', async () => {
    const taken = createServer();
    await new Promise<void>((done) => {
      taken.listen(0, '127.0.0.1', done);
    });
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr } = await agent(...blade, '--metrics-address', `127.0.0.1:${port}`);
    taken.close();
    expect([code, stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });
});
