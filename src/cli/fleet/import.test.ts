import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { listenHttp } from '../../runtime/http.ts';

/** What an operator sees of an import: the report, the exit code and the files. */
const root = resolve(import.meta.dirname, '../../..');
const spec = join(root, 'test/golden/check/valid-fleet/input.yaml');
const folder = mkdtempSync(join(tmpdir(), 'tideline-import-'));
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, 'servers');

async function imported(...words: readonly string[]) {
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'fleet', 'import', spec, ...words], {
    env: { ...process.env, NETBOX_TOKEN: 'token-of-the-test' },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  const code = await new Promise((resolved) => {
    child.once('close', resolved);
  });
  return { code, said: texts.stdout, errors: texts.stderr };
}

function listOf(text: string): string {
  const file = join(folder, 'list.csv');
  writeFileSync(file, text);
  return file;
}

test('a list becomes documents beside the spec, and a second run finds them as they are and writes nothing', async () => {
  const list = listOf('name,site,rack,class,address,role\npar-w-1,paris,r1,R650,10.1.0.51,worker\n');
  const shown = await imported('--csv', list);
  expect(shown).toMatchObject({ code: 0, errors: '' });
  expect(shown.said).toMatch(/^nothing is written; --out FOLDER writes the new ones$/m);
  expect(existsSync(out)).toBe(false);
  const done = await imported('--csv', list, '--out', out);
  expect(done.said).toMatch(/^written to .*: classes\.yaml, servers-paris\.yaml$/m);
  expect(done.said).not.toMatch(/problems/);
  expect(readFileSync(join(out, 'servers-paris.yaml'), 'utf8')).toMatch(/^# from .*list\.csv:2$/m);
  const again = await imported(out, '--csv', list);
  expect(again.said).toMatch(/new: 0, same: 1, different: 0/);
  expect(again.said).toMatch(/^nothing is new, so nothing is written$/m);
  const other = listOf('name,site,rack,class,address,role\npar-w-2,paris,r1,R650,10.1.0.52,worker\n');
  expect((await imported('--csv', other, '--out', out)).errors).toMatch(
    /--out: .* has classes\.yaml, servers-paris\.yaml already \(FolderNotWritten\)/,
  );
  expect(readdirSync(out)).toHaveLength(2);
}, 60_000);

test('devices of NetBox become documents, what the spec then lacks is said, and a machine that is refused gives 1', async () => {
  const device = (id: number, name: string, rack: object | null) => ({
    id,
    name,
    rack,
    role: { slug: 'edge' },
    site: { slug: 'paris' },
    device_type: { slug: 'standard' },
    status: { value: 'active' },
    primary_ip4: { address: `10.1.0.${id}/24` },
  });
  const results = [device(61, 'par-b-1', { name: 'B' }), device(62, 'par-b-2', null)];
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization, request.url?.includes('tenant=video'));
    response.end(JSON.stringify({ count: 2, next: null, previous: null, results }));
  });
  const endpoint = await listenHttp(server, '127.0.0.1', 0);
  const where = join(folder, 'netbox');
  const words = ['--netbox', endpoint.url, '--filter', 'tenant=video', '--out', where];
  const { code, said, errors } = await imported(...words);
  await endpoint.stop();
  expect({ code, errors, seen }).toEqual({ code: 1, errors: '', seen: ['Token token-of-the-test', true] });
  expect(said).toMatch(/^par-b-2 is not imported: it has no rack/m);
  expect(said).toMatch(
    /together with the spec there are problems yet:\n.*Server\/par-b-1 spec\.roles: the server is a blade, and no EdgePool names it/,
  );
}, 60_000);
