import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listFolder } from './folder.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const count = 40;

async function fill(folder: string): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await mkdir(join(folder, `sub${at}`), { recursive: true });
    await writeFile(join(folder, `sub${at}`, 'a.yaml'), 'a: 1\n');
  }
}

/** Moves a folder away and back all the time, while it is listed often; resolves with how many files each listing had. */
async function listWhileMoving(moved: string, listed: string) {
  let moving = true;
  const mover = (async () => {
    while (moving) {
      await rename(moved, `${moved}.away`);
      await rename(`${moved}.away`, moved);
    }
  })();
  const seen = { missing: 0, torn: [] as number[], whole: [] as number[] };
  try {
    for (let round = 0; round < 300; round += 1) {
      const listing = await listFolder(listed);
      if (!listing.ok) seen.missing += 1;
      else seen[listing.torn ? 'torn' : 'whole'].push(listing.files.size);
    }
  } finally {
    moving = false;
    await mover;
  }
  return seen;
}

it.each([
  ['itself', 'cluster'],
  ['above it', '.'],
])(
  'says that it saw no one moment of a folder when the folder %s is moved away and back meanwhile',
  async (_, moved) => {
    const house = join(root, 'house');
    const folder = join(house, 'cluster');
    await fill(folder);
    const { missing, torn, whole } = await listWhileMoving(join(house, moved), folder);
    expect(whole.filter((files) => files !== count)).toEqual([]);
    expect(missing + torn.filter((files) => files < count).length).toBeGreaterThan(0);
    expect(await listFolder(folder)).toMatchObject({ ok: true, torn: false });
  },
);

it('takes a link that leads nowhere for no file, however often it looks', async () => {
  await writeFile(join(root, 'a.yaml'), 'a: 1\n');
  await symlink(join(root, 'nowhere'), join(root, 'b.yaml'));
  await symlink(join(root, 'nowhere'), join(root, 'c'));
  const listing = await listFolder(root);
  expect(listing).toMatchObject({ ok: true, torn: false });
  expect(listing.ok && [...listing.files.keys()]).toEqual(['a.yaml']);
});
