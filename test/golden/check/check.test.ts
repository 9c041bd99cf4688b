import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { textOf } from '../../../src/cli/check.ts';
import { reasons } from '../../../src/model/spec/reasons.ts';
import { loadPlatform } from '../../../src/platform/load.ts';
import { printLines } from '../../../src/runtime/print.ts';

/**
 * One folder a case: `input.yaml` (or what `command.txt` names) and `expected.txt`, what `tideline check` says of it on
 * 1 June 2026. `UPDATE_GOLDEN=1` writes the expectations anew; read the difference before you commit it.
 */
const here = import.meta.dirname;
const cases = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const now = Date.parse('2026-06-01T00:00:00Z');

function commandOf(folder: string): readonly string[] {
  const file = join(folder, 'command.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(/\s+/) : ['input.yaml'];
}

/** Inputs that are valid, and of which something is said all the same. */
const warningsOnly = [
  'drain-expired',
  'etcd-stretched',
  'failback-needs-agent',
  'failback-unseen',
  'no-effect',
  'no-effect-scaling',
  'overlay-broken',
  'overlay-expired',
  'overlay-silent',
  'vip-family-unserved',
];

test.each(cases)('%s', async (name) => {
  const folder = join(here, name);
  const result = await loadPlatform(
    commandOf(folder).map((path) => join(folder, path)),
    now,
  );
  const lines: string[] = [];
  printLines(textOf(result), { write: (text) => lines.push(text) });
  const text = lines.join('').replaceAll(`${folder}/`, '');
  const file = join(folder, 'expected.txt');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
  expect(text).not.toMatch(/undefined|\[object|NaN|\n +at /);
  expect('platform' in result).toBe(name.startsWith('valid') || warningsOnly.includes(name));
});

test('there is a case for every reason', () => {
  const seen = cases.map((name) => readFileSync(join(here, name, 'expected.txt'), 'utf8')).join('');
  expect(Object.keys(reasons).filter((reason) => !seen.includes(`(${reason})`))).toEqual([]);
});
