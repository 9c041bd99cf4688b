import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { answersFor, answersOf, preferenceOf } from '../../../answers/answers.ts';
import { formatShares } from '../../../answers/distribution.ts';
import { countries } from '../../../model/geo/countries.ts';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { parseZoneFile } from './octodns.ts';
import { type Import, importZone } from './policies.ts';
import { renderImport } from './text.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
/** The entry addresses of the example. */
const at = { paris: '192.0.2.10', newyork: '198.51.100.10', cloud: '203.0.113.10' } as const;

const imported = (yaml: string): Import =>
  importZone(platform, parseZoneFile(parse(yaml)), { zone: 'video.example', providers: ['route53'] });

/** A record `www` of type A with this content. */
const www = (content: string): Import => imported(`www:\n  type: A\n${content.replace(/^/gm, '  ')}`);
const onlyLine = (result: Import) => renderImport(result)[0];

/** What the one policy answers a country while these clusters are down. */
function answer({ policies: [policy] }: Import, country: string, ...down: string[]): string {
  if (policy === undefined) return 'no policy';
  return formatShares(answersFor(preferenceOf(answersOf(policy, new Set()), country).tiers, new Set(down)));
}

const pools = `
dynamic:
  pools:
    europe: { fallback: america, values: [{ value: ${at.paris}, weight: 7 }, { value: ${at.newyork}, weight: 3 }] }
    america: { fallback: world, values: [{ value: ${at.newyork} }] }
    world: { values: [{ value: ${at.cloud} }] }
  rules:
    - { geos: [EU-FR, AF-SN], pool: europe }
    - { geos: [NA], pool: america }
    - { pool: world }
ttl: 30
values: [${at.cloud}]
`;

describe('a dynamic record', () => {
  const result = www(pools);

  it('becomes a policy with its rules, weights, fallbacks and time to live', () => {
    expect(['FR', 'SN', 'US', 'JP'].map((country) => answer(result, country))).toEqual([
      'newyork 30%, paris 70%',
      'newyork 30%, paris 70%',
      'newyork',
      'cloud',
    ]);
    expect(answer(result, 'FR', 'paris', 'newyork')).toBe('cloud');
    expect(answer(result, 'US', 'newyork')).toBe('cloud');
    expect(result.policies[0]).toMatchObject({
      metadata: { name: 'www' },
      spec: { hosts: ['www.video.example'], ttlSeconds: 30, dns: { zone: 'video.example', providers: ['route53'] } },
    });
  });

  it('may be for states of the US', () => {
    const { policies } = www(pools.replace('EU-FR', 'EU-FR, NA-US-CA'));
    expect(policies[0]?.spec.rules[0]?.countries).toEqual(['FR', 'US-CA', 'SN']);
    expect(answer(www(pools.replace('EU-FR', 'NA-US-CA')), 'US-CA')).toBe('newyork 30%, paris 70%');
  });

  it.each([
    [
      'a province of Canada',
      pools.replace('EU-FR', 'NA-CA-ON'),
      /NA-CA-ON: of the parts of countries a policy knows only the states of the US/,
    ],
    ['client networks', pools.replace('geos: [NA]', "subnets: ['10.0.0.0/8']"), /client networks \(10\.0\.0\.0\/8\)/],
    ['an address of nobody', pools.replace(at.paris, '192.0.2.77'), /192\.0\.2\.77 is the entry address of no Cluster/],
    ['no rule for everyone', pools.replace('    - { pool: world }\n', ''), /no rule for everyone/],
    ['a pool that is not there', pools.replace('pool: world', 'pool: moon'), /there is no pool moon/],
    ['a circle of fallbacks', pools.replace('world: {', 'world: { fallback: europe,'), /lead back to/],
    [
      'nothing but addresses out of service',
      pools.replaceAll(`${at.cloud} }`, `${at.cloud}, status: down }`),
      /status other than down/,
    ],
    ['a weight that is no number', pools.replace('weight: 7', 'weight: heavy'), /cannot be read: .*weight/],
  ])('with %s is not imported, and says why', (_, content, says) => {
    expect(onlyLine(www(content))).toMatch(says);
    expect(www(content).policies).toEqual([]);
  });

  it('leaves out addresses that are down, and says what it changes', () => {
    const changed = www(
      pools
        .replace(`${at.newyork}, weight: 3`, `${at.newyork}, status: down`)
        .replace(`[{ value: ${at.cloud}`, `[{ status: up, value: ${at.cloud}`),
    );
    expect(answer(changed, 'FR')).toBe('paris');
    expect(renderImport(changed).join('\n')).toMatch(/note: pool world: 203\.0\.113\.10 is never taken out/);
  });
});

describe('other records', () => {
  it('of plain addresses and of the older geo form become policies', () => {
    expect(answer(www(`value: ${at.paris}`), 'JP')).toBe('paris');
    const geo = www(`values: [${at.cloud}]\ngeo: { EU: [${at.paris}], NA-US: [${at.newyork}] }`);
    expect(['DE', 'US', 'CA'].map((country) => answer(geo, country))).toEqual(['paris', 'newyork', 'cloud']);
  });

  it('that hold no addresses stay, and hosts with the same answers share a policy', () => {
    const result = imported(`
'':
  - { type: MX, value: { exchange: mx.video.example., preference: 10 } }
  - { type: A, ttl: 60, value: ${at.paris} }
api: { type: A, ttl: 60, value: ${at.paris} }
old: { type: CNAME, value: www.video.example. }
`);
    expect(renderImport(result)).toEqual([
      'api.video.example becomes policy video-example',
      'old.video.example stays: CNAME: no record of addresses; it stays as it is',
      'video.example: its MX stays: no record of addresses',
      'video.example becomes policy video-example',
      'hosts in policies: 2, policies: 1, not imported: 0, staying: 2',
    ]);
    expect(result.policies.map(({ spec }) => spec.hosts)).toEqual([['api.video.example', 'video.example']]);
  });

  it('that lead to servers are known by each form of octoDNS: a name server stays, a mail server has a note', () => {
    const text = renderImport(
      imported(`
'':
  - { type: NS, values: [ns1.video.example., ns.elsewhere.example.] }
  - { type: MX, values: [{ exchange: MAIL.video.example., preference: 10 }, { value: old.video.example., priority: 20 }] }
_sip._tcp: { type: SRV, value: { target: voice.video.example., port: 5060, priority: 0, weight: 5 } }
ns1: { type: A, ttl: 60, value: ${at.paris} }
mail: { type: A, ttl: 60, value: ${at.paris} }
old: { type: A, ttl: 60, value: 10.0.0.1 }
voice: { type: A, ttl: 60, values: [${at.paris}, 10.0.0.1] }
`),
    );
    expect(text).toEqual(
      expect.arrayContaining([
        'ns1.video.example stays: A: NS records lead to it, and a name server keeps its addresses; it stays as it is',
        'mail.video.example becomes policy mail',
        '    note: MX records lead to it: after this it is answered by country with addresses of paris',
        'old.video.example stays: A: MX records lead to it, and none of its addresses is of a Cluster; it stays as it is',
        'voice.video.example is not imported: 10.0.0.1 is the entry address of no Cluster',
        expect.stringMatching(/^    fix: SRV records lead to it: leave it to the tool/),
      ]),
    );
  });

  it('of more hosts than a policy may have become several policies; what the spec does not allow is named', () => {
    const many = Array.from(
      { length: 1001 },
      (_, index) => `h${index}: { type: A, ttl: 60, value: ${at.paris} }\n`,
    ).join('');
    expect(imported(many).policies.map(({ spec }) => spec.hosts.length)).toEqual([500, 500, 1]);
    expect(onlyLine(www(`ttl: 604800\nvalue: ${at.paris}`))).toMatch(
      /not imported: its time to live is 604800 s: expected 1 to 86400/,
    );
  });

  it('of several addresses, or of a long time to live, become policies with notes of what changes', () => {
    const text = renderImport(www(`ttl: 3600\nvalues: [${at.paris}, ${at.cloud}]`)).join('\n');
    expect(text).toMatch(/note: today every A answer holds 2 addresses/);
    expect(text).toMatch(/note: a failed cluster is answered for up to 3600 s more/);
  });

  it('whose families send users to different clusters are not imported', () => {
    const result = imported(`www:\n  - { type: A, value: ${at.paris} }\n  - { type: AAAA, value: 2001:db8::1 }\n`);
    expect(onlyLine(result)).toMatch(/2001:db8::1 is the entry address of no Cluster/);
  });

  it.each([
    ['[1]', /expected a mapping/],
    ['www: 3', /record www to have a type/],
  ])('%s is no zone file', (text, says) => {
    expect(() => parseZoneFile(parse(text))).toThrow(says);
  });
});

/** Arbitrary pools of one address each, the last of them for everyone. */
const clusterNames = ['paris', 'newyork', 'cloud'] as const;
const order = fc.shuffledSubarray([...clusterNames], { minLength: 1 });
const zones = fc.record({
  all: order,
  special: fc.array(fc.record({ order, countries: fc.subarray([...countries], { minLength: 1, maxLength: 20 }) }), {
    maxLength: 4,
  }),
});

it('every country gets the first living cluster of its first rule, whatever is down', () => {
  fc.assert(
    fc.property(zones, fc.subarray([...clusterNames], { maxLength: 2 }), ({ all, special }, down) => {
      const taken = new Set<string>();
      const rules = special.map((rule) => {
        const codes = rule.countries.filter(({ code }) => !taken.has(code));
        for (const { code } of codes) taken.add(code);
        return { order: rule.order, codes };
      });
      const used = [...rules.filter(({ codes }) => codes.length > 0), { order: all, codes: [] }];
      const poolsOf = used.flatMap(({ order: names }, rule) =>
        names.map((name, index) => [
          `p${rule}-${index}`,
          { values: [{ value: at[name] }], fallback: index + 1 < names.length ? `p${rule}-${index + 1}` : null },
        ]),
      );
      const rulesOf = used.map(({ codes }, rule) => ({
        pool: `p${rule}-0`,
        ...(codes.length === 0 ? {} : { geos: codes.map(({ code, continent }) => `${continent}-${code}`) }),
      }));
      const zone = {
        www: { type: 'A', values: [at.cloud], dynamic: { pools: Object.fromEntries(poolsOf), rules: rulesOf } },
      };
      const result = importZone(platform, parseZoneFile(zone), { zone: 'video.example', providers: ['route53'] });
      for (const { code } of countries.slice(0, 60)) {
        const { order: names } = used.find(({ codes }) => codes.some((one) => one.code === code)) ?? { order: all };
        const alive = names.find((name) => !down.includes(name));
        // With nothing of its own list alive, any other cluster of the policy may answer.
        if (alive !== undefined) expect(answer(result, code, ...down)).toBe(alive);
      }
    }),
    { numRuns: 40 },
  );
});
