import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backend, type Room, roomOf } from './backend.ts';
import { type Arrival, type Flow, waterfall } from './waterfall.ts';

/** Where the places of these tests lie on a line. */
const position: Readonly<Record<string, number>> = { europe: 0, america: 6, asia: 15 };
const distance = (from: string, to: string): number => Math.abs((position[from] ?? 0) - (position[to] ?? 0));

const room = (backend: string, capacity: number, healthy = 1): Room => ({
  backend,
  region: backend.split('-')[0] ?? '',
  capacity,
  healthy,
});
const arrival = (frontEnd: string, requestsPerSecond: number): Arrival => ({ frontEnd, requestsPerSecond });

function flow(arrivals: readonly Arrival[], rooms: readonly Room[]): Readonly<Record<string, number>> {
  const flows = waterfall({ arrivals, rooms, distance, failoverThreshold: 0.7 });
  return Object.fromEntries(
    flows.map((one) => [`${one.frontEnd} > ${one.backend}`, Math.round(one.requestsPerSecond * 100) / 100]),
  );
}

describe('requests go', () => {
  const three = [room('europe-a', 100), room('america-a', 100), room('asia-a', 100)];

  it.each<[what: string, Readonly<Record<string, number>>, Readonly<Record<string, number>>]>([
    ['to the nearest region while it has room', flow([arrival('europe', 80)], three), { 'europe > europe-a': 80 }],
    [
      'beyond its capacity to the next nearest, and on to the one after that',
      flow([arrival('europe', 250)], three),
      { 'europe > europe-a': 100, 'europe > america-a': 100, 'europe > asia-a': 50 },
    ],
    [
      'first of all to the own region: who spills comes after those who are near',
      flow([arrival('europe', 150), arrival('america', 90)], three),
      { 'europe > europe-a': 100, 'europe > america-a': 10, 'europe > asia-a': 40, 'america > america-a': 90 },
    ],
    [
      'to the zones of a region in proportion to their capacity',
      flow([arrival('europe', 40)], [room('europe-a', 60), room('europe-b', 20), room('america-a', 100)]),
      { 'europe > europe-a': 30, 'europe > europe-b': 10 },
    ],
    [
      'past every target, in proportion to capacity, where all regions are full: a rate is no limit',
      flow([arrival('europe', 400)], [room('europe-a', 100), room('america-a', 300 / 3), room('asia-a', 0)]),
      { 'europe > europe-a': 200, 'europe > america-a': 200 },
    ],
    [
      'to no backend without room: drained, or without a healthy endpoint',
      flow([arrival('europe', 50)], [room('europe-a', 0, 0), room('america-a', 100)]),
      { 'europe > america-a': 50 },
    ],
    [
      'to other zones of the region before those below the failover threshold',
      flow([arrival('europe', 120)], [room('europe-a', 50, 0.5), room('europe-b', 100), room('america-a', 100)]),
      { 'europe > europe-b': 100, 'europe > europe-a': 20 },
    ],
    [
      'away from a region below the threshold although it has room: a half at 35 % of 70 %',
      flow([arrival('europe', 20)], [room('europe-a', 35, 0.35), room('america-a', 100)]),
      { 'europe > europe-a': 10, 'europe > america-a': 10 },
    ],
    [
      'back to a region below the threshold when nobody else has room',
      flow([arrival('europe', 30)], [room('europe-a', 35, 0.35), room('america-a', 0, 0)]),
      { 'europe > europe-a': 30 },
    ],
    ['nowhere when nothing is healthy', flow([arrival('europe', 30)], [room('europe-a', 0, 0)]), {}],
  ])('%s', (_, is, expected) => {
    expect(is).toEqual(expected);
  });
});

describe('whatever arrives and whoever is healthy', () => {
  const places = ['europe', 'america', 'asia'] as const;
  const situation = fc.record({
    arrivals: fc.tuple(...places.map((place) => fc.integer({ min: 0, max: 500 }).map((rate) => arrival(place, rate)))),
    rooms: fc
      .array(fc.tuple(fc.constantFrom(...places), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 10 })), {
        maxLength: 8,
      })
      .map((all) => all.map(([place, capacity, tenths], index) => room(`${place}-${index}`, capacity, tenths / 10))),
  });
  const total = (flows: readonly Flow[], of: (flow: Flow) => boolean): number =>
    flows.filter(of).reduce((sum, one) => sum + one.requestsPerSecond, 0);

  it('no request is lost or made up, and none goes where no room is', () => {
    fc.assert(
      fc.property(situation, ({ arrivals, rooms }) => {
        const flows = waterfall({ arrivals, rooms, distance, failoverThreshold: 0.7 });
        const anywhere = rooms.some(({ capacity }) => capacity > 0);
        for (const { frontEnd, requestsPerSecond } of arrivals)
          expect(total(flows, (one) => one.frontEnd === frontEnd)).toBeCloseTo(anywhere ? requestsPerSecond : 0, 6);
        for (const { backend } of rooms.filter(({ capacity }) => capacity === 0))
          expect(total(flows, (one) => one.backend === backend)).toBe(0);
      }),
    );
  });

  it('no backend is over its capacity while another one has room', () => {
    fc.assert(
      fc.property(situation, ({ arrivals, rooms }) => {
        const flows = waterfall({ arrivals, rooms, distance, failoverThreshold: 0.7 });
        const load = ({ backend }: Room): number => total(flows, (one) => one.backend === backend);
        const over = rooms.some((one) => load(one) > one.capacity + 1e-6);
        if (over) for (const one of rooms) expect(load(one)).toBeGreaterThanOrEqual(one.capacity - 1e-6);
      }),
    );
  });

  it('nobody is served far away while a nearer region with sound backends has room', () => {
    fc.assert(
      fc.property(situation, ({ arrivals, rooms }) => {
        const sound = rooms.map((one) => ({ ...one, healthy: 1 }));
        const flows = waterfall({ arrivals, rooms: sound, distance, failoverThreshold: 0.7 });
        for (const one of flows) {
          const region = sound.find(({ backend }) => backend === one.backend)?.region ?? '';
          for (const nearer of sound.filter(
            (other) => distance(one.frontEnd, other.region) < distance(one.frontEnd, region),
          ))
            expect(total(flows, ({ backend }) => backend === nearer.backend)).toBeGreaterThanOrEqual(
              nearer.capacity - 1e-6,
            );
        }
      }),
    );
  });
});

it('a backend has room for its healthy endpoints, times its scaler, and none when drained', () => {
  const backend: Backend = {
    name: 'europe-a',
    region: 'europe',
    zone: 'a',
    maxRatePerEndpoint: 50,
    capacityScaler: 0.5,
    endpoints: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'],
  };
  expect(roomOf(backend, 3, false)).toEqual({ backend: 'europe-a', region: 'europe', capacity: 75, healthy: 0.75 });
  expect(roomOf(backend, 3, true).capacity).toBe(0);
  expect(roomOf({ ...backend, capacityScaler: 0 }, 4, false).capacity).toBe(0);
  expect(roomOf({ ...backend, endpoints: [] }, 0, false)).toMatchObject({ capacity: 0, healthy: 0 });
});
