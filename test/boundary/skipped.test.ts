import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/**
 * A test that does not run, that runs alone, or that is expected to fail keeps its name and guards nothing: promises.test.ts, for
 * instance, would be content with it. A tool that is missing fails a test as any other fault does.
 */
const modifiers = /\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:skip|only|todo|fails|runIf|skipIf)\b/;
const named = String.raw`\b(?:it|test|describe)\(\s*(['"\`])(?:\\.|(?!\1).)*\1,\s*`;
const options = new RegExp(String.raw`${named}\{[^{}]*\b(?:skip|only|todo|fails)\b`);
const ofContext = new RegExp(String.raw`\b(?:context|ctx|task)\.skip\(|${named}(?:async )?\(\{[^}]*\bskip\b`);
const holdsBack = (text: string): boolean => [modifiers, options, ofContext].some((one) => one.test(text));

/** A call with a modifier, put together so that no line here is one. */
const call = (name: string, modifier: string): string => `${name}.${modifier}`;

it.each([
  [call('it', 'skip') + "('a', () => {});", true],
  [call('describe', 'only') + "('a', () => {});", true],
  [call('it', 'skip') + ".each([1])('a', () => {});", true],
  [call('test', 'concurrent.fails') + "('a', () => {});", true],
  [call('it', 'runIf') + "(process.env['CI'])('a', () => {});", true],
  [call('describe', 'skipIf') + "(!hasNginx)('a', () => {});", true],
  [call('it', 'todo') + "('a');", true],
  ["it('a', { skip: true }, () => {});", true],
  ["it('a', { timeout: 5, fails: isOld }, async () => {});", true],
  ["it('a', (context) => context.skip());", true],
  ["it('a', ({ skip }) => skip());", true],
  ["it('skip: true and it.each', () => {});", false],
  ['const { skip } = options;', false],
])('%s: %s', (line, expected) => {
  expect(holdsBack(line)).toBe(expected);
});

it('every test of the repository runs', () => {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts']);
  const files = listed
    .toString()
    .split('\n')
    .filter((file) => /^(?:src|lab|tools|test)\//.test(file) && file !== 'test/boundary/skipped.test.ts');
  expect(files.filter((file) => file.endsWith('.test.ts')).length).toBeGreaterThan(300);
  expect(files.filter((file) => holdsBack(readFileSync(file, 'utf8')))).toEqual([]);
});
