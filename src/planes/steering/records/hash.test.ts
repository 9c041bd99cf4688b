import { expect, test } from 'vitest';
import { contentName } from './hash.ts';

test.each([
  ['', 'cbf29ce484222325'],
  ['a', 'af63dc4c8601ec8c'],
  ['foobar', '85944171f73967e8'],
])('the name of "%s" is its FNV-1a hash, by the published test vectors', (content, hash) => {
  expect(contentName(content)).toBe(BigInt(`0x${hash}`).toString(36).padStart(13, '0'));
});
