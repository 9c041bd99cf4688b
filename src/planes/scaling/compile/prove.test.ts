import { expect, test } from 'vitest';
import { scaled, targetIn, worldOf } from '../../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { apiVersion } from '../../../model/contract.ts';
import { Drain } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { proofFindings } from '../findings.ts';
import { proofLine } from '../text.ts';
import { lossOf, nothing, singleFailures } from './failures.ts';
import { floorsOf, rememberedArriving } from './floors.ts';
import type { Observed } from './observed.ts';
import { proveFailure } from './prove.ts';

const example = await examplePlatform();
const regions = ['cloud-america', 'cloud-asia', 'cloud-europe'];
const demand = { FR: 2000, GB: 1000, US: 3000, JP: 500, DE: 600, unknown: 20 };

function proofs(platform: Platform, ready: Readonly<Record<string, Observed>> = {}) {
  const world = worldOf(platform, demand);
  const arriving = rememberedArriving(world);
  const held = { world, arriving, floors: floorsOf(world, arriving), observed: new Map(Object.entries(ready)) };
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
  expect(proven('nothing').line).toBe('ok   now: 7,120 requests/s, served');
  // 2,000 of France to the cloud, 700 of Britain to New York.
  expect(proven('site paris').line).toBe('ok   site paris: 2,700 of 7,120 requests/s move, served within 60 s');
  expect(proven('site cloud-asia').line).toBe('ok   site cloud-asia: 500 of 7,120 requests/s move, served');
});

test('replicas that are not Ready are waited for', () => {
  const { line, found } = proofs(whole, { 'web-cloud-europe': { state: 'read', ready: 10 } })('site paris');
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

test('a cluster that does not answer is no place, and one that nobody was to ask is', () => {
  const { line, found } = proofs(whole, { 'web-cloud-europe': { state: 'unread', why: 'no route to host' } })(
    'site paris',
  );
  expect(line).toMatch(/^FAIL site paris: .*nobody can say whether all are served$/);
  expect(found).toEqual([
    'WorkloadUnread: web-cloud-europe needs 59 replicas on the loss of site paris, and nobody knows how many are Ready: no route to host',
  ]);
});

test('an autoscaler that stops below what is needed is not waited for', () => {
  const observed = { state: 'read', ready: 20, autoscaler: { min: 3, max: 20 } } as const;
  expect(proofs(whole, { 'web-cloud-europe': observed })('site paris').found).toEqual([
    'FloorUnmet: web-cloud-europe needs 59 replicas on the loss of site paris, and there can be 20',
  ]);
});

test('what a Drain took out of service is no place', () => {
  const spec = { target: { kind: 'Cluster', name: 'newyork' }, expires: '2026-11-28T13:00:00Z', reason: 'works' };
  const drain = Drain.parse({ apiVersion, kind: 'Drain', metadata: { name: 'works' }, spec });
  const roomy = scaled(
    example,
    regions.map((site) => targetIn(site)),
    9000,
  );
  const drained = { ...roomy, drains: new Map([['works', drain]]) };
  expect(proofs(drained)('nothing').found).toEqual([]);
  expect(proofs(drained)('cluster cloud').found).toEqual([]);
  expect(
    proofs({
      ...drained,
      drains: new Map([
        ...drained.drains,
        ['more', { ...drain, spec: { ...drain.spec, target: { kind: 'Cluster', name: 'paris' } } }],
      ]),
    })('cluster cloud').found,
  ).toEqual([
    'PlaceDrained: 3,820 requests/s come to paris on the loss of cluster cloud, which is drained: its machines may be off',
    'PlaceDrained: 3,300 requests/s come to newyork on the loss of cluster cloud, which is drained: its machines may be off',
  ]);
});

test('the capacity of a cluster says nothing of what is left of its regions', () => {
  const clusters = new Map(whole.clusters);
  const cloud = clusters.get('cloud');
  if (cloud === undefined) throw new Error('no cloud');
  clusters.set('cloud', { ...cloud, spec: { ...cloud.spec, capacity: { requestsPerSecond: 9000 } } });
  const platform = { ...scaled(example, [], 6000), clusters };
  expect(proofs(platform)('nothing').found).toEqual([]);
  expect(proofs(platform)('site cloud-asia').found).toEqual([
    expect.stringMatching(
      /^CapacityUnknown: cloud in cloud-europe gets 1,120 requests\/s of video on the loss of site cloud-asia/,
    ),
  ]);
});

test('what is down already is lost in every failure, and a second one is proven on top', () => {
  const world = { ...worldOf(whole, demand), health: { down: new Set(['paris']) } };
  const arriving = rememberedArriving(world);
  const held = { world, arriving, floors: floorsOf(world, arriving), observed: new Map() };
  const line = (failure: string) => {
    const all = [nothing, ...singleFailures(whole)];
    return proofLine(proveFailure(held, all.find(({ name }) => name === failure) ?? nothing), 60);
  };
  expect(held.floors.find(({ target }) => target === 'web-cloud-europe')?.now).toMatchObject({ replicas: 59 });
  expect(line('nothing')).toBe('ok   now: 7,120 requests/s, served');
  // Everybody is left to New York, which is too small for it.
  expect(line('cluster cloud')).toMatch(/^FAIL cluster cloud: .*and not all are served$/);
});
