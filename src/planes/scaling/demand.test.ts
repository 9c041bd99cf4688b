import { expect, test } from 'vitest';
import { nowMs, scaled, targetIn } from '../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import { demandOf, type Measured } from './demand.ts';

const platform = scaled(await examplePlatform(), [targetIn('cloud-europe')]);
const video = platform.policies.get('video');
if (video === undefined) throw new Error('no policy');
const two = {
  ...platform,
  policies: new Map([
    ['video', video],
    ['radio', video],
  ]),
};
const measured: Measured = {
  rates: { measuredAtMs: nowMs, requestsPerSecond: { FR: 1 } },
  unknownPerSecond: 2,
  silent: [],
  unmeasured: [],
  shares: new Map(),
  margin: 0.5,
};

test('a single policy has all that was measured', () => {
  expect(demandOf(platform, measured, nowMs)).toMatchObject({
    shares: new Map([['video', 1]]),
    factor: 1.5,
    unknownPerSecond: 2,
  });
});

test('blades that should have measured and did not are missed, clusters without any are not', () => {
  const { unheard } = demandOf(
    platform,
    { ...measured, silent: ['paris-blade-1'], unmeasured: ['cloud', 'newyork'] },
    nowMs,
  );
  expect(unheard).toEqual([
    'no blade of newyork told what it measured',
    'paris-blade-1 did not tell what was measured there',
  ]);
  const nothing = { ...measured, rates: { ...measured.rates, requestsPerSecond: {} } };
  expect(demandOf(platform, nothing, nowMs).unheard).toEqual(['no country was measured']);
});

test('several policies have what was said of each', () => {
  const shares = new Map([
    ['video', 0.8],
    ['radio', 0.3],
  ]);
  expect(demandOf(two, { ...measured, shares }, nowMs).shares).toEqual(shares);
});

test.each([
  ['no target', scaled(platform, []), measured, 'there is no ScalingTarget'],
  ['several policies and no share', two, { ...measured, shares: new Map([['video', 0.8]]) }, 'which part is for radio'],
  [
    'a share of no policy',
    platform,
    { ...measured, shares: new Map([['vidoe', 1]]) },
    'there is no TrafficPolicy "vidoe"',
  ],
  [
    'figures of last week',
    platform,
    { ...measured, rates: { ...measured.rates, measuredAtMs: nowMs - 8 * 86_400_000 } },
    'measured at 2026-11-20T12:00:00.000Z, more than seven days ago',
  ],
])('%s is refused', (_, where, what, message) => {
  expect(() => demandOf(where, what, nowMs)).toThrow(message);
});
