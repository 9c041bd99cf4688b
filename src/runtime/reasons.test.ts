import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { oddReasons } from '../../test/support/reasons.ts';
import { reasons } from './reasons.ts';

it('every reason is given somewhere, and has a sentence', () => {
  expect(oddReasons(import.meta.dirname, reasons)).toEqual([]);
});

it('every reason is in the README', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  expect(Object.keys(reasons).filter((reason) => !readme.includes(`\`${reason}\``))).toEqual([]);
});
