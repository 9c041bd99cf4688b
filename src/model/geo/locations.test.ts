import { expect, test } from 'vitest';
import { countries } from './countries.ts';
import { distanceKm, locationOf } from './locations.ts';

test('every country is somewhere on Earth, and no other code is', () => {
  for (const { code } of countries) {
    const { latitude = 999, longitude = 999 } = locationOf(code) ?? {};
    expect(Math.abs(latitude), code).toBeLessThanOrEqual(90);
    expect(Math.abs(longitude), code).toBeLessThanOrEqual(180);
  }
  expect([locationOf('XX'), locationOf('constructor')]).toEqual([undefined, undefined]);
});

test('distances are those of the globe, also across the date line', () => {
  const [paris, newyork] = [
    { latitude: 48.86, longitude: 2.35 },
    { latitude: 40.71, longitude: -74.01 },
  ];
  expect(distanceKm(paris, newyork)).toBeCloseTo(5837, -1);
  expect(distanceKm(paris, paris)).toBe(0);
  expect(distanceKm({ latitude: 0, longitude: 179 }, { latitude: 0, longitude: -179 })).toBeCloseTo(222, 0);
});
