import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const spec = 'test/golden/check/valid-fleet/input.yaml';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-fleet-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fleet(...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, ['src/cli/main.ts', 'fleet', ...words])).stdout;
}

it('compiles a spec to a folder, has nothing to do then, and plans what an edit would touch', async () => {
  const out = join(folder, 'out');
  expect(await fleet('compile', spec, '--out', out)).toMatch(
    /12 files written, 0 removed, 0 as they were\nchecksum of the documents: [0-9a-f]{64}/,
  );
  expect(await fleet('compile', spec, '--out', out)).toContain('0 files written, 0 removed, 12 as they were');
  expect(await fleet('plan', spec, '--against', out)).toMatch(/^6 servers have not got what was written before: /);
  const edited = join(folder, 'edited.yaml');
  const text = await readFile(spec, 'utf8');
  await writeFile(edited, text.replace(/^( *)versions:/m, '$1audit: { maxAgeDays: 60 }\n$1versions:'));
  const plan = await fleet('plan', edited, '--against', out);
  expect(plan).toContain(
    'changed kube-apiserver (restarted in their wave: kube-apiserver): par-a-master par-b-master par-c-master',
  );
  expect(plan).toContain('waves:\n  1 paris etcd: par-a-master par-b-master par-c-master\n');
});
