import { describe, expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { foreignRecord, ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyZone } from './apply.ts';
import { renderStanding, type StandingQuestion, standingOf } from './standing.ts';

const [zone, host] = ['video.example', 'www.video.example'];

describe.each(['route53', 'powerdns'] as const)('%s', (name) => {
  const ask = (platform: Platform, memory: ZoneInMemory, more: Partial<StandingQuestion> = {}) => {
    const policy = platform.policies.get('video');
    if (policy === undefined) throw new Error('no policy');
    return standingOf(platform, memory.provider, { policy, host, country: 'FR', nowMs: 0, ...more });
  };
  const applied = async (platform: Platform): Promise<ZoneInMemory> => {
    const memory = new ZoneInMemory(name);
    await applyZone(await planZone(platform, memory.provider, zone, 0), memory.provider);
    return memory;
  };

  test('a zone that holds the policy says what answers now, by which records and generation', async () => {
    const platform = await examplePlatform();
    const standing = await ask(platform, await applied(platform));
    expect(standing).toMatchObject({ generation: 1, isOurs: true });
    expect(standing.families).toMatchObject([{ type: 'A', healthy: 'paris', now: 'paris' }]);
    expect(standing.families[0]?.policy).toBeUndefined();
    expect(renderStanding(standing)[0]).toBe(`  as the zone ${zone} of ${name} holds it now (generation 1):`);
    expect((standing.families[0]?.records ?? []).length).toBe(name === 'route53' ? 3 : 0);
  });

  test('the health now decides, and a supposed one where it is asked for', async () => {
    const platform = await examplePlatform();
    const memory = await applied(platform);
    const probe = async ({ address }: { readonly address: string }) =>
      address === '192.0.2.10' ? ('unhealthy' as const) : ('healthy' as const);
    const standing = await ask(platform, memory, { probe });
    expect(renderStanding(standing).join('\n')).toMatch(
      /health now: paris \(192\.0\.2\.10\) is down, as seen from this machine\n {4}A: cloud, and paris while everything is healthy/,
    );
    const supposed = await ask(platform, memory, { probe, supposed: ['cloud', 'paris'] });
    expect(supposed).toMatchObject({ health: [], families: [{ now: 'newyork', healthy: 'paris' }] });
  });

  test('what differs from the policy is said, also of records of others and of a zone that was never written', async () => {
    const platform = await examplePlatform();
    const memory = await applied(platform);
    const other = await ask(withDefault(platform, 'newyork'), memory, { country: 'DE' });
    expect(renderStanding(other).join('\n')).toMatch(
      /A: cloud[^\n]*\n +OTHERWISE than the policy, which wants newyork; /,
    );
    const theirs = new ZoneInMemory(name, [foreignRecord(host, 'A', '198.51.100.10')]);
    expect(renderStanding(await ask(platform, theirs)).join('\n')).toMatch(
      /holds it now \(never written by Tideline, the host is not ours there\):\n[^]*\n {4}A: newyork\n +OTHERWISE/,
    );
    const empty = renderStanding(await ask(platform, new ZoneInMemory(name))).join('\n');
    expect(empty).toMatch(/A: nothing\n +OTHERWISE than the policy, which wants paris;/);
  });
});

test('users of a network that the zone tells apart are answered by it, others of the country as before', async () => {
  const platform = await examplePlatform();
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const rule = { countries: [], continents: [], clusters: [{ name: 'newyork', weight: 1 }], failover: [] };
  const withNetwork = (networks: string[]): Platform => {
    const spec = { ...video.spec, rules: [{ ...rule, networks }, ...video.spec.rules] };
    return { ...platform, policies: new Map([['video', { ...video, spec }]]) };
  };
  const memory = new ZoneInMemory('powerdns');
  const office = withNetwork(['198.51.100.0/22']);
  await applyZone(await planZone(office, memory.provider, zone, 0), memory.provider);
  const ask = async (spec: Platform, network: string) => {
    const policy = spec.policies.get('video');
    if (policy === undefined) throw new Error('no policy');
    const { families } = await standingOf(spec, memory.provider, { policy, host, country: 'FR', network, nowMs: 0 });
    return families[0];
  };
  expect(await ask(office, '198.51.101.0/24')).toMatchObject({ healthy: 'newyork' });
  expect(await ask(office, '198.51.104.9')).toMatchObject({ healthy: 'paris' });
  // The policy no longer names it: its users would have the answer of their country.
  expect(await ask(withNetwork(['203.0.113.0/24']), '198.51.101.0/24')).toMatchObject({
    healthy: 'newyork',
    policy: { healthy: 'paris' },
  });
});
