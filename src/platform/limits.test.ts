import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadPlatform } from './load.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tideline-limits-'));
});
afterEach(() => rmSync(folder, { recursive: true }), 60_000);

const site = 'apiVersion: tideline.dev/v1alpha1\nkind: Site\nmetadata: {name: paris}\nspec:\n';
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

it.each<[string, string, string]>([
  ['keys', `${site}${lines(30_000, (at) => `  k${at}: 1`)}`, 'entries in one place'],
  [
    'keys in JSON',
    JSON.stringify({ spec: Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`k${at}`, 1])) }),
    'entries in one place',
  ],
  ['entries of a list', `${site}  routers: [${'a,'.repeat(30_000)}]`, 'entries in one place'],
  ['levels', `${site}  x: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'is nested too deeply'],
  ['levels of keys', `${site}  x: ${'{? '.repeat(1000)}a${'}'.repeat(1000)}`, 'is nested too deeply'],
  ['aliases', `${site}  x: &a 1\n  y: [${'*a,'.repeat(900)}]`, 'has too many aliases'],
  ['documents', lines(5000, (at) => `---\na: ${at}`), 'has too many documents'],
  ['bytes', `${site}  x: "${'a'.repeat(2 << 20)}"`, 'bytes'],
])('a file with too many %s is refused before it keeps the parser busy', async (_, text, message) => {
  writeFileSync(join(folder, 'spec.yaml'), text);
  const result = await loadPlatform([folder], 0);
  expect(result).toMatchObject({ problems: [{ reason: 'FileTooLarge', message: expect.stringContaining(message) }] });
});

it('a file of 4 GiB is refused by its size, before it is read', async () => {
  writeFileSync(join(folder, 'spec.yaml'), site);
  truncateSync(join(folder, 'spec.yaml'), 4 * 2 ** 30);
  const result = await loadPlatform([folder], 0);
  expect(result).toMatchObject({ problems: [{ reason: 'FileTooLarge', message: 'has 4294967296 bytes' }] });
});

it('a folder of too many files is refused, and no spec', async () => {
  for (let at = 0; at <= 10_000; at += 1) writeFileSync(join(folder, `${at}.txt`), '');
  const result = await loadPlatform([folder], 0);
  const problems = 'problems' in result ? result.problems : [];
  expect(problems).toContainEqual(
    expect.objectContaining({ reason: 'FileTooLarge', file: folder, message: 'has too many files and folders' }),
  );
});

it('a large spec is still read: a thousand objects in a file', async () => {
  const drain = (at: number): string =>
    `---\napiVersion: tideline.dev/v1alpha1\nkind: Drain\nmetadata: {name: d${at}}\nspec: {target: {kind: Worker, name: w}, reason: x, expires: 2030-01-01T00:00:00Z}`;
  writeFileSync(join(folder, 'spec.yaml'), lines(1000, drain));
  const result = await loadPlatform([folder], 0);
  expect('platform' in result && result.platform.drains.size).toBe(1000);
});
