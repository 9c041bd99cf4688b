import { expect, it } from 'vitest';
import { formatProblem, InputError, problemLines, problemList } from './problem.ts';

it('formats place, subject, message, reason, expectation and fix', () => {
  const problem = {
    reason: 'UnknownField',
    file: 'site.yaml',
    line: 7,
    object: 'Site/paris',
    path: 'spec.prefix',
    message: 'there is no such field',
    expected: 'prefixes',
    fix: 'rename it',
  };
  expect(formatProblem(problem)).toBe(
    'site.yaml:7: Site/paris spec.prefix: there is no such field (UnknownField)\n    expected: prefixes\n    fix: rename it',
  );
});

it('formats a problem that has no place', () => {
  const problem = { reason: 'FileMissing', message: 'no such file', fix: 'check the path' };
  expect(new InputError(problem).message).toBe('no such file (FileMissing)\n    fix: check the path');
});

it('tells the first of many problems, and how many more there are of which reason', () => {
  const one = (reason: string, file: string) => ({ reason, file, message: 'no', fix: 'x' });
  const few = Array.from({ length: 10 }, () => one('A', 'a.yaml'));
  expect(problemList(few)).toEqual(few.flatMap(problemLines));
  const many = [...few, one('B', 'b.yaml'), ...few];
  expect(problemList(many)).toEqual([
    ...few.flatMap(problemLines),
    '... and 11 more problems (10 A, 1 B); all are in 2 files',
    expect.stringMatching(/^ {4}fix: .*tideline check FOLDER/),
  ]);
});
