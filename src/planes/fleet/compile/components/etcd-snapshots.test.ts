import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../../../test/support/fleet.ts';
import { compileFleet } from '../compile.ts';

const run = promisify(execFile);
const member = 'site0-control0';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-snapshots-'));
  for (const name of ['bin', 'backups', 'measures', 'elsewhere']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'bin/etcdctl'), '#!/bin/sh\nfor last; do :; done\necho data >"$last"\n', {
    mode: 0o755,
  });
  await writeFile(join(folder, 'bin/etcdutl'), '#!/bin/sh\n', { mode: 0o755 });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the script of a member below the folder, with this command for copies; resolves with its exit code. */
async function taken(copyCommand: readonly string[] | undefined): Promise<number> {
  const etcd = { snapshots: copyCommand === undefined ? {} : { copyCommand } };
  const { documents } = compileFleet(fleetPlatform({ monitoring: {}, etcd }), shippedUnits());
  const files = documents.get(member)?.components.find(({ name }) => name === 'etcd')?.files;
  const script = join(folder, 'script');
  const text = (files?.['/usr/local/lib/tideline/etcd-snapshot']?.text ?? '')
    .replaceAll('/usr/local/bin', join(folder, 'bin'))
    .replaceAll('/var/backups/etcd', join(folder, 'backups'))
    .replaceAll('/var/lib/tideline-measures', join(folder, 'measures'));
  await writeFile(script, text);
  return await run('/bin/sh', [script]).then(
    () => 0,
    (error: { readonly code: number }) => error.code,
  );
}

const measured = async (): Promise<readonly string[]> =>
  (await readFile(join(folder, 'measures/etcd-snapshot.prom'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/\d{10}$/, 'NOW'));
const kept = async (): Promise<readonly string[]> =>
  (await readdir(join(folder, 'backups'))).filter((name) => name.endsWith('.db'));

const interval = 'tideline_etcd_snapshot_interval_seconds 21600';
const here = 'tideline_etcd_snapshot_timestamp_seconds{place="member"} NOW';

it('keeps a snapshot on the member', async () => {
  expect([await taken(undefined), (await kept()).length]).toEqual([0, 1]);
  expect(await measured()).toEqual([interval, here]);
});

it('copies a snapshot by the words of the spec, which no shell reads', async () => {
  const words = ["it's", '$(exit 9)', '{server}'];
  const target = join(folder, 'elsewhere');
  const program = join(folder, 'bin/copy');
  await writeFile(program, `#!/bin/sh\ncp "$1" ${target}\nshift\nprintf '%s\\n' "$@" >${target}/words\n`, {
    mode: 0o755,
  });
  expect(await taken([program, '{snapshot}', ...words])).toBe(0);
  expect((await readdir(target)).toSorted()).toEqual([...(await kept()), 'words']);
  expect(await readFile(join(target, 'words'), 'utf8')).toBe(`it's\n$(exit 9)\n${member}\n`);
  expect(await measured()).toEqual([interval, here, 'tideline_etcd_snapshot_timestamp_seconds{place="elsewhere"} NOW']);
});

it('fails where the copy fails, and keeps the snapshot', async () => {
  expect([await taken(['/bin/false', '{snapshot}']), (await kept()).length]).toEqual([1, 1]);
  expect(await measured()).toContain('tideline_etcd_snapshot_timestamp_seconds{place="elsewhere"} 0');
});
