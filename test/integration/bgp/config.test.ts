import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderEnvironment } from '../../../src/bgp/render/config.ts';
import { checkExabgp } from '../../../src/bgp/render/version.ts';
import { keepSpecOf } from '../../support/spec-copy.ts';

const run = promisify(execFile);
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tideline-config-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What ExaBGP writes of a configuration that it does not understand. */
const complaint = /error|syntax|invalid/i;

it.each(['worker', 'blade', 'uplinks'])(
  'the golden of a %s passes the real parser, and ExaBGP understands all of it',
  async (name) => {
    await writeFile(join(directory, 'exabgp.env'), renderEnvironment({ address: { family: 4, text: '127.0.0.1' } }));
    const { stdout, stderr } = await run('exabgp', [
      '--env',
      join(directory, 'exabgp.env'),
      '--validate',
      `test/golden/bgp/${name}.conf`,
    ]);
    expect(`${stdout}${stderr}`).not.toMatch(complaint);
  },
);

it.each([
  ['the one that the tests use', undefined, undefined],
  // As ExaBGP 5.0.15 of PyPI answers.
  [
    'version 5',
    '[ "$1" = version ] && echo "ExaBGP : 5.0.15" && exit 0; echo usage >&2; exit 2',
    /5\.0\.15.*ExabgpUntried/,
  ],
  ['none that says its version', 'exit 1', undefined],
])('rendering looks at the ExaBGP of the machine: %s', async (_, script, refusal) => {
  const folder = await mkdtemp(join(directory, 'path-'));
  if (script !== undefined) await writeFile(join(folder, 'exabgp'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const environment = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  if (refusal === undefined) await checkExabgp(environment);
  else await expect(checkExabgp(environment)).rejects.toThrow(refusal);
});

it('a broken configuration fails, so the parser does check', async () => {
  const broken = join(directory, 'broken.conf');
  await writeFile(
    broken,
    (await readFile('test/golden/bgp/worker.conf', 'utf8')).replace('hold-time 9', 'hold-time x'),
  );
  await writeFile(join(directory, 'exabgp.env'), renderEnvironment({ address: { family: 4, text: '127.0.0.1' } }));
  const validated = run('exabgp', ['--env', join(directory, 'exabgp.env'), '--validate', broken]);
  const { stdout, stderr } = await validated.then(
    () => {
      throw new Error('ExaBGP took it');
    },
    (error: { readonly stdout: string; readonly stderr: string }) => error,
  );
  expect(`${stdout}${stderr}`).toMatch(complaint);
});

it('`tideline bgp render` writes both files; bad input is a message and exit code 2', async () => {
  const base = ['bgp', 'render', '--platform', 'examples/hybrid', '--run-dir', directory, '--to', directory];
  await run('bin/tideline', [...base, '--server', 'paris-worker-1', '--address', '10.1.0.11']);
  expect(await readFile(join(directory, 'exabgp.conf'), 'utf8')).toContain(`--socket ${directory}/bgp.sock`);
  expect((await stat(join(directory, 'exabgp.env'))).size).toBeGreaterThan(0);
  const [platform, ...copied] = [await readFile(join(directory, 'exabgp.conf'), 'utf8'), ...base];
  await keepSpecOf('examples/hybrid', join(directory, 'platform-network-paris.json'));
  copied.splice(copied.indexOf('--platform'), 2, '--platform-copy', directory);
  const worker = [...copied, '--server', 'paris-worker-1', '--address', '10.1.0.11'];
  const { stderr } = await run('bin/tideline', worker, { env: { ...process.env, TIDELINE_PLATFORM: '' } });
  expect(stderr).toMatch(/^read what the API of cluster paris said last, kept in /);
  expect(await readFile(join(directory, 'exabgp.conf'), 'utf8')).toBe(platform);
  const failed = await run('bin/tideline', [...base, '--server', 'nobody']).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 2, stderr: expect.not.stringContaining('    at ') });
  const relay = await run('bin/tideline', ['bgp', 'relay', '--socket', '/s']).catch((error: unknown) => error);
  expect(relay).toMatchObject({ code: 2, stderr: expect.stringContaining('--local-asn') });
});
