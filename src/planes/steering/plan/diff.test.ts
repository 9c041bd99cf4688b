import { expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import {
  examplePlatform,
  withCheck,
  withDefault,
  withHost,
  withIPv6OnCloud,
} from '../../../../test/support/steering/world.ts';
import { ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyZone } from './apply.ts';
import { differenceOf, renderDifferences } from './diff.ts';

const zone = 'video.example';

test('two applies are compared by policy, by users and by cluster, in both directions', async () => {
  const subject = new ZoneInMemory('route53');
  const apply = async (platform: Platform): Promise<void> =>
    applyZone(await planZone(platform, subject.provider, zone, 0), subject.provider);
  const diff = async (from: string, to: string): Promise<readonly string[]> =>
    renderDifferences([await differenceOf(subject.provider, zone, [from, to])]);
  const first = await examplePlatform();
  await apply(first);
  await apply(
    withHost(withDefault(withIPv6OnCloud(withCheck(first, { failureThreshold: 5 })), 'newyork'), 'new.video.example'),
  );
  const lines = await diff('1', '2');
  expect(lines).toEqual([
    'route53 zone video.example, generation 1 -> 2',
    '  policy video is changed',
    '    hosts: ["www.video.example"] -> ["www.video.example","new.video.example"]',
    expect.stringMatching(/^ {4}cloud > paris > newyork -> newyork > cloud > paris: .* and 94 more$/),
    expect.stringMatching(/^ {2}cluster cloud: 203\.0\.113\.10, .* -> 203\.0\.113\.10 and 2001:db8:6::10, /),
    expect.stringMatching(/^ {2}cluster paris: .*failureThreshold 3 -> .*failureThreshold 5$/),
  ]);
  expect((await diff('2', '1'))[2]).toBe(
    '    hosts: ["www.video.example","new.video.example"] -> ["www.video.example"]',
  );
  expect(await diff('2', '2')).toEqual([
    'route53 zone video.example, generation 2 -> 2: nothing that decides an answer differs',
  ]);
  await expect(diff('2', '3')).rejects.toThrow('UnknownGeneration');
});
