import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAcceptFile, isFingerprint, readAcceptance, writeAcceptance } from './acceptance.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-acceptance-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is read as it was written, by whom, and nothing else stays in the folder', async () => {
  const path = join(folder, 'accept-edge-paris');
  await writeAcceptance(path, { said: '0123456789ab', by: 'anna\nroot' });
  expect(await readAcceptance(path)).toMatchObject({ said: '0123456789ab', by: 'anna_root' });
  expect(await readdir(folder)).toEqual(['accept-edge-paris']);
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});

it('is the whole file where a person wrote it by hand', async () => {
  const path = join(folder, 'accept-edge-paris');
  await writeFile(path, '  192.0.2.10\n');
  const read = await readAcceptance(path);
  expect([read?.said, read?.by]).toEqual(['192.0.2.10', undefined]);
});

it('replaces a link of its name and leaves alone what that leads to', async () => {
  const [path, elsewhere] = [join(folder, 'accept-edge-paris'), join(folder, 'elsewhere')];
  await writeFile(elsewhere, 'precious');
  await symlink(elsewhere, path);
  await writeAcceptance(path, { said: '0123456789ab', by: 'anna' });
  expect(await readFile(elsewhere, 'utf8')).toBe('precious');
  expect(await readAcceptance(path)).toMatchObject({ said: '0123456789ab' });
});

it('leaves nothing behind where it cannot be written', async () => {
  await chmod(folder, 0o500);
  const path = join(folder, 'no-folder', 'accept-edge-paris');
  await expect(writeAcceptance(path, { said: '0123456789ab', by: 'anna' })).rejects.toThrow(/ENOENT/);
  await chmod(folder, 0o700);
  expect(await readdir(folder)).toEqual([]);
});

it.each([
  ['/var/lib/tideline/edge/accept-edge-paris', true],
  ['/etc/tideline/clusters/paris/.tideline-accept', true],
  ['/etc/cron.d/job', false],
  ['accept-edge-paris', false],
  ['/etc/accept-edge-', false],
])('takes %s for the path of an accept file: %s', (path, is) => expect(isAcceptFile(path)).toBe(is));

it.each([
  ['0123456789ab', true],
  ['192.0.2.10', true],
  ['2001:db8::1', true],
  ['0f3c2f7e-1b8c-4f0e-9d3b-2f1f6a9f0c11', true],
  ['0123456789', false],
  ['paris', false],
  ['0123456789ab\n* * * * *', false],
])('takes %j for a fingerprint: %s', (text, is) => expect(isFingerprint(text)).toBe(is));
