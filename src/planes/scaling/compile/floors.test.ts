import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scaled, targetIn, worldOf } from '../../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { countries } from '../../../model/geo/countries.ts';
import { nothing, singleFailures, survivedBy } from './failures.ts';
import { floorsOf, rememberedArriving } from './floors.ts';
import { arrivingUnder } from './load.ts';
import { proveFailure } from './prove.ts';

const platform = await examplePlatform();
const regions = ['cloud-america', 'cloud-asia', 'cloud-europe'];
const demand = { FR: 2000, GB: 1000, US: 3000, JP: 500, DE: 600, unknown: 20 };

const floorIn = (site: string, changed = {}, of: Readonly<Record<string, number>> = demand) =>
  floorsOf(worldOf(scaled(platform, [targetIn(site, changed)]), of))[0];

test('a failure is a site or a cluster, and two with one effect are one', () => {
  expect(singleFailures(platform).map(({ name, clusters }) => [name, ...clusters])).toEqual([
    ['site cloud-america'],
    ['site cloud-asia'],
    ['site cloud-europe'],
    ['site newyork', 'newyork'],
    ['site paris', 'paris'],
    ['cluster cloud', 'cloud'],
  ]);
  const together = { survives: { failures: 'none', together: [['paris', 'newyork']] } };
  expect(survivedBy(platform, targetIn('cloud-europe', together)).map(({ name }) => name)).toEqual([
    'sites newyork and paris',
  ]);
});

test('users come to the nearest region that is left', () => {
  const world = worldOf(scaled(platform, []), { JP: 100, DE: 100, unknown: 10 });
  const arriving = (lost: string) =>
    arrivingUnder(world, singleFailures(platform).find(({ name }) => name === lost) ?? nothing).map(
      ({ place, cluster, site }) => `${place} ${cluster} ${site}`,
    );
  expect(arriving('nothing')).toEqual(['DE cloud cloud-europe', 'JP cloud cloud-asia', 'unknown cloud cloud-europe']);
  expect(arriving('site cloud-asia')).toContain('JP cloud cloud-europe');
  expect(arriving('cluster cloud')).toEqual(['DE paris undefined', 'JP paris undefined', 'unknown paris undefined']);
});

test.each([
  [{ 'US-CA': 500, 'US-NY': 500 }, 1000],
  [{ US: 1000, 'US-CA': 600, 'US-NY': 300 }, 1000],
  [{ US: 500, 'US-CA': 600 }, 600],
])('a country asks for what its states ask: %j', (of, sum) => {
  const arriving = arrivingUnder(worldOf(scaled(platform, []), of), nothing);
  expect(arriving.reduce((total, one) => total + one.requestsPerSecond, 0)).toBeCloseTo(sum);
});

test('a floor carries the failure that asks most of it, at the fullness of an emergency', () => {
  // Of 620 requests/s 70 % of 50 each now; 2,000 of France more on the loss of Paris, 90 % of 50 each. Britain goes to New York.
  expect(floorIn('cloud-europe')).toMatchObject({
    replicas: 59,
    now: { replicas: 18, callsPerSecond: 620 },
    binding: {
      failure: 'site paris',
      callsPerSecond: 2620,
      from: [{ place: 'FR' }, { place: 'DE' }, { place: 'unknown' }],
    },
    missing: 0,
  });
  expect(floorIn('cloud-america')).toMatchObject({ binding: { failure: 'site newyork', callsPerSecond: 3000 } });
});

test.each([
  ['nothing is to be survived', { survives: { failures: 'none' } }, { replicas: 18, binding: { failure: 'nothing' } }],
  [
    'two sites are lost together',
    { survives: { together: [['paris', 'newyork']] } },
    { replicas: 81, binding: { failure: 'sites newyork and paris', callsPerSecond: 3620 } },
  ],
  ['its least is enough', { replicas: { min: 100, max: 200 } }, { replicas: 100, binding: undefined }],
  ['there cannot be enough', { replicas: { min: 2, max: 50 } }, { replicas: 50, missing: 9 }],
  ['one request of four reaches it', { callsPerRequest: 0.25 }, { replicas: 15 }],
])('when %s', (_, changed, expected) => {
  const floor = floorIn('cloud-europe', changed);
  expect({ binding: undefined, ...floor }).toMatchObject(expected);
});

const demands = fc.dictionary(
  fc.constantFrom(...countries.map(({ code }) => code), 'unknown'),
  fc.double({ min: 0, max: 1e5, noNaN: true }),
  { maxKeys: 40 },
);

test('no request is lost or made up, whatever is lost', () => {
  fc.assert(
    fc.property(demands, (of) => {
      const world = worldOf(scaled(platform, []), of);
      const sum = Object.values(of).reduce((total, rate) => total + rate, 0);
      for (const failure of [nothing, ...singleFailures(platform)]) {
        const arrived = arrivingUnder(world, failure).reduce((total, one) => total + one.requestsPerSecond, 0);
        expect(arrived).toBeCloseTo(sum, 3);
      }
    }),
    { numRuns: 50 },
  );
});

test('where floors are held, no single failure has users wait for replicas', () => {
  fc.assert(
    fc.property(demands, fc.double({ min: 1, max: 500, noNaN: true }), (of, callsPerSecond) => {
      const targets = regions.map((site) =>
        targetIn(site, { callsPerSecond, replicas: { min: 0, max: 100_000 }, callsPerRequest: 0.01 }),
      );
      const world = worldOf(scaled(platform, targets, 1e9), of);
      const arriving = rememberedArriving(world);
      const floors = floorsOf(world, arriving);
      for (const failure of [nothing, ...singleFailures(platform)])
        expect(proveFailure({ world, arriving, floors, observed: new Map() }, failure).shortages).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('one replica less than a binding floor is not enough', () => {
  fc.assert(
    fc.property(demands, (of) => {
      const world = worldOf(
        scaled(
          platform,
          regions.map((site) => targetIn(site)),
          1e9,
        ),
        of,
      );
      const arriving = rememberedArriving(world);
      const floors = floorsOf(world, arriving);
      for (const { target, replicas, binding } of floors) {
        if (binding === undefined) continue;
        const observed = new Map([[target, { state: 'read', ready: replicas - 1 } as const]]);
        const failure = [nothing, ...singleFailures(platform)].find(({ name }) => name === binding.failure) ?? nothing;
        const { shortages } = proveFailure({ world, arriving, floors, observed }, failure);
        expect(shortages).toMatchObject([{ target, kind: binding.replicas > 10_000 ? 'replicas' : 'late' }]);
      }
    }),
    { numRuns: 50 },
  );
});
