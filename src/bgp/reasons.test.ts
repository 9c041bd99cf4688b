import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reasons } from './reasons.ts';

it('every reason is in the README', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  expect(Object.keys(reasons).filter((reason) => !readme.includes(`\`${reason}\``))).toEqual([]);
});
