import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { apiVersion } from '../../model/contract.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'tideline-undrain-'));
const spec = join(folder, 'platform');
// Sites alone: nobody is asked.
cpSync(join(root, 'examples/hybrid/sites.yaml'), join(spec, 'sites.yaml'));
afterAll(() => rmSync(folder, { recursive: true }));

function drained(name: string, expires: string): void {
  const text = `apiVersion: ${apiVersion}
kind: Drain
metadata: { name: ${name} }
spec: { target: { kind: Site, name: paris }, reason: works, expires: "${expires}" }
`;
  writeFileSync(join(spec, `drain-${name}.yaml`), text);
}

function undrain(...args: readonly string[]) {
  const words = ['undrain', 'site', 'paris', spec, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...words], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', HOME: folder, TIDELINE_HISTORY: join(folder, 'history.jsonl') },
  });
  return { status, stdout, stderr };
}

test('to undrain what a Drain kept out of service until it ended says so, and removes it', () => {
  drained('old', '2026-01-01T00:00:00Z');
  const { status, stdout } = undrain();
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    'undrain site paris',
    '  nothing moves: the Drain has ended already',
  ]);
  expect(status).toBe(0);
  expect(undrain('--yes').stdout).toMatch(/removed: .*drain-old\.yaml/);
  expect(readdirSync(spec)).toEqual(['sites.yaml']);
});

test('no other Drain is blamed where there is none', () => {
  drained('own', '2999-01-01T00:00:00Z');
  expect(undrain().stdout).toMatch(/nothing moves: no policy and no blade of a pool depends on it/);
});
