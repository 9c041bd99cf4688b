import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FileSet } from './fileset.ts';
import { listFolder } from './folder.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fileset-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('takes no file for gone by a listing that saw no one moment of the folder, nor what it saw for all there is', async () => {
  const clock = new FakeClock();
  for (const name of ['a', 'b'])
    await writeFile(join(folder, `${name}.yaml`), `{apiVersion: v1, kind: Service, metadata: {name: ${name}}}`);
  const listing = await listFolder(folder);
  if (!listing.ok) throw new Error(listing.message);
  const lacking: Pick<typeof listing, 'files' | 'torn'> = {
    files: new Map([...listing.files].slice(0, 1)),
    torn: false,
  };
  const both = ['a.yaml', 'b.yaml'];
  let files = new FileSet({ folder, clock, quietMs: 20, unrestMs: 1000 });
  const updated = async (listed: typeof lacking, event = false) => {
    if (event) files.noteEvent();
    await clock.advance(100);
    const { wait, problems } = await files.update(listed);
    return { wait, problems: problems.map(({ file }) => file), files: [...files.contents.keys()] };
  };
  for (let round = 0; round < 5; round += 1)
    expect(await updated({ ...lacking, torn: true }, true)).toMatchObject({ wait: true });
  files = new FileSet({ folder, clock, quietMs: 20, unrestMs: 1000 });
  await updated(listing);
  expect(await updated(listing)).toEqual({ wait: false, problems: [], files: both });

  for (let round = 0; round < 10; round += 1)
    expect(await updated({ ...lacking, torn: true }, true)).toMatchObject({ wait: true, files: both });
  // A folder that never rests is named, and the rest goes on.
  expect(await updated({ ...lacking, torn: true })).toEqual({ wait: false, problems: ['b.yaml', folder], files: both });
  expect(await updated(listing)).toEqual({ wait: false, problems: [], files: both });

  expect(await updated(lacking, true)).toEqual({ wait: false, problems: [], files: ['a.yaml'] });
});
