import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

/** What a pipeline sees of an import: its exit code, and whether there is a file of policies. */
const folder = mkdtempSync(join(tmpdir(), 'tideline-import-'));
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, 'policies.yaml');

function imported(records: string, ...more: readonly string[]) {
  const zone = join(folder, 'db.video.example');
  writeFileSync(zone, `$TTL 60\n${records}`);
  rmSync(out, { force: true });
  const words = ['steering', 'import', zone, 'examples/hybrid', '--out', out, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', ...words], { encoding: 'utf8' });
  return { code: status, text: stdout, errors: stderr, hasFile: existsSync(out) };
}

test('an import of which nothing can become a policy writes no file, says so, and exits with 1', () => {
  const refused = imported('a A 10.0.0.1\nb A 10.0.0.2\n');
  expect(refused).toMatchObject({ code: 1, errors: '', hasFile: false });
  expect(refused.text).toMatch(/^nothing can be imported, .* is not written: the reason stands behind each name$/m);
  expect(refused.text).not.toMatch(/written to|next:/);

  const none = imported('@ MX 10 mx\n');
  expect(none).toMatchObject({ code: 1, hasFile: false });
  expect(none.text).toMatch(/nothing can be imported, .*: no name of video\.example has a record of addresses$/m);

  const value = imported('a A 10.0.0.1\n', '-o', 'json');
  expect(value).toMatchObject({ code: 1, hasFile: false });
  expect(JSON.parse(value.text)).toMatchObject({
    policies: [],
    findings: [
      {
        outcome: 'refused',
        at: [expect.stringMatching(/db\.video\.example:2$/)],
        fix: expect.stringMatching(/spec\.entry/),
      },
    ],
  });
});

test('an import of which some names are refused writes the others and exits with 1, a whole one with 0', () => {
  const some = imported('www A 192.0.2.10\nb A 10.0.0.2\n');
  expect(some).toMatchObject({ code: 1, hasFile: true });
  expect(some.text).toMatch(/^written to /m);
  expect(readFileSync(out, 'utf8')).toMatch(/www\.video\.example/);
  expect(imported('www A 192.0.2.10\n@ MX 10 mx\n')).toMatchObject({ code: 0, hasFile: true });
});
