import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { countries } from '../../../model/geo/countries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { applyPlans } from './apply.ts';
import { plansToJson } from './json.ts';
import { checksumOf, planZones } from './plan.ts';
import { renderPlans } from './text.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 10, 27, 16);
/** So many countries are 24.4 % of all. */
const step = 60;

/** Cloud answers everybody but the first countries of the list, which newyork answers. */
function withMoved(platform: Platform, moved: number, windowMinutes = 60): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const codes = countries.slice(0, moved).map(({ code }) => code);
  const answer = (name: string, next: string) => ({ clusters: [{ name, weight: 100 }], failover: [next] });
  const spec = {
    ...video.spec,
    guard: { maxTrafficShare: 0.25, windowMinutes },
    rules: moved === 0 ? [] : [{ countries: codes, continents: [], ...answer('newyork', 'cloud') }],
    default: answer('cloud', 'newyork'),
  };
  return { ...platform, policies: new Map([['video', { ...video, spec }]]) };
}

/** One provider; `apply` is what one operator does at that minute. */
function world(provider: ProviderName) {
  const connect = memoryProviders();
  const plan = (platform: Platform, minute: number, by: string) =>
    planZones(platform, provider, connect, startMs + minute * minuteMs, { by });
  return {
    plan,
    apply: async (platform: Platform, minute: number, by: string, share = 0): Promise<void> => {
      const plans = await plan(platform, minute, by);
      const approval = { checksum: checksumOf(plans), share, failoverShare: 1, down: [], removals: [], broken: [] };
      const { failure } = await applyPlans(plans, approval, connect);
      if (failure !== undefined) throw failure;
    },
  };
}

test.each(['route53', 'powerdns'] as const)(
  '%s: what several applies move within the window counts together, whoever makes them',
  async (provider) => {
    const platform = await examplePlatform();
    const { plan, apply } = world(provider);
    await apply(withMoved(platform, 0), -120, 'anna');
    await apply(withMoved(platform, step), 0, 'anna at noc');
    const second = withMoved(platform, 2 * step);
    await expect(apply(second, 10, 'ben')).rejects.toThrow(
      'www.video.example would be answered otherwise for 48.8% of the traffic than 60 minutes ago (24.4% moved by anna-at-noc at 2026-11-27T16:00:00Z), the guard allows 25%; if that is right, add --approve-share 0.488 (NeedsApproval)',
    );
    await apply(second, 10, 'ben', 0.488);
    const third = await plan(withMoved(platform, 3 * step), 20, 'anna');
    expect(renderPlans(third).join('\n')).toContain(
      [
        '    in the last 60 minutes: 24.4% moved by anna-at-noc at 2026-11-27T16:00:00Z, 24.4% moved by ben at 2026-11-27T16:10:00Z',
        '    with this plan 73.2% would be answered otherwise than before that (now 48.8%)',
      ].join('\n'),
    );
    expect(plansToJson(third)).toMatchObject({
      zones: [
        { windows: [{ host: 'www.video.example', minutes: 60, displaced: { after: expect.closeTo(0.7317, 3) } }] },
      ],
    });
    // Who returns users to where they were needs no approval for it, however often they were moved.
    await apply(withMoved(platform, step), 30, 'cleo');
    await expect(apply(second, 40, 'dan')).rejects.toThrow('48.8%');
    // After the window an apply counts alone again.
    await apply(second, 91, 'dan');
  },
);

test('a plan has the same checksum whoever makes it and whenever; a window of 0 minutes keeps no notes', async () => {
  const platform = await examplePlatform();
  const { plan, apply } = world('route53');
  await apply(withMoved(platform, 0), 0, 'anna');
  await apply(withMoved(platform, step), 1, 'anna');
  const next = withMoved(platform, 2 * step);
  const checksums = await Promise.all([plan(next, 2, 'anna'), plan(next, 3, 'ben'), plan(next, 99, 'ben')]);
  expect(new Set(checksums.map(checksumOf)).size).toBe(1);
  const alone = await plan(withMoved(platform, 2 * step, 0), 2, 'anna');
  expect([alone[0]?.overGuard, alone[0]?.windows]).toEqual([[], new Map()]);
});

test('applies count in their order, also within one second and by machines whose clocks differ', async () => {
  const platform = await examplePlatform();
  const { plan, apply } = world('route53');
  await apply(withMoved(platform, 0), -120, 'anna');
  await apply(withMoved(platform, step), 0, 'zoe');
  await apply(withMoved(platform, 0), 0, 'ben');
  await apply(withMoved(platform, step), -1, 'anna');
  const [back] = await plan(withMoved(platform, 0), 1, 'anna');
  expect(back?.windows.get('www.video.example')?.applies.map(({ by }) => by)).toEqual(['zoe', 'ben', 'anna']);
  // Cloud answered these countries before all of it.
  expect(back?.windows.get('www.video.example')?.displaced).toEqual({
    before: expect.closeTo(step / countries.length, 9),
    after: 0,
  });
});

test('the note about a move stands in the batch that makes it, and is no drift', async () => {
  const platform = await examplePlatform();
  const { plan, apply } = world('route53');
  await apply(withMoved(platform, 0), 0, 'anna');
  const [moving] = await plan(withMoved(platform, step), 1, 'anna');
  const written = moving?.batches.flatMap(({ changes }) => changes.map(({ record }) => record.name)) ?? [];
  const note = '_moved.video._tideline.video.example';
  expect(written.indexOf(note)).toBeGreaterThan(0);
  expect(written.indexOf(note)).toBeLessThan(written.indexOf('www.video.example'));
  await apply(withMoved(platform, step), 1, 'anna');
  const [after] = await plan(withMoved(platform, step), 2, 'anna');
  expect([after?.batches, after?.notices]).toEqual([[], []]);
  expect(after?.state.records.some(({ name }) => name === note)).toBe(true);
});

test('a network that moves is told, counts as an average country, and is remembered by the zone', async () => {
  const { plan, apply } = world('powerdns');
  const platform = await examplePlatform();
  const networked = (name: string, moved: number): Platform => {
    const one = withMoved(platform, moved).policies.get('video');
    if (one === undefined) throw new Error('no policy');
    const office = { countries: [], continents: [], networks: ['198.51.100.0/24'], failover: [] };
    const rules = [...one.spec.rules, { ...office, clusters: [{ name, weight: 1 }] }];
    return { ...platform, policies: new Map([['video', { ...one, spec: { ...one.spec, rules } }]]) };
  };
  await apply(networked('cloud', 0), 0, 'anna');
  const plans = await plan(networked('newyork', 0), 1, 'anna');
  expect(plans[0]?.impacts[0]?.movedShare).toBeCloseTo(1 / 247, 9);
  const text = renderPlans(plans).join('\n');
  expect(text).toContain('cloud -> newyork: 198.51.100.0/24');
  expect(text).toContain('each network counts as an average country (NetworksGuessed)');
  await apply(networked('newyork', 0), 1, 'anna');
  await apply(networked('cloud', 2), 2, 'anna');
  const [back] = await plan(networked('cloud', 4), 3, 'anna');
  const window = [...(back?.windows.values() ?? [])][0];
  expect(window?.applies).toMatchObject([
    { by: 'anna', movedShare: expect.closeTo(1 / 247, 3) },
    { by: 'anna', movedShare: expect.closeTo(3 / 247, 3) },
  ]);
  // The network is answered as it was an hour ago.
  expect(window?.displaced.after).toBeCloseTo(4 / 247, 9);
});

test('powerdns: what was moved of networks counts in the window as well, and what returns does not', async () => {
  const { plan, apply } = world('powerdns');
  const platform = await examplePlatform();
  /** Forty networks, which cloud answers but for the first `moved`. */
  const withNetworks = (moved: number): Platform => {
    const plain = withMoved(platform, 0);
    const video = plain.policies.get('video');
    if (video === undefined) throw new Error('no policy');
    const networks = Array.from({ length: 40 }, (_, at) => `10.0.${at}.0/24`);
    const rule = (some: readonly string[], name: string, next: string) => ({
      networks: [...some],
      countries: [],
      continents: [],
      clusters: [{ name, weight: 100 }],
      failover: [next],
    });
    const rules = [rule(networks.slice(0, moved), 'newyork', 'cloud'), rule(networks.slice(moved), 'cloud', 'newyork')];
    const spec = { ...video.spec, rules: rules.filter(({ networks: some }) => some.length > 0) };
    const dns = { ...spec.dns, providers: ['powerdns' as const] };
    return { ...plain, policies: new Map([['video', { ...video, spec: { ...spec, dns } }]]) };
  };
  await apply(withNetworks(0), -120, 'anna');
  await apply(withNetworks(20), 0, 'anna');
  const share = async (moved: number): Promise<number | undefined> => {
    const [next] = await plan(withNetworks(moved), 10, 'ben');
    return next?.windows.get('www.video.example')?.displaced.after;
  };
  expect(await share(40)).toBeCloseTo(40 / 286, 6);
  expect(await share(0)).toBeCloseTo(0, 6);
});
