import { expect, test } from 'vitest';
import { examplePlatform, withDefault, withIPv6OnCloud } from '../../../../test/support/steering/world.ts';
import { countriesOf } from '../../../model/geo/countries.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { intentOf } from '../compile/intent.ts';
import type { Reading } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { formatCountries } from './countries-text.ts';
import { approvalsFor, failuresBeyond, isApproved, overGuardsOf, overGuardText } from './guard.ts';
import { countriesThatMove, type HostImpact, impactsOf } from './impact.ts';
import { differingFamilies } from './notices.ts';

const host = 'www.video.example';
const providers = ['route53', 'powerdns'] as const;
type Provider = (typeof providers)[number];
const intent = (platform: Platform, provider: Provider) => intentOf(platform, provider, 'video.example', 0);
const reading = (platform: Platform, provider: Provider): Reading =>
  dialects[provider].interpret(intent(platform, provider).wanted.records);
const impactOf = (platform: Platform, before: Reading, after: Reading): HostImpact => {
  const [impact] = impactsOf(platform, [host], before, after);
  if (impact === undefined) throw new Error('no impact');
  return impact;
};
/** The platform whose policy has these rules and this default. */
const withSpec = (platform: Platform, changed: Partial<TrafficPolicy['spec']>): Platform => {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  return { ...platform, policies: new Map([['video', { ...video, spec: { ...video.spec, ...changed } }]]) };
};
const cloud = [{ name: 'cloud', weight: 100 }];

test.each(providers)('%s: the impact is read from the records themselves', async (provider) => {
  const platform = await examplePlatform();
  const before = reading(platform, provider);
  const nothing = dialects[provider].interpret([]);
  const after = reading(withDefault(platform, 'newyork'), provider);
  const impact = impactOf(platform, before, after);
  expect(impact.groups[0]).toMatchObject({ before: 'cloud', after: 'newyork' });
  expect(impact.groups.find(({ countries }) => countries.includes('GB'))?.after).toBe('newyork 30%, paris 70%');
  expect(impact.movedShare).toBeCloseTo((246 - 55 - 6) / 246, 9);
  expect(impactOf(platform, nothing, after).movedShare).toBe(0);
  expect(impactOf(platform, before, nothing).movedShare).toBeCloseTo(1, 9);
  expect(impactOf(platform, before, before).movedShare).toBe(0);
  expect(impact.families.map(({ type }) => type)).toEqual(['A']);
});

test.each(providers)('%s: what would change while a cluster is down is counted', async (provider) => {
  const platform = await examplePlatform();
  const otherSecond = withSpec(platform, { default: { clusters: cloud, failover: ['newyork', 'paris'] } });
  const impact = impactOf(platform, reading(platform, provider), reading(otherSecond, provider));
  expect(impact.movedShare).toBe(0);
  const whileDown = impact.families.flatMap((family) => family.whileDown);
  expect(whileDown.map(({ cluster, movedShare, lost }) => [cluster, movedShare, lost])).toEqual([
    ['cloud', expect.closeTo((246 - 55 - 6) / 246, 9), { before: 0, after: 0, moreAt: [] }],
    ['newyork', 0, { before: 0, after: 0, moreAt: [] }],
    ['paris', 0, { before: 0, after: 0, moreAt: [] }],
  ]);
  expect(whileDown[0]?.groups[0]).toMatchObject({ before: 'paris', after: 'newyork' });
});

test.each(providers)('%s: choices that are lost need an approval of their own', async (provider) => {
  const platform = await examplePlatform();
  const alone = withSpec(platform, { rules: [], default: { clusters: cloud, failover: [] } });
  const impact = impactOf(platform, reading(platform, provider), reading(alone, provider));
  const over = overGuardsOf(intent(platform, provider).policies[0]?.policy, impact);
  expect(over.map(overGuardText)).toEqual([
    'while cloud is down www.video.example would be answered otherwise for 100% of the traffic, 100% with cloud itself for want of another, the guard allows 25%',
  ]);
  expect(approvalsFor(over)).toEqual(['--approve-failover 1']);
  const approval = { checksum: '', share: 1, failoverShare: 0.99, down: [], removals: [], broken: [] };
  expect(over.every((one) => isApproved(one, approval))).toBe(false);
  expect(over.every((one) => isApproved(one, { ...approval, failoverShare: 1 }))).toBe(true);
});

test.each(providers)('%s: a first AAAA record moves users from what A answered', async (provider) => {
  const platform = await examplePlatform();
  const with6 = withIPv6OnCloud(platform);
  const [before, after] = [reading(platform, provider), reading(with6, provider)];
  const impact = impactOf(with6, before, after);
  expect(impact.families.map(({ type, movedShare }) => [type, movedShare])).toEqual([
    ['A', 0],
    ['AAAA', expect.closeTo((55 + 6) / 246, 9)],
  ]);
  expect(impact.movedShare).toBeCloseTo((55 + 6) / 246, 9);
  expect(impact.groups[0]).toMatchObject({ before: 'newyork', after: 'cloud' });
  // America moves over IPv6 alone, and so do the countries of paris.
  expect(countriesThatMove(impact)).toEqual(expect.arrayContaining(['US', 'BR', 'FR', 'GB']));
  expect(countriesThatMove(impact)).not.toContain('JP');
  expect(differingFamilies(impact)).toEqual([
    {
      reason: 'FamiliesDiffer',
      message: expect.stringMatching(/IPv6 is answered by other clusters .* NA \(all 41\), SA/),
    },
  ]);
  const back = impactOf(with6, after, before);
  expect([back.movedShare, back.familiesDiffer]).toEqual([impact.movedShare, []]);
});

test('a host without a policy needs an approval that names it', async () => {
  const platform = await examplePlatform();
  const impact = impactOf(platform, reading(platform, 'route53'), dialects.route53.interpret([]));
  const over = overGuardsOf(undefined, impact);
  expect(over).toEqual([{ kind: 'removal', host }]);
  expect(approvalsFor(over)).toEqual([`--approve-removal ${host}`]);
  const approval = {
    checksum: '',
    share: 1,
    failoverShare: 1,
    down: [],
    removals: ['other.video.example'],
    broken: [],
  };
  expect(over.some((one) => isApproved(one, approval))).toBe(false);
  expect(over.every((one) => isApproved(one, { ...approval, down: [], removals: [host] }))).toBe(true);
});

test('every failure in which more moves is told, the worst first, each cluster once for both families', () => {
  const down = (cluster: string, movedShare: number, lost = 0) => ({
    cluster,
    movedShare,
    groups: [],
    lost: { before: 0, after: lost, moreAt: [] },
  });
  const family = { movedShare: 0.1, groups: [] };
  const families = [
    { type: 'A' as const, ...family, whileDown: [down('cloud', 0.3), down('newyork', 0.1), down('paris', 0.2)] },
    {
      type: 'AAAA' as const,
      ...family,
      whileDown: [down('cloud', 0.2), down('newyork', 0.1), down('paris', 0.4, 0.4)],
    },
  ];
  expect(failuresBeyond({ host, movedShare: 0.1, groups: [], families, depth: [], familiesDiffer: [] })).toEqual([
    { cluster: 'paris', movedShare: 0.4, lostShare: 0.4 },
    { cluster: 'cloud', movedShare: 0.3, lostShare: 0 },
  ]);
});

test('hosts with the same records are measured once', async () => {
  const platform = await examplePlatform();
  const records = intent(platform, 'route53').wanted.records;
  const hosts = Array.from({ length: 50 }, (_, index) => `h${index}.video.example`);
  const copies = records.flatMap((record) => (record.name === host ? hosts.map((name) => ({ ...record, name })) : []));
  const all = (): Reading => dialects.route53.interpret([...records, ...copies]);
  const impacts = impactsOf(platform, hosts, all(), all());
  expect(new Set(impacts.map(({ families }) => families[0]?.groups)).size).toBe(1);
});

test('countries are grouped for reading', () => {
  const antarctica = countriesOf('AN').map(({ code }) => code);
  expect(formatCountries([...antarctica, 'FR', 'GB'])).toBe('AN (all 3), FR, GB');
  expect(
    formatCountries(
      countriesOf('AF')
        .slice(0, 20)
        .map(({ code }) => code),
    ),
  ).toMatch(/and 8 more$/);
});

test('a state moves by itself, counted for its part of the country, and the country without it', async () => {
  const platform = await examplePlatform();
  const rule = (countries: string[], name: string) => ({
    countries,
    continents: [],
    clusters: [{ name, weight: 100 }],
    failover: [],
  });
  const base = { rules: [], default: { clusters: cloud, failover: ['newyork', 'paris'] } };
  const before = reading(withSpec(platform, base), 'route53');
  const california = reading(withSpec(platform, { ...base, rules: [rule(['US-CA'], 'newyork')] }), 'route53');
  const others = reading(
    withSpec(platform, { ...base, rules: [rule(['US'], 'newyork'), rule(['US-CA'], 'cloud')] }),
    'route53',
  );
  const part = 39_538_223 / 331_449_281;
  const moved = impactOf(platform, before, california);
  expect(moved.movedShare).toBeCloseTo(part / 246, 9);
  expect(countriesThatMove(moved)).toEqual(['US-CA']);
  const rest = impactOf(platform, before, others);
  expect(rest.movedShare).toBeCloseTo((1 - part) / 246, 9);
  expect(countriesThatMove(rest)).toEqual(['US']);
  // Both sides count, whichever of them tells the state apart.
  expect(countriesThatMove(impactOf(platform, california, before))).toEqual(['US-CA']);
  expect(impactOf(platform, california, others).movedShare).toBeCloseTo(1 / 246, 9);
  expect(moved.depth).toEqual([]);
});

test('a state is named where its country is not', () => {
  expect(formatCountries(['FR', 'US-CA'])).toBe('FR, US-CA');
  expect(formatCountries(['FR', 'US', 'US-CA'])).toBe('FR, US');
  const america = countriesOf('NA').map(({ code }) => code);
  expect(formatCountries([...america, 'US-CA'])).toBe('NA (all 41)');
});

test('a network moves by itself: what it was answered with its country is not known, and it counts as an average country', async () => {
  const platform = await examplePlatform();
  const office = '198.51.100.0/24';
  const ruled = (name: string) => ({
    rules: [{ countries: [], continents: [], networks: [office], clusters: [{ name, weight: 100 }], failover: [] }],
    default: { clusters: cloud, failover: ['newyork', 'paris'] },
  });
  const before = reading(withSpec(platform, { ...ruled('paris'), rules: [] }), 'powerdns');
  const paris = reading(withSpec(platform, ruled('paris')), 'powerdns');
  const newyork = reading(withSpec(platform, ruled('newyork')), 'powerdns');
  const first = impactOf(platform, before, paris);
  expect(first.groups[0]).toMatchObject({ before: 'the answer of their country', after: 'paris', countries: [office] });
  expect(first.movedShare).toBeCloseTo(1 / 247, 9);
  expect(first.depth).toEqual([]);
  const second = impactOf(platform, paris, newyork);
  expect(second.groups[0]).toMatchObject({ before: 'paris', after: 'newyork', countries: [office] });
  expect(countriesThatMove(second)).toEqual([office]);
  expect(impactOf(platform, paris, before).groups[0]).toMatchObject({
    before: 'paris',
    after: 'the answer of their country',
  });
  // A host without any answer before moves nobody.
  expect(impactOf(platform, dialects.powerdns.interpret([]), paris).movedShare).toBe(0);
  expect(impactOf(platform, paris, paris).movedShare).toBe(0);
  expect(formatCountries([...countriesOf('NA').map(({ code }) => code), office])).toBe('NA (all 41), 198.51.100.0/24');
});
