import { expect, test } from 'vitest';
import { withAnswers } from '../../../../test/support/steering/kept-out.ts';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform, withIPv6On } from '../../../../test/support/steering/world.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { explain, renderExplanation } from './explain.ts';
import { plansToJson } from './json.ts';
import { planZones } from './plan.ts';
import { renderPlans } from './text.ts';

const nowMs = Date.UTC(2026, 10, 27, 16);
const host = 'www.video.example';

/** The example, in which these users never reach these clusters. */
async function exampleWith(...never: readonly Partial<TrafficPolicy['spec']['never'][number]>[]): Promise<Platform> {
  const platform = await examplePlatform();
  const spec = platform.policies.get('video')?.spec;
  if (spec === undefined) throw new Error('no policy');
  const whole = never.map((entry) => ({
    clusters: [],
    countries: [],
    continents: [],
    unknownLocation: false,
    ...entry,
  }));
  return withAnswers(platform, { ...spec, never: whole });
}

test('explain says what is left of the order, what is never reached, and that the last allowed cluster answers when all is down', async () => {
  const platform = await exampleWith({ clusters: ['cloud'], countries: ['FR', 'BE'] });
  const france = explain(platform, host, 'FR', nowMs, { down: ['paris', 'newyork', 'cloud'] });
  expect(france).toMatchObject({ preference: 'paris > newyork', never: ['cloud'], answer: 'paris' });
  expect(renderExplanation(france)).toContain('  never: cloud, also when all of the order has failed (spec.never)');
  expect(france.failures.map(({ answer }) => answer).join()).not.toContain('cloud');
  expect(explain(platform, host, 'ES', nowMs)).toMatchObject({ preference: 'paris > cloud > newyork', never: [] });
});

test.each(['route53', 'powerdns'] as const)(
  'a plan for %s says whom it leads nowhere near a cluster, and who is left with one alone',
  async (provider) => {
    const platform = await exampleWith(
      { clusters: ['cloud', 'newyork'], countries: ['FR'] },
      { clusters: ['paris'], continents: ['OC'], unknownLocation: true },
    );
    const plans = await planZones(platform, provider, memoryProviders(), nowMs);
    const text = renderPlans(plans).join('\n');
    expect(text).toContain('    in none of them led to paris: OC (all 27), users of unknown location');
    expect(text).toContain('    in none of them led to cloud, newyork: FR');
    const kept = expect.arrayContaining([{ clusters: ['cloud', 'newyork'], countries: ['FR'] }]);
    expect(plansToJson(plans)).toMatchObject({ zones: [{ verified: [{ policy: 'video', never: kept }] }] });
    expect(text).toContain(
      'spec.never leaves only paris to FR; while it is down they are answered with it all the same (NoOtherAllowed)',
    );
  },
);

test('a family in which a cluster has no address counts by itself for who is left alone', async () => {
  const told = async (platform: Platform) => {
    const plans = await planZones(platform, 'route53', memoryProviders(), nowMs);
    return plans.flatMap(({ notices }) =>
      notices.flatMap(({ reason, message }) => (reason === 'NoOtherAllowed' ? [message] : [])),
    );
  };
  const platform = await exampleWith({ clusters: ['cloud'], countries: ['FR'] });
  const left = 'while it is down they are answered with it all the same';
  expect(await told(withIPv6On(platform, 'paris', 'newyork', 'cloud'))).toEqual([]);
  expect(await told(withIPv6On(platform, 'paris', 'cloud'))).toEqual([
    `policy video: spec.never leaves only paris to FR over IPv6; ${left}`,
  ]);
  const alone = await exampleWith({ clusters: ['cloud', 'newyork'], countries: ['FR'] });
  expect(await told(withIPv6On(alone, 'paris', 'cloud'))).toEqual([
    `policy video: spec.never leaves only paris to FR; ${left}`,
  ]);
});

test('a failure leads no more users elsewhere than may be, and the plan shows who stays', async () => {
  const connect = memoryProviders();
  const before = await planZones(await examplePlatform(), 'route53', connect, nowMs);
  expect(renderPlans(before).join('\n')).not.toContain('in none of them');
  const platform = await exampleWith({ clusters: ['paris', 'newyork'], countries: ['JP'] });
  const [plan] = await planZones(platform, 'route53', connect, nowMs);
  const [family] = plan?.impacts[0]?.families ?? [];
  const withoutCloud = family?.whileDown.find(({ cluster }) => cluster === 'cloud')?.groups ?? [];
  expect(withoutCloud.find(({ countries }) => countries.includes('JP'))?.after).toBe('cloud');
  expect(withoutCloud.find(({ countries }) => countries.includes('CN'))?.after).toBe('paris');
});
