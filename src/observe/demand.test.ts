import { expect, it } from 'vitest';
import { blade, takenAtMs, target } from '../../test/support/snapshot.ts';
import { examplePlatform, withDefault } from '../../test/support/steering/world.ts';
import type { Platform } from '../model/spec/platform.ts';
import { countryDataText, demandOf, hostRatesOf } from './demand.ts';
import type { AgentPart } from './snapshot.ts';

const minute = 60_000;
const measured = (minutes: number, requests: Readonly<Record<string, number>>) => ({
  demand: {
    fromMs: takenAtMs - minutes * minute,
    toMs: takenAtMs,
    countries: Object.entries(requests).map(([country, count]) => ({ country, requests: count })),
  },
});
const told = (platform: Platform, ...agents: readonly AgentPart[]) => demandOf(platform, { takenAtMs, agents });
const silent: AgentPart = { target: target('paris-blade-3', 'edge'), problem: 'cannot be reached' };

it('says of when the oldest data of countries is, and when that is old', async () => {
  const platform = await examplePlatform();
  const ofAge = (daysOld?: number) => ({
    ...measured(60, { FR: 3600 }),
    ...(daysOld === undefined ? {} : { countryDataBuilt: new Date(takenAtMs - daysOld * 1440 * minute).toISOString() }),
  });
  const [none, young, old] = [[undefined], [30, 165], [30, 400]].map((ages) =>
    countryDataText(told(platform, ...ages.map((age, index) => blade(`paris-blade-${index}`, ofAge(age))))),
  );
  expect(none).toEqual([]);
  expect(young).toEqual([expect.stringMatching(/^countries are told by data of \d{4}-\d\d-\d\d, 165 days old$/)]);
  expect(old).toEqual([expect.stringMatching(/, 400 days old; install .*\(CountryDataOld\)$/)]);
});

it('adds what blades measured in different times, of countries whose users are led to them', async () => {
  const platform = await examplePlatform();
  const demand = told(
    platform,
    blade('paris-blade-1', measured(60, { FR: 36_000, SN: 3600, unknown: 360 })),
    blade('paris-blade-2', measured(1, { FR: 600 })),
    silent,
  );
  expect(demand).toMatchObject({
    measuredAtMs: takenAtMs,
    seconds: 60,
    clusters: ['paris'],
    unmeasured: ['cloud', 'newyork'],
    silent: [{ blade: 'paris-blade-3', why: 'cannot be reached' }],
    unknownPerSecond: 0.1,
  });
  expect(demand.requestsPerSecond).toMatchObject({ FR: 20, SN: 1, BE: 0 });
  expect(demand.requestsPerSecond).not.toHaveProperty('JP');
  // newyork, which told nothing, answers 30 % of GB.
  const britain = told(platform, blade('paris-blade-1', measured(60, { GB: 2520 })));
  expect(britain.requestsPerSecond.GB).toBeCloseTo(1, 9);
});

it('believes what blades see of users who should be led elsewhere where it is more than the average', async () => {
  const platform = await examplePlatform();
  const seen = told(platform, blade('paris-blade-1', measured(60, { FR: 3600, JP: 36_000, KR: 1 })));
  expect(seen.requestsPerSecond.JP).toBe(10);
  expect(seen.requestsPerSecond).not.toHaveProperty('KR');
});

it('says that nothing was measured', async () => {
  const platform = withDefault(await examplePlatform(), 'paris');
  const none = told(platform, blade('paris-blade-1'), silent);
  expect([none.clusters, none.seconds, none.requestsPerSecond]).toEqual([[], 0, {}]);
  expect(none.silent).toHaveLength(2);
});

it('tells of the last minute as well, by country and by host', async () => {
  const platform = await examplePlatform();
  const lastMinute = {
    fromMs: takenAtMs - minute,
    toMs: takenAtMs,
    countries: { FR: 600 },
    hosts: { 'a.example': 60 },
  };
  const agents = [
    blade('paris-blade-1', { lastMinute }),
    blade('paris-blade-2', { ...measured(60, { FR: 1 }), lastMinute }),
  ];
  const told = demandOf(platform, { takenAtMs, agents: [...agents, silent] }, 'minute');
  expect(told).toMatchObject({ seconds: 60, requestsPerSecond: { FR: 20 }, silent: [{ blade: 'paris-blade-3' }] });
  expect(hostRatesOf({ agents })).toEqual(new Map([['a.example', 2]]));
  const old = demandOf(platform, { takenAtMs, agents: [blade('paris-blade-1', measured(60, { FR: 1 }))] }, 'minute');
  expect(old.silent).toMatchObject([{ why: 'has measured nothing yet, or is of an older version' }]);
});
