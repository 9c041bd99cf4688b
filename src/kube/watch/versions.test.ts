import { expect, it } from 'vitest';
import { isOlder } from './versions.ts';

it.each([
  ['9', '10', true],
  ['10', '9', false],
  ['100', '100', false],
  ['18446744073709551614', '18446744073709551615', true],
  ['99', undefined, false],
  ['1/2', '3', false],
  ['1', 'opaque', false],
  ['', '7', false],
])('%s is older than %s: %s', (version, than, older) => {
  expect(isOlder(version, than)).toBe(older);
});
