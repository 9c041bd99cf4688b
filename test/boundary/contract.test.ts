import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { acceptFileOf } from '../../src/model/contract.ts';

/** Patterns that match facts of `src/model/contract.ts` where another file states them again. */
const restated = [
  /\/\.well-known\/tideline\//,
  /['"`/](?:bgp|nginx)\.sock['"`]/,
  /['"`]\/run\/tideline['"`]/,
  /['"`](?:edge|network)-snapshot\.json['"`]/,
  /\b946[34]\b/,
  /['"`]tideline-system['"`]/,
  /['"`]tideline\.dev(?:\/v1alpha1)?['"`]/,
];

/** The lines of a program, comments aside, that state something of the contract. */
function restatements(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^(?:\/\/|\/\*|\*)/.test(line) && restated.some((pattern) => pattern.test(line)));
}

const programs = globSync(['src/**/*.ts', 'lab/**/*.ts']).filter(
  (path) => !path.endsWith('.test.ts') && path !== 'src/model/contract.ts',
);

it('finds what is planted, and leaves comments and texts for people alone', () => {
  const line = "  const socket = join(runDir, 'bgp.sock');";
  expect(restatements(`${line}\n/** The port 9464. */\n  option('folder of nginx.sock, bgp.sock and logs');`)).toEqual([
    line.trim(),
  ]);
});

it('no program states what src/model/contract.ts states', async () => {
  const found = await Promise.all(
    programs.map(async (path) => restatements(await readFile(path, 'utf8')).map((line) => `${path}: ${line}`)),
  );
  expect(programs.length).toBeGreaterThan(200);
  expect(found.flat()).toEqual([]);
});

it('gives each agent of a server its own accept file, also where they share a folder', () => {
  expect(acceptFileOf('edge', 'paris')).toBe('accept-edge-paris');
  expect(acceptFileOf('network', 'paris')).toBe('accept-network-paris');
});
