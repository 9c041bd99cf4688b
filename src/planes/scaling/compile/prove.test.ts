import { expect, test } from 'vitest';
import { scaled, targetIn, worldOf } from '../../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { proofFindings } from '../findings.ts';
import { proofLine } from '../text.ts';
import { lossOf, nothing, singleFailures } from './failures.ts';
import { floorsOf, rememberedArriving } from './floors.ts';
import { proveFailure } from './prove.ts';

const example = await examplePlatform();
const regions = ['cloud-america', 'cloud-asia', 'cloud-europe'];
const demand = { FR: 2000, GB: 1000, US: 3000, JP: 500, DE: 600, unknown: 20 };

function proofs(platform: Platform, ready: Readonly<Record<string, number>> = {}) {
  const world = worldOf(platform, demand);
  const arriving = rememberedArriving(world);
  const held = { world, arriving, floors: floorsOf(world, arriving), ready: new Map(Object.entries(ready)) };
  return (failure: string) => {
    const all = [nothing, ...singleFailures(platform), lossOf('all', platform, [...platform.sites.keys()], [])];
    const proof = proveFailure(held, all.find(({ name }) => name === failure) ?? nothing);
    return {
      proof,
      line: proofLine(proof, 60),
      found: proofFindings(proof).map(({ reason, message }) => `${reason}: ${message}`),
    };
  };
}

const whole = scaled(
  example,
  regions.map((site) => targetIn(site)),
  6000,
);

test('a failure that every request survives says how many move, and for how long users may be led to what is lost', () => {
  const proven = proofs(whole);
  expect(proven('nothing').line).toBe('ok   nothing lost: 7,120 requests/s, served');
  // 2,000 of France to the cloud, 700 of Britain to New York.
  expect(proven('site paris').line).toBe('ok   site paris: 2,700 of 7,120 requests/s move, served within 60 s');
  expect(proven('site cloud-asia').line).toBe('ok   site cloud-asia: 500 of 7,120 requests/s move, served');
});

test('replicas that are not Ready are waited for', () => {
  const { line, found } = proofs(whole, { 'web-cloud-europe': 10 })('site paris');
  expect(line).toBe(
    'FAIL site paris: 2,700 of 7,120 requests/s move, served within 180 s: replicas have to come first',
  );
  expect(found).toEqual([
    'FloorNotHeld: web-cloud-europe needs 59 replicas on the loss of site paris and has 10: the others come after 120 s',
  ]);
});

test.each([
  [
    'replicas that cannot be had',
    scaled(
      example,
      regions.map((site) => targetIn(site, { replicas: { min: 2, max: 20 } })),
      6000,
    ),
    'site paris',
    'FloorUnmet: web-cloud-europe needs 59 replicas on the loss of site paris, and there can be 20',
  ],
  [
    'a data centre that is too small for another one',
    scaled(
      example,
      regions.map((site) => targetIn(site)),
      4000,
    ),
    'site paris',
    'CapacityShort: newyork gets 4,000 requests/s on the loss of site paris, and carries 3,600 requests/s',
  ],
  [
    'a region of which nobody says anything',
    scaled(example, [targetIn('cloud-europe')], 6000),
    'nothing',
    'CapacityUnknown: cloud in cloud-asia gets 500 requests/s of video now, and nobody says what it carries: give the Cluster a capacity, or its workload a ScalingTarget',
  ],
  [
    'nothing that is left',
    whole,
    'all',
    'NobodyLeft: 620 requests/s have nobody else on the loss of all: the answers lead to cloud in cloud-europe all the same',
  ],
])('is said of %s', (_, platform, failure, message) => {
  const { line, found } = proofs(platform)(failure);
  expect(found).toContain(message);
  expect(line).toMatch(/^FAIL /);
});
