import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterAddresses } from '../../../../test/support/steering/arbitrary.ts';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { answersFor, answersOf, preferenceOf } from '../../../answers/answers.ts';
import { formatShares } from '../../../answers/distribution.ts';
import type { RecordSet, Routing, Target } from '../../../answers/record.ts';
import { countries } from '../../../model/geo/countries.ts';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { compileTree } from '../dialects/route53/tree.ts';
import { importZone } from './policies.ts';
import { zoneOfRecords } from './records.ts';
import { renderImport } from './text.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const at = { paris: '192.0.2.10', newyork: '198.51.100.10', cloud: '203.0.113.10' } as const;
const zone = 'video.example';
const www = `www.${zone}`;

interface Part {
  readonly routing?: Routing;
  readonly id?: string;
  readonly check?: string;
}

const values = (...addresses: readonly string[]): Target => ({ kind: 'values', ttlSeconds: 60, values: addresses });
const alias = (name: string, more = {}): Target => ({ kind: 'alias', name, evaluateHealth: true, ...more });
const record = (name: string, target: Target, { routing, id, check }: Part = {}): RecordSet => ({
  name,
  type: 'A',
  target,
  ...(routing === undefined ? {} : { routing, setIdentifier: id ?? JSON.stringify(routing) }),
  ...(check === undefined ? {} : { healthCheck: check }),
});
const weight = (count: number): Routing => ({ kind: 'weighted', weight: count });
const role = (which: 'PRIMARY' | 'SECONDARY'): Routing => ({ kind: 'failover', role: which });
const country = (code: string): Routing => ({ kind: 'geo', location: { country: code } });
const continent = (code: 'EU' | 'NA'): Routing => ({ kind: 'geo', location: { continent: code } });
const everywhere: Routing = { kind: 'geo', location: '*' };
const other = (description: string): Routing => ({ kind: 'other', description });

const imported = (...records: readonly RecordSet[]) =>
  importZone(platform, zoneOfRecords(zone, records), { zone, providers: ['route53'] });
const lines = (...records: readonly RecordSet[]) => renderImport(imported(...records));

test('geolocation, weights and failover over aliases become rules, weights and later choices', () => {
  const result = imported(
    record(www, alias('europe.video.example'), { routing: country('FR') }),
    record(www, alias('europe.video.example'), { routing: continent('EU'), id: 'eu' }),
    record(www, alias('europe.video.example'), { routing: { kind: 'geo', location: { state: 'US-CA' } }, id: 'ca' }),
    record(www, values(at.cloud), { routing: everywhere }),
    record('europe.video.example', alias('mix.video.example'), { routing: role('PRIMARY') }),
    record('europe.video.example', values(at.cloud), { routing: role('SECONDARY') }),
    record('mix.video.example', values(at.paris), { routing: weight(30), check: 'p' }),
    record('mix.video.example', values(at.newyork), { routing: weight(10), id: 'n', check: 'n' }),
  );
  const policy = result.policies.find(({ spec }) => spec.hosts.includes(www));
  expect(policy?.spec).toMatchObject({
    ttlSeconds: 60,
    rules: [
      {
        countries: ['FR', 'US-CA'],
        continents: ['EU'],
        clusters: [
          { name: 'paris', weight: 3 },
          { name: 'newyork', weight: 1 },
        ],
        failover: ['cloud'],
      },
    ],
    default: { clusters: [{ name: 'cloud', weight: 1 }], failover: [] },
  });
});

test('records of weight 0 are later choices; all of weight 0 are used alike', () => {
  const [policy] = imported(
    record(www, values(at.paris), { routing: weight(5), check: 'p' }),
    record(www, values(at.cloud), { routing: weight(0), id: 'c' }),
  ).policies;
  expect(policy?.spec.default).toMatchObject({ clusters: [{ name: 'paris' }], failover: ['cloud'] });
  const [alike] = imported(
    record(www, values(at.paris), { routing: weight(0), check: 'p' }),
    record(www, values(at.cloud), { routing: weight(0), id: 'c', check: 'c' }),
  ).policies;
  expect(alike?.spec.default.clusters.map(({ name }) => name)).toEqual(['paris', 'cloud']);
});

const multivalue = other('multivalue');

test.each<[string, readonly RecordSet[], RegExp]>([
  [
    'latency',
    [record(www, values(at.paris), { routing: other('latency=eu-west-3') })],
    /latency=eu-west-3: a policy says who answers which country, and not who is nearest/,
  ],
  [
    'parts of countries',
    [
      record(www, values(at.paris), { routing: everywhere }),
      record(www, values(at.newyork), { routing: other('geo=CA-ON') }),
    ],
    /geo=CA-ON: of the parts of countries a policy knows only the states/,
  ],
  ['client networks', [record(www, values(at.paris), { routing: other('client network=x/y') })], /no client networks/],
  ['distance', [record(www, values(at.paris), { routing: other('distance={}') })], /not who is near/],
  [
    'a traffic policy',
    [record(www, values(at.paris), { routing: other('traffic policy instance=t') })],
    /delete its instance first/,
  ],
  [
    'an alias of others',
    [record(www, alias('lb.amazonaws.com', { zoneId: 'Z1' }))],
    /alias of lb\.amazonaws\.com, which is no record of this zone/,
  ],
  [
    'an alias of nothing',
    [record(www, alias('nothing.video.example'))],
    /alias of nothing\.video\.example, which is no record/,
  ],
  [
    'a circle',
    [record(www, alias('b.video.example')), record('b.video.example', alias(www))],
    /lead in a circle or too far/,
  ],
  ['an address of nobody', [record(www, values('10.0.0.1'))], /10\.0\.0\.1 is the entry address of no Cluster/],
  ['no default location', [record(www, values(at.paris), { routing: country('FR') })], /no default location/],
  ['a SECONDARY alone', [record(www, values(at.paris), { routing: role('SECONDARY') })], /no PRIMARY/],
  [
    'countries below weights',
    [
      record(www, alias('g.video.example'), { routing: weight(1) }),
      record('g.video.example', values(at.paris), { routing: everywhere }),
    ],
    /differ by country below other records/,
  ],
  [
    'weights of different orders',
    [
      record(www, alias('f.video.example'), { routing: weight(1) }),
      record(www, values(at.cloud), { routing: weight(2), id: 'c' }),
      record('f.video.example', values(at.paris), { routing: role('PRIMARY'), check: 'p' }),
      record('f.video.example', values(at.newyork), { routing: role('SECONDARY') }),
    ],
    /different choices after the first/,
  ],
])('%s is refused, and says why', (_, records, says) => {
  expect(lines(...records).find((line) => line.startsWith(`${www} is not imported`))).toMatch(says);
});

test.each<[string, readonly RecordSet[], RegExp]>([
  [
    'multivalue',
    [
      record(www, values(at.paris), { routing: multivalue, id: 'a' }),
      record(www, values(at.cloud), { routing: multivalue, id: 'b' }),
    ],
    /answers hold 2 addresses at once/,
  ],
  [
    'no health check',
    [
      record(www, values(at.paris), { routing: weight(1) }),
      record(www, values(at.cloud), { routing: weight(1), id: 'c' }),
    ],
    /never taken out today/,
  ],
  [
    'a PRIMARY that nobody checks',
    [
      record(www, values(at.paris), { routing: role('PRIMARY') }),
      record(www, values(at.cloud), { routing: role('SECONDARY') }),
    ],
    /never fails over today/,
  ],
  [
    'later choices together',
    [
      record(www, values(at.paris), { routing: role('PRIMARY'), check: 'p' }),
      record(www, values(at.cloud, at.newyork), { routing: role('SECONDARY') }),
    ],
    /tried one after the other/,
  ],
  [
    'checks of others',
    [record(www, values(at.paris), { routing: role('PRIMARY'), check: 'p' })],
    /health check of the record is replaced/,
  ],
  [
    'several TTLs',
    [
      record(www, values(at.paris), { routing: role('PRIMARY'), check: 'p' }),
      record(www, { kind: 'values', ttlSeconds: 30, values: [at.cloud] }, { routing: role('SECONDARY') }),
    ],
    /its A records have the TTLs 30 and 60 s: the smallest is taken, 30 s/,
  ],
])('%s becomes a policy with a note', (_, records, says) => {
  const text = lines(...records).join('\n');
  expect(text).toMatch(new RegExp(`${www.replaceAll('.', '\\.')} becomes policy`));
  expect(text).toMatch(says);
});

test('names for other records and what is ours already stay', () => {
  expect(
    lines(
      record('_octodns-eu-value.www.video.example', values(at.paris)),
      record('ours.video.example', alias('failover-x.video._tideline.video.example')),
      record('failover-x.video._tideline.video.example', values(at.paris)),
    ),
  ).toEqual([
    '_octodns-eu-value.www.video.example stays: A: a name for other records, which no client asks for',
    'ours.video.example stays: A: Tideline answers it already',
    'hosts in policies: 0, policies: 0, not imported: 0, staying: 2',
  ]);
});

test('registry records of external-dns, old and new, are told with what to do before the adoption', () => {
  const heritage = '"heritage=external-dns,external-dns/owner=paris,external-dns/resource=ingress/video/web"';
  const txt = (name: string, text = heritage): RecordSet => ({ ...record(name, values(text)), type: 'TXT' });
  const result = lines(
    record(www, values(at.paris)),
    txt(www),
    txt(`a-${www}`),
    txt(`cname-gone.${zone}`),
    txt(`spf.${zone}`, '"v=spf1 -all"'),
  );
  expect(result).toEqual([
    `a-${www} stays: TXT: no record of addresses; it stays as it is`,
    `    note: the registry record of external-dns for ${www}`,
    `cname-gone.${zone} stays: TXT: no record of addresses; it stays as it is`,
    '    note: the registry record of external-dns for no host with addresses',
    `spf.${zone} stays: TXT: no record of addresses; it stays as it is`,
    `${www}: its TXT stays: no record of addresses`,
    `    note: the registry record of external-dns for ${www}`,
    `${www} becomes policy www`,
    `    note: external-dns (owner paris) writes it for ingress/video/web: first delete its TXT records at a-${www}, ${www}, so that it leaves the host alone, then take the host out of its sources, and only then adopt`,
    'hosts in policies: 1, policies: 1, not imported: 0, staying: 4',
  ]);
});

const names = ['amsterdam', 'berlin', 'cairo', 'delhi'];
const codes = countries.map(({ code }) => code);
/** One or two clusters by weight, and at most two later choices: so much a tree says exactly. */
const answer = fc
  .record({
    order: fc.shuffledSubarray(names, { minLength: 1, maxLength: 3 }),
    weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 }),
    first: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ order, weights, first }) => ({
    clusters: order.slice(0, first).map((name, index) => ({ name, weight: weights[index] })),
    failover: order.slice(first),
  }));
const policy = fc.record({
  rules: fc.array(fc.record({ countries: fc.subarray(codes, { minLength: 1, maxLength: 12 }), answer }), {
    maxLength: 4,
  }),
  default: answer,
});

test('what Tideline compiles of a policy is read as that policy again', () => {
  let compared = 0;
  fc.assert(
    fc.property(policy, clusterAddresses, ({ rules, default: fallback }, vips) => {
      const taken = new Set<string>();
      const each = rules.flatMap(({ countries: all, answer: one }) => {
        const free = all.filter((code) => !taken.has(code));
        for (const code of free) taken.add(code);
        return free.length === 0 ? [] : [{ countries: free, ...one }];
      });
      const input = compileInputOf(policyOf(JSON.stringify({ rules: each, default: fallback })), { addresses: vips });
      const tree = compileTree(input);
      if (tree.notices.length > 0) return;
      const clusterOf = new Map(
        input.entries.flatMap(({ cluster, checks }) => checks.map(({ address }) => [address, cluster] as const)),
      );
      // As another tool would have named them.
      const foreign = tree.records.map(
        (one): RecordSet => JSON.parse(JSON.stringify(one).replaceAll('_tideline', 'other')),
      );
      const { entries } = zoneOfRecords(input.zone, foreign);
      const entry = entries.find(({ name, type }) => `${name}.${input.zone}` === input.hosts[0] && type === 'A');
      if (entry?.read === undefined) return;
      const read = entry.read((address) => clusterOf.get(address));
      const again = answersOf(policyOf(JSON.stringify({ rules: read.rules, default: read.default })), new Set());
      // A policy has one order of later choices, which a note says where the records have several at once.
      const isExact = !read.notes.some((note) => note.includes('one after the other'));
      if (isExact) compared += 1;
      const failures = isExact ? [[], ['amsterdam'], ['berlin', 'cairo'], ['delhi', 'amsterdam']] : [[]];
      for (const code of codes.slice(0, 60)) {
        const wanted = tree.effective.get('A')?.get(code) ?? [];
        for (const down of failures)
          expect(formatShares(answersFor(preferenceOf(again, code).tiers, new Set(down)))).toBe(
            formatShares(answersFor(wanted, new Set(down))),
          );
      }
    }),
    { numRuns: 80 },
  );
  expect(compared).toBeGreaterThan(5);
});

test('glue, a name server and a mail server of the zone stay as they are, the last where its addresses are of no Cluster', () => {
  const leading = (type: string, value: string): RecordSet => ({ name: zone, type, target: values(value) });
  const records = [
    leading('NS', `NS1.${zone}.`),
    leading('MX', `10 mail.${zone}.`),
    record(`ns1.${zone}`, values('10.0.0.1')),
    record(`mail.${zone}`, values('10.0.0.2')),
    record(www, values(at.paris)),
    { name: `sub.${zone}`, type: 'NS', target: values(`ns.sub.${zone}.`) },
    record(`ns.sub.${zone}`, values(at.paris)),
  ];
  const result = importZone(platform, zoneOfRecords(zone, records), { zone, providers: ['route53'] });
  const of = (outcome: string) => result.findings.filter((one) => one.outcome === outcome).map(({ host }) => host);
  expect([of('refused'), of('policy')]).toEqual([[], [www]]);
  expect(renderImport(result)).toContain(
    `mail.${zone} stays: A: MX records lead to it, and none of its addresses is of a Cluster; it stays as it is`,
  );
});
