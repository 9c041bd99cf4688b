import { expect, test } from 'vitest';
import { continentOf, continents, countries, countriesOf, countryOf } from './countries.ts';

test('has as many countries on every continent as Route 53', () => {
  expect(Object.fromEntries(continents.map((continent) => [continent, countriesOf(continent).length]))).toEqual({
    AF: 57,
    AN: 3,
    AS: 50,
    EU: 54,
    NA: 41,
    OC: 27,
    SA: 14,
  });
  expect(countries.length).toBe(246);
});

test('has every code once, sorted, with a name', () => {
  const codes = countries.map((country) => country.code);
  expect(codes).toEqual([...new Set(codes)].sort());
  expect(codes.every((code) => /^[A-Z]{2}$/.test(code))).toBe(true);
  expect(countries.filter((country) => country.name === country.code || country.name === '')).toEqual([]);
});

test('places the countries where data sets differ as Route 53 does', () => {
  expect(['TR', 'CY', 'RU', 'GE', 'AZ', 'AM', 'EG', 'TL', 'XK'].map(continentOf).join(' ')).toBe(
    'EU EU EU AS AS AS AF OC EU',
  );
});

test('knows no country that Route 53 has no data for, and no invented one', () => {
  expect(['BV', 'CX', 'EH', 'HM', 'UK', 'fr', 'ZZ'].map(countryOf)).toEqual(Array(7).fill(undefined));
});
