import { expect, test } from 'vitest';
import { countryMeant } from './meant.ts';

test.each([
  ['UK', 'GB'],
  ['uk', 'GB'],
  ['France', 'FR'],
  ['germny', 'DE'],
  ['XX', undefined],
  ['FRA', undefined],
  ['Atlantis', undefined],
])('whoever writes %j means %j', (text, code) => {
  expect(countryMeant(text)?.code).toBe(code);
});
