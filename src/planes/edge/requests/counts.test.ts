import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mostMeasuredHosts, readCounts, requestBounds } from './counts.ts';

const lua = readFileSync(new URL('../nginx/lua/measure.lua', import.meta.url), 'utf8');

describe('what nginx counts', () => {
  it.each([
    ['LATENCY', requestBounds.latency],
    ['COUNTRY_LATENCY', requestBounds.countryLatency],
    ['ROUND_TRIP', requestBounds.roundTrip],
  ] as const)('has the same bounds there and here: %s', (name, bounds) => {
    const [, list = ''] = new RegExp(`local ${name} = \\{ (.*) \\}`).exec(lua) ?? [];
    expect(list.split(', ').map(Number)).toEqual(bounds);
  });

  it('names as many hosts one by one there as here', () => {
    expect(lua).toContain(`local MOST_HOSTS = ${mostMeasuredHosts}\n`);
  });

  it('is read by place', () => {
    const places = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
    const { hosts, countries } = readCounts({
      hosts: { 'www.example': { counts: places(33), reasons: { NoEndpoints: 2 } } },
      countries: { FR: places(19) },
      leftOut: 0,
      countryData: 'ready',
    });
    const www = hosts.get('www.example');
    expect([www?.requests, www?.statuses.get('1xx'), www?.statuses.get('5xx'), www?.statuses.get('none')]).toEqual([
      1, 2, 6, 7,
    ]);
    expect(www?.whole).toEqual({ sumSeconds: 0.008, buckets: places(20).slice(8) });
    expect(www?.pod).toEqual({ sumSeconds: 0.021, buckets: places(33).slice(21) });
    const fr = countries.get('FR');
    expect([fr?.requests, fr?.failures, fr?.whole.sumSeconds, fr?.roundTrips.sumSeconds]).toEqual([1, 2, 0.003, 0.011]);
    expect(fr?.whole.buckets).toEqual(places(10).slice(3));
    expect(fr?.roundTrips.buckets).toEqual(places(19).slice(11));
  });

  it('of another shape is refused', () => {
    expect(() => readCounts({ hosts: [] })).toThrow();
  });
});
