import { expect, it } from 'vitest';
import { type RequestCounts, readCounts } from './counts.ts';
import { LastMinuteWindow } from './last-minute.ts';

const counted = (requests: number): RequestCounts =>
  readCounts({
    hosts: { 'www.video.example': { counts: [requests], reasons: {} } },
    countries: { FR: [requests, 0, 0] },
    leftOut: 0,
    countryData: 'ready',
  });

it('tells of the last minute, by country and by host', () => {
  const window = new LastMinuteWindow();
  window.read(counted(1000), 0);
  expect(window.lastMinute).toBeUndefined();
  for (let at = 1; at <= 30; at++) window.read(counted(1000 + 10 * at), at * 5000);
  expect(window.lastMinute).toEqual({
    fromMs: 90_000,
    toMs: 150_000,
    countries: { FR: 120 },
    hosts: { 'www.video.example': 120 },
  });
});

it('counts on when nginx starts again, and forgets when the clock goes back', () => {
  const window = new LastMinuteWindow();
  window.read(counted(1000), 0);
  window.read(counted(1010), 5000);
  window.read(counted(7), 10_000);
  expect(window.lastMinute).toMatchObject({ countries: { FR: 17 }, fromMs: 0, toMs: 10_000 });
  window.read(counted(9), 2000);
  expect(window.lastMinute).toBeUndefined();
});
