import { expect, test } from 'vitest';
import {
  examplePlatform,
  withDifferentCountries,
  withIPv6On,
  withManyOfParis,
} from '../../../../test/support/steering/world.ts';
import { countries } from '../../../model/geo/countries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { explain, renderExplanation } from './explain.ts';

const codes = countries.map(({ code }) => code);

test('the order that Route 53 holds is shown where it is not all of the policy, and only there', async () => {
  const host = 'www.video.example';
  const crowded = await withDifferentCountries(246);
  const asked = codes.filter((_code, index) => index % 12 === 0);
  const orders = asked.map((code) => explain(crowded, host, code, 0));
  const cut = orders.filter(({ held }) => held.length > 0);
  expect(cut.length).toBeGreaterThan(5);
  expect(cut.length).toBeLessThan(asked.length - 2);
  for (const one of cut) {
    expect(one.held.join()).toMatch(/^Route 53 A: newyork:1,paris:\d+ > cloud$/);
    expect(renderExplanation(one)).toContain(`  of which the records hold, ${one.held[0]}`);
  }
  const few = await withDifferentCountries(20);
  expect(explain(few, host, 'AD', 0).held).toEqual([]);
});

test('where records cannot hold the failover of a share, the answer that they give instead stands in its line', async () => {
  const addresses = ['192.0.2.10', '192.0.2.11', '192.0.2.12'];
  const platform = withManyOfParis(await examplePlatform(), addresses, 2);
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const clusters = [
    { name: 'paris', weight: 70, failover: ['cloud'] },
    { name: 'newyork', weight: 30, failover: ['paris', 'cloud'] },
  ];
  const rules = [{ countries: ['GB'], continents: [], clusters, failover: ['cloud'] }];
  const policies = new Map([['video', { ...video, spec: { ...video.spec, rules } }]]);
  const lines = (...down: readonly string[]) =>
    renderExplanation(explain({ ...platform, policies } as Platform, 'www.video.example', 'GB', 0, { down }));
  const answer = 'cloud 70%, newyork 30%, but the records of Route 53 answer newyork over IPv4';
  expect(lines('paris')[0]).toBe(`www.video.example for GB while paris is down, as supposed: ${answer}`);
  expect(lines()[0]).toBe('www.video.example for GB: newyork 30%, paris 70%');
  expect(lines()).toContain(`    without paris: ${answer}`);
  expect(lines()).toContain('    without newyork: paris');
});

test('an explanation may suppose clusters to be down: the answer and the records are those of that health', async () => {
  const platform = await examplePlatform();
  const asked = (...down: readonly string[]) => explain(platform, 'www.video.example', 'FR', 0, { down });
  expect(renderExplanation(asked())[0]).toBe('www.video.example for FR: paris');
  expect(renderExplanation(asked('paris'))[0]).toBe('www.video.example for FR while paris is down, as supposed: cloud');
  expect(renderExplanation(asked('cloud', 'paris'))[0]).toBe(
    'www.video.example for FR while cloud and paris are down, as supposed: newyork',
  );
  const addressIn = (records: readonly string[]) => records.filter((record) => /-> [\d.]+ ttl/.test(record)).join();
  expect(addressIn(asked().records)).toContain('192.0.2.10');
  expect(addressIn(asked('paris').records)).toContain('203.0.113.10');
  // When all are down the first choice answers.
  expect(asked('cloud', 'newyork', 'paris').answer).toBe('paris');
});

test('a family in which a cluster has no address has answers of its own', async () => {
  const platform = withIPv6On(await examplePlatform(), 'newyork', 'cloud');
  const france = explain(platform, 'www.video.example', 'FR', 0);
  const lines = renderExplanation(france);
  expect(lines[0]).toBe('www.video.example for FR: paris over IPv4; cloud over IPv6');
  expect(lines).toEqual(
    expect.arrayContaining([
      '    without paris: cloud',
      '    without cloud: paris over IPv4; newyork over IPv6',
      '    without cloud and paris: newyork',
      '    without cloud and newyork: paris over IPv4; cloud over IPv6',
    ]),
  );
  expect(france).toMatchObject({ answer: 'paris', families: { IPv4: 'paris', IPv6: 'cloud' } });
  expect(france.failures.find(({ failed }) => failed.join() === 'paris')).toEqual({
    failed: ['paris'],
    answer: 'cloud',
  });
});

test('a state is explained by its own rule, another one by that of its country, and no province is', async () => {
  const platform = await examplePlatform();
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const rules = [
    { countries: ['US-CA'], continents: [], clusters: [{ name: 'paris', weight: 1 }], failover: ['cloud'] },
    { countries: ['US'], continents: [], clusters: [{ name: 'newyork', weight: 1 }], failover: [] },
  ];
  const policies = new Map([['video', { ...video, spec: { ...video.spec, rules } }]]);
  const asked = (place: string) => explain({ ...platform, policies } as Platform, 'www.video.example', place, 0);
  expect(renderExplanation(asked('us-ca')).slice(0, 3)).toEqual([
    'www.video.example for US-CA: paris',
    '  because: policy video, rules[0] (state)',
    '  order: paris > cloud > newyork',
  ]);
  expect(asked('us-ca').records[0]).toContain('geo=US-CA');
  expect(asked('US-TX')).toMatchObject({ rule: 'rules[1] (country)', answer: 'newyork', held: [] });
  expect(() => asked('CA-ON')).toThrow(/CA-ON is not a country or state .*name the whole country, "CA" \(Canada\)/s);
});

test('a network is explained by the rule that names it, any other by the country of its users', async () => {
  const platform = await examplePlatform();
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const rule = { continents: [], failover: [] };
  const rules = [
    {
      ...rule,
      countries: [],
      networks: ['198.51.100.0/22', '2001:db8::/32'],
      clusters: [{ name: 'newyork', weight: 1 }],
    },
    { ...rule, countries: ['FR'], clusters: [{ name: 'paris', weight: 1 }] },
  ];
  const dns = { ...video.spec.dns, providers: ['powerdns'] };
  const policies = new Map([['video', { ...video, spec: { ...video.spec, rules, dns } }]]);
  const asked = (network: string, country = 'FR') =>
    explain({ ...platform, policies } as Platform, 'www.video.example', country, 0, { network });
  expect(renderExplanation(asked('198.51.101.0/24')).slice(0, 3)).toEqual([
    'www.video.example for FR in 198.51.101.0/24: newyork',
    '  because: policy video, rules[0] (network)',
    '  order: newyork > cloud:1,paris:1',
  ]);
  expect(asked('2001:db8:7::1')).toMatchObject({ rule: 'rules[0] (network)', country: 'FR', network: '2001:db8:7::1' });
  expect(asked('198.51.100.0/24', 'unknown')).toMatchObject({ rule: 'rules[0] (network)', country: 'unknown' });
  for (const other of ['198.51.104.0/24', '2001:db9::/32', '198.51.104.9'])
    expect(asked(other)).toMatchObject({ rule: 'rules[1] (country)' });
  expect(() => asked('paris')).toThrow(/paris is neither an address nor a network/);
  // One that is wider than the rule's has several answers.
  for (const [wide, part] of [
    ['198.51.0.0/16', '198.51.100.0/22'],
    ['0.0.0.0/0', '198.51.100.0/22'],
    ['2001:db8::/31', '2001:db8::/32'],
  ] as const)
    expect(() => asked(wide)).toThrow(
      new RegExp(`${wide} has no one answer: .*video has rules for parts of it, ${part}.*ask for ${part}, or for`, 's'),
    );
  for (const [mapped, plain] of [
    ['::ffff:198.51.100.9', '198.51.100.9'],
    ['::ffff:c633:6409', '198.51.100.9'],
    ['::ffff:198.51.100.0/120', '198.51.100.0/24'],
  ] as const)
    expect(() => asked(mapped)).toThrow(new RegExp(`IPv4-mapped.*write ${plain}(?![\\d./])`, 's'));
});
