import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listeningLog } from '../../../../test/support/listening-log.ts';
import { silentLog } from '../../../runtime/log.ts';
import { type KeptVips, vipFile } from './kept-vips.ts';

const kept: KeptVips = {
  pool: 'paris-edge',
  atMs: 3000,
  vips: [
    { address: '192.0.2.10', scope: 'public', sinceMs: 1000, leftMs: 2000 },
    { address: '2001:db8::1', scope: 'private' },
  ],
};

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-vips-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('gives back what was written last, and leaves nothing beside it', async () => {
  const file = vipFile(join(folder, 'vips.json'), silentLog);
  expect(await file.read()).toBeUndefined();
  await file.write({ ...kept, atMs: 1 });
  await file.write(kept);
  expect(await file.read()).toEqual(kept);
  expect(await readdir(folder)).toEqual(['vips.json']);
});

it.each(['', '{}', '[1]', '{"pool":"p","atMs":1,"vips":[{"address":"192.0.2.10","scope":"all"}]}'])(
  'takes a file with %j for none, and says so',
  async (text) => {
    const lines: string[] = [];
    await writeFile(join(folder, 'vips.json'), text);
    expect(await vipFile(join(folder, 'vips.json'), listeningLog(lines)).read()).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^warn .* SnapshotUnreadable$/)]);
  },
);
