import { expect, it } from 'vitest';
import { type RequestCounts, readCounts } from './counts.ts';
import { DemandWindow } from './demand.ts';

const counted = (requests: number): RequestCounts =>
  readCounts({ hosts: {}, countries: { FR: [requests, 1, 1000 * requests] }, leftOut: 0, countryData: 'ready' });
const minute = 60_000;

it('demand is that of the last hour, over a new start of nginx as well', () => {
  const window = new DemandWindow();
  window.read(counted(1000), 0);
  expect(window.demand).toBeUndefined();
  window.read(counted(1010), 5000);
  expect(window.demand).toMatchObject({
    fromMs: 0,
    toMs: 5000,
    countries: [{ country: 'FR', requests: 10, seconds: 10 }],
  });
  for (let at = 2; at <= 30; at++) window.read(counted(1010 + at), at * minute);
  expect(window.demand?.countries[0]?.requests).toBe(40);
  window.read(counted(7), 31 * minute);
  expect(window.demand?.countries[0]?.requests).toBe(47);
  for (let at = 32; at <= 92; at++) window.read(counted(7), at * minute);
  expect(window.demand?.countries).toEqual([]);
  expect(window.demand?.fromMs).toBeGreaterThan(30 * minute);
});
