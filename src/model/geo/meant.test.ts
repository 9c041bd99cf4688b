import { expect, test } from 'vitest';
import { countryMeant, placeFix } from './meant.ts';

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

test.each([
  ['California', 'did you mean "US-CA" (California)?'],
  ['US-Texsa', 'did you mean "US-TX" (Texas)?'],
  ['Georgia', 'did you mean "GE" (Georgia)?'],
  ['US-PR', 'name the country "PR" (Puerto Rico)'],
  ['US-XX', 'name the whole country, "US" (United States)'],
  ['CA-ON', 'name the whole country, "CA" (Canada)'],
  ['UK', 'did you mean "GB" (United Kingdom)?'],
  ['Atlantis', 'give an ISO 3166-1 alpha-2 code, e.g. FR'],
])('whoever writes %j is told: %s', (text, fix) => {
  expect(placeFix(text)).toBe(fix);
});
