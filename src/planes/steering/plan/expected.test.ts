import { expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyZone } from './apply.ts';
import { ExpectedAnswers } from './expected.ts';
import { planStep } from './plan.ts';

const [zone, host] = ['video.example', 'www.video.example'];
const [paris, newyork, cloud] = ['192.0.2.10', '198.51.100.10', '203.0.113.10'];

test.each(['route53', 'powerdns'] as const)(
  '%s: every answer is asked for, and said for each country',
  async (name) => {
    const platform = await examplePlatform();
    const expected = new ExpectedAnswers(await planZone(platform, new ZoneInMemory(name).provider, zone, 0));
    const questions = expected.questions(() => true);
    const answers = questions.map((question) => [...expected.addresses(question)].sort());
    expect(new Set(answers.map(String))).toEqual(new Set([paris, newyork, cloud, `${paris},${newyork}`].map(String)));
    const ask = (country: string, down: readonly string[] = []) =>
      [...expected.addresses({ host, type: 'A', country }, new Set(down))].sort();
    expect(ask('FR')).toEqual([paris]);
    expect(ask('FR', [paris ?? ''])).toEqual([cloud]);
    expect(ask('GB')).toEqual([paris, newyork]);
  },
);

test('countries that move are asked for, and others beside them', async () => {
  const memory = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  await applyZone(await planZone(platform, memory.provider, zone, 0), memory.provider);
  const moved = await planZone(withDefault(platform, 'newyork'), memory.provider, zone, 0);
  const countries = new ExpectedAnswers(moved).questions((code) => code !== 'AD').map(({ country }) => country);
  // AE is answered by newyork instead of cloud; AG was and is, BE stays with paris, GB with both.
  expect(countries).toEqual(expect.arrayContaining(['AE', 'AG', 'BE', 'GB']));
  expect(countries).not.toContain('AD');
});

test('a host that loses its answers is asked for, unless a wildcard answers then', async () => {
  const after = async (...others: Parameters<typeof foreignRecord>[]) => {
    const memory = new ZoneInMemory(
      'route53',
      others.map((one) => foreignRecord(...one)),
    );
    const platform = await examplePlatform();
    await applyZone(await planZone(platform, memory.provider, zone, 0), memory.provider);
    const expected = new ExpectedAnswers(await planZone(without(platform), memory.provider, zone, 0));
    return expected.questions(() => true).map((question) => [question.host, [...expected.addresses(question)]]);
  };
  expect(await after()).toEqual([[host, []]]);
  expect(await after(['*.video.example', 'A', '192.0.2.99'])).toEqual([]);
});

test('what a name outside of the zone answers is not known, and not asked for', async () => {
  const platform = await examplePlatform();
  const memory = new ZoneInMemory('route53');
  await applyZone(await planZone(platform, memory.provider, zone, 0), memory.provider);
  const to = [foreignRecord(host, 'CNAME', 'cdn.example.net')];
  const plan = await planStep(platform, memory.provider, { zone, purpose: { kind: 'release', host, to } }, 0);
  expect(new ExpectedAnswers(plan).questions(() => true)).toEqual([]);
});

/** The platform whose policy answers for no host. */
function without(platform: Platform): Platform {
  const policies = [...platform.policies].map(([name, policy]) => {
    const spec = { ...policy.spec, hosts: [] };
    return [name, { ...policy, spec } as unknown as typeof policy] as const;
  });
  return { ...platform, policies: new Map(policies) };
}

test('where an address of a country is in a state that nobody knows, the answers of its states are right as well', async () => {
  const platform = await examplePlatform();
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const rules = [{ countries: ['US-CA'], continents: [], clusters: [{ name: 'paris', weight: 1 }], failover: [] }];
  const spec = { ...video.spec, rules, default: { clusters: [{ name: 'newyork', weight: 1 }], failover: [] } };
  const states = { ...platform, policies: new Map([['video', { ...video, spec }]]) } as Platform;
  const expected = new ExpectedAnswers(await planZone(states, new ZoneInMemory('route53').provider, zone, 0));
  const ask = (country: string) => [...expected.addresses({ host, type: 'A', country })].sort();
  expect([ask('US'), ask('FR'), ask('US-CA')]).toEqual([[paris, newyork], [newyork], [paris]]);
  expect(expected.questions(() => true).map(({ country }) => country)).not.toContain('US-CA');
});
