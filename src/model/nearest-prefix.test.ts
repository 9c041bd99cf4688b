import { expect, test } from 'vitest';
import { nearestPrefix } from './address.ts';

test.each([
  ['10.1.2.3/16', '10.1.0.0/16'],
  ['10.1.2.3', '10.1.2.3/32'],
  ['2001:DB8::1/32', '2001:db8::/32'],
  ['10.1.2.0/33', undefined],
  ['nonsense', undefined],
])('the prefix that %s was meant to be is %s', (text, expected) => {
  expect(nearestPrefix(text)?.text).toBe(expected);
});
