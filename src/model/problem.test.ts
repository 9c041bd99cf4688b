import { expect, it } from 'vitest';
import { formatProblem, InputError } from './problem.ts';

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
