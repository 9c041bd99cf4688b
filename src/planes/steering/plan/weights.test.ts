import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { type CountryWeights, weightsOf } from '../../../model/country-weights.ts';
import { countries } from '../../../model/geo/countries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyPlans } from './apply.ts';
import { plansToJson } from './json.ts';
import { checksumOf, planZones } from './plan.ts';
import { renderPlans } from './text.ts';

const nowMs = Date.UTC(2026, 10, 27, 16);
const providers = ['route53', 'powerdns'] as const;

/** France asks 90 % of all, two others 5 % each; nobody else asks. */
const rates = Object.fromEntries(countries.map(({ code }) => [code, 0]));
const weights = weightsOf(
  { measuredAtMs: nowMs - 3_600_000, requestsPerSecond: { ...rates, FR: 90, SN: 5, BE: 5 } },
  nowMs,
);

/** Cloud answers everybody but these countries, which newyork answers. */
function withMoved(platform: Platform, codes: readonly string[]): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const answer = (name: string, next: string) => ({ clusters: [{ name, weight: 100 }], failover: [next] });
  const rules = codes.length === 0 ? [] : [{ countries: [...codes], continents: [], ...answer('newyork', 'cloud') }];
  const guard = { maxTrafficShare: 0.25, windowMinutes: 60 };
  const spec = { ...video.spec, guard, rules, default: answer('cloud', 'newyork') };
  return { ...platform, policies: new Map([['video', { ...video, spec }]]) };
}

function world(provider: (typeof providers)[number]) {
  const connect = memoryProviders();
  const plan = (platform: Platform, minute: number, by?: CountryWeights) =>
    planZones(platform, provider, connect, nowMs + minute * 60_000, by === undefined ? {} : { weights: by });
  const apply = async (platform: Platform, minute: number, by?: CountryWeights): Promise<void> => {
    const plans = await plan(platform, minute, by);
    const approval = { checksum: checksumOf(plans), share: 0, failoverShare: 1, down: [], removals: [], broken: [] };
    const { failure } = await applyPlans(plans, approval, connect);
    if (failure !== undefined) throw failure;
  };
  return { plan, apply };
}

test.each(providers)('%s: the guard weighs countries by what they ask, and the plan says so', async (provider) => {
  const platform = await examplePlatform();
  const { plan, apply } = world(provider);
  await apply(withMoved(platform, []), -120);
  const france = withMoved(platform, ['FR']);
  const [alike, weighed] = [await plan(france, 0), await plan(france, 0, weights)];
  expect([alike[0]?.overGuard, weighed[0]?.overGuard]).toEqual([
    [],
    [expect.objectContaining({ kind: 'moves', movedShare: expect.closeTo(0.891, 3) })],
  ]);
  expect(checksumOf(alike)).toBe(checksumOf(weighed));
  expect(renderPlans(alike).join('\n')).toMatch(/0\.4% .* \(no traffic figures: every country counts the same\)/);
  expect(renderPlans(weighed).join('\n')).toMatch(
    /8\d\.\d% .* \(countries count by 100 requests\/s of 246 of them, measured 60 min ago\)/,
  );
  expect(plansToJson(alike)).toMatchObject({ trafficModel: 'every country counts the same' });
  expect(plansToJson(weighed)).toMatchObject({
    trafficModel: 'countries count by measured requests',
    demand: { measuredAt: '2026-11-27T15:00:00Z', requestsPerSecond: { FR: 90, SN: 5 } },
  });
  // A third of all countries, which ask nearly nothing.
  const many = withMoved(
    platform,
    countries.map(({ code }) => code).filter((code) => code < 'FR'),
  );
  expect((await plan(many, 0))[0]?.overGuard).toMatchObject([{ kind: 'moves' }]);
  expect((await plan(many, 0, weights))[0]?.overGuard).toEqual([]);
});

test('what was moved within the window is weighed as well, and a failure too', async () => {
  const platform = await examplePlatform();
  const { plan, apply } = world('route53');
  await apply(withMoved(platform, []), -120);
  await apply(withMoved(platform, ['FR']), 0);
  const [next] = await plan(withMoved(platform, ['FR', 'SN']), 10, weights);
  expect(next?.overGuard).toMatchObject([{ kind: 'window', movedShare: expect.closeTo(0.941, 3) }]);
  const family = next?.impacts[0]?.families[0];
  const whileCloud = family?.whileDown.find(({ cluster }) => cluster === 'cloud');
  expect(whileCloud?.lost.before).toBe(0);
  expect(next?.impacts[0]?.movedShare).toBeCloseTo(0.05, 2);
});
