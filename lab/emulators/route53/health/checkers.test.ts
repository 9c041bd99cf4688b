import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import { type HealthCheck, type HealthCheckSettings, healthyByCheckers, statusOf } from './check.ts';
import { Checkers } from './checkers.ts';
import { compressTimeouts } from './probe.ts';

function settingsOf(part: Partial<HealthCheckSettings> = {}): HealthCheckSettings {
  return {
    type: 'HTTP',
    address: '192.0.2.1',
    port: 80,
    path: '/',
    hostName: undefined,
    searchString: undefined,
    intervalSeconds: 10,
    failureThreshold: 3,
    inverted: false,
    disabled: false,
    enableSni: false,
    regions: [],
    healthThreshold: undefined,
    children: [],
    ...part,
  };
}

/** Starts checkers whose probes give the results that the test sets. */
function start(count: number, compression = 1) {
  const clock = new FakeClock();
  const changes: boolean[] = [];
  const probedAt: number[] = [];
  const world = { healthy: true, healthyProbes: 0 };
  const checkers = new Checkers({
    clock,
    compression,
    count,
    probe: () => {
      probedAt.push(clock.now() - 1_000_000);
      const healthy = world.healthy || probedAt.length % count < world.healthyProbes;
      return Promise.resolve({ healthy, detail: healthy ? 'up' : 'down' });
    },
    onChange: (_, healthy) => changes.push(healthy),
  });
  const check: HealthCheck = { id: 'c', callerReference: 'r', version: 1, settings: settingsOf() };
  checkers.watch(check);
  return { clock, checkers, changes, probedAt, world, check };
}

describe('checkers', () => {
  it('start healthy, and spread over the interval', async () => {
    const { clock, checkers, probedAt } = start(5);
    expect(checkers.isHealthy('c')).toBe(true);
    await clock.advance(20_000);
    expect(probedAt).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map((second) => second * 1000));
  });

  it('turn after the threshold, both ways', async () => {
    const { clock, checkers, changes, world } = start(4);
    world.healthy = false;
    await clock.advance(20_000);
    expect(checkers.isHealthy('c')).toBe(true);
    await clock.advance(10_000);
    expect(checkers.isHealthy('c')).toBe(false);
    world.healthy = true;
    await clock.advance(20_000);
    expect(checkers.isHealthy('c')).toBe(false);
    await clock.advance(10_000);
    expect(checkers.isHealthy('c')).toBe(true);
    expect(changes).toEqual([false, true]);
  });

  it('divide the interval by the time compression', async () => {
    const { clock, checkers, world } = start(4, 10);
    world.healthy = false;
    await clock.advance(3000);
    expect(checkers.isHealthy('c')).toBe(false);
  });

  it('go on from the present status when the check changes, and stop when it is disabled or forgotten', async () => {
    const { clock, checkers, check, world, probedAt } = start(4);
    world.healthy = false;
    await clock.advance(30_000);
    checkers.watch({ ...check, settings: settingsOf({ failureThreshold: 1 }) });
    expect(checkers.isHealthy('c')).toBe(false);
    checkers.watch({ ...check, settings: settingsOf({ disabled: true }) });
    const before = probedAt.length;
    await clock.advance(60_000);
    expect(probedAt.length).toBe(before);
    checkers.forget('c');
    expect(clock.pending).toBe(0);
  });
});

describe('the status', () => {
  it.each([
    [0, 6, false],
    [1, 6, false],
    [2, 6, true],
    [18, 100, false],
    [19, 100, true],
    [0, 0, true],
  ])('%d of %d checkers: %s', (says, of, healthy) => {
    expect(healthyByCheckers(says, of)).toBe(healthy);
  });

  const children = (ids: readonly string[]) => (id: string) => ids.includes(id);
  it.each([
    ['endpoint up', settingsOf(), true, true],
    ['endpoint down', settingsOf(), false, false],
    ['inverted', settingsOf({ inverted: true }), true, false],
    ['disabled counts as healthy', settingsOf({ disabled: true }), false, true],
    ['disabled and inverted', settingsOf({ disabled: true, inverted: true }), true, false],
    ['two of three', settingsOf({ type: 'CALCULATED', children: ['a', 'b', 'x'], healthThreshold: 2 }), true, true],
    ['three of three', settingsOf({ type: 'CALCULATED', children: ['a', 'b', 'x'], healthThreshold: 3 }), true, false],
    ['threshold 0', settingsOf({ type: 'CALCULATED', children: ['x'], healthThreshold: 0 }), true, true],
    [
      'threshold above the number',
      settingsOf({ type: 'CALCULATED', children: ['a'], healthThreshold: 2 }),
      true,
      false,
    ],
  ])('%s', (_, settings, endpoint, healthy) => {
    expect(statusOf(settings, endpoint, children(['a', 'b']))).toBe(healthy);
  });
});

it('compresses timeouts, never below half a second', () => {
  expect(compressTimeouts(1)).toEqual({ connectMs: 4000, tcpConnectMs: 10_000, responseMs: 2000, bodyMs: 2000 });
  expect(compressTimeouts(10)).toEqual({ connectMs: 500, tcpConnectMs: 1000, responseMs: 500, bodyMs: 500 });
});
