import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { clusterAddresses, policySpecWithStates } from '../../../../test/support/steering/arbitrary.ts';
import { withCheck } from '../../../../test/support/steering/world.ts';
import { answersFor, answersNow, answersOf, preferenceOf } from '../../../answers/answers.ts';
import { formatShares, movedBetween } from '../../../answers/distribution.ts';
import { failureSets } from '../../../answers/failures.ts';
import { parseAddress } from '../../../model/address.ts';
import { apiVersion } from '../../../model/contract.ts';
import { placesOfPolicy } from '../../../model/platform/policies.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../../platform/load.ts';
import { parseZoneFile } from '../import/octodns.ts';
import { importZone } from '../import/policies.ts';
import { scaleWeights } from '../weights.ts';
import { type ExportedZone, exportZones } from './octodns.ts';
import { renderExport } from './text.ts';

const example = await loadPlatformOrThrow(['examples/hybrid']);
const policyName = 'video';

/** The example with another spec of its policy. */
function withSpec(platform: Platform, change: object): Platform {
  const policy = platform.policies.get(policyName);
  if (policy === undefined) throw new Error('the example has no such policy');
  const policies = new Map(platform.policies).set(policyName, { ...policy, spec: { ...policy.spec, ...change } });
  return { ...platform, policies };
}

const only = (platform: Platform): ExportedZone => {
  const [zone, ...others] = exportZones(platform, 0);
  if (zone === undefined || others.length > 0) throw new Error('not one zone');
  return zone;
};
const reread = ({ zone, records }: ExportedZone, platform: Platform) =>
  importZone(platform, parseZoneFile(parse(stringify(records))), { zone, providers: ['route53'] });

const fallbacks =
  'fallbacks of pools: octoDNS writes them to Route 53 through more names than the three that are documented; its authors report that Route 53 takes them';

describe('the example', () => {
  const zone = only(example);

  it('becomes a record of octoDNS with pools, fallbacks, rules by country and a health check', async () => {
    await expect(stringify(zone.records)).toMatchFileSnapshot('../../../../test/golden/steering/octodns.yaml');
    expect(renderExport([zone])).toEqual([
      'www.video.example is written: A, of policy video',
      `    note: ${fallbacks}`,
      'zone video.example: hosts written: 1, not written: 0',
    ]);
  });

  it('gives the same answers when it is imported again, whatever fails', () => {
    const { policies } = reread(zone, example);
    const [policy] = policies;
    const wanted = example.policies.get(policyName);
    if (policy === undefined || wanted === undefined) throw new Error('no policy');
    const [got, asked] = [answersOf(policy, new Set()), answersNow(example, wanted, 0)];
    for (const failed of failureSets([...example.clusters.keys()]))
      for (const code of asked.byCountry.keys())
        expect(formatShares(answersFor(preferenceOf(got, code).tiers, failed))).toBe(
          formatShares(answersFor(preferenceOf(asked, code).tiers, failed)),
        );
  });

  it.each([
    [
      'never',
      { never: [{ countries: ['FR'], continents: [], unknownLocation: false, clusters: ['cloud'] }] },
      /keeps users from cloud \(never\)/,
    ],
  ])('is refused with %s, by name', (_, change, says) => {
    const refused = only(withSpec(example, change));
    expect(refused.records).toEqual({});
    expect(renderExport([refused])[0]).toMatch(says);
  });

  it('is refused where a cluster must have several addresses that answer, by name', () => {
    const refused = only(withCheck(example, { minHealthyAddresses: 2 }));
    expect(refused.records).toEqual({});
    expect(renderExport([refused])[0]).toMatch(/healthCheck\.minHealthyAddresses/);
  });

  it('is refused where clusters are checked in different ways', () => {
    const paris = example.clusters.get('paris');
    if (paris === undefined) throw new Error('no paris');
    const spec = { ...paris.spec, healthCheck: { ...paris.spec.healthCheck, port: 8080 } };
    const clusters = new Map(example.clusters).set('paris', { ...paris, spec });
    expect(renderExport([only({ ...example, clusters })])[0]).toMatch(
      /^www\.video\.example is not written: its clusters are checked in different ways \(HTTP 80, HTTP 8080\)/,
    );
  });

  it('has a rule of subnets for networks before all others, with a pool that no rule of countries has', () => {
    const paris = { continents: [], clusters: [{ name: 'paris', weight: 1 }], failover: ['cloud', 'newyork'] };
    const rules = [
      { ...paris, countries: ['FR'], networks: ['198.51.100.0/24'] },
      { ...paris, countries: ['TR'], networks: ['2001:db8::/32'] },
    ];
    const { records, findings } = only(withSpec(example, { rules, never: [] }));
    const [record] = Object.values(records);
    expect(record).toMatchObject({
      dynamic: {
        rules: [
          { subnets: ['198.51.100.0/24', '2001:db8::/32'], pool: 'paris--cloud--newyork' },
          { geos: ['AS-TR', 'EU-FR'], pool: 'paris--cloud--newyork-2' },
          { pool: expect.any(String) },
        ],
      },
    });
    expect(findings[0]?.notes.join()).toMatch(/rules with subnets/);
  });

  it('says which country octoDNS does not know, and who is drained', () => {
    const rules = [
      { countries: ['XK', 'TR'], continents: [], clusters: [{ name: 'newyork', weight: 1 }], failover: [] },
    ];
    const drain = {
      apiVersion,
      kind: 'Drain' as const,
      metadata: { name: 'd', labels: {}, annotations: {} },
      spec: { target: { kind: 'Cluster' as const, name: 'cloud' }, reason: 'x', expires: '2100-01-01T00:00:00Z' },
    };
    const drained = { ...withSpec(example, { rules }), drains: new Map([['d', drain]]) } as unknown as Platform;
    const { records, findings } = only(drained);
    expect(findings[0]?.notes).toEqual([
      'drained now, and so last of all: cloud; export again when it ends',
      'octoDNS does not know XK: answered as everybody else',
      fallbacks,
    ]);
    expect(JSON.stringify(records)).toContain('"geos":["AS-TR"]');
  });
});

/** The answer without what octoDNS cannot say of shares. */
function withoutOwnFailover<Answer extends { readonly clusters: readonly { name: string; weight: number }[] }>(
  answer: Answer,
) {
  return { ...answer, clusters: answer.clusters.map(({ name, weight }) => ({ name, weight })) };
}

it('refuses shares that have a failover of their own', () => {
  const clusters = [
    { name: 'paris', weight: 7, failover: ['cloud'] },
    { name: 'newyork', weight: 3, failover: ['paris', 'cloud'] },
  ];
  const zone = only(withSpec(example, { rules: [], default: { clusters, failover: [] }, never: [] }));
  expect(zone.findings).toMatchObject([{ outcome: 'refused', what: expect.stringMatching(/failover for its own/) }]);
});

it('any policy gives a record that answers every country as the policy does, but for rounded weights that are noted', () => {
  const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'];
  const cloud = example.clusters.get('cloud');
  if (cloud === undefined) throw new Error('no cloud');
  fc.assert(
    fc.property(policySpecWithStates, clusterAddresses, ({ rules, default: fallback }, addresses) => {
      const clusters = new Map(
        names.map((name) => [
          name,
          {
            ...cloud,
            metadata: { ...cloud.metadata, name },
            spec: { ...cloud.spec, entry: { anycast: (addresses[name] ?? []).map(parseAddress) } },
          },
        ]),
      );
      const platform = withSpec({ ...example, clusters } as unknown as Platform, {
        rules: rules.map(withoutOwnFailover),
        default: withoutOwnFailover(fallback),
        never: [],
      });
      const zone = only(platform);
      expect(zone.findings.map(({ outcome }) => outcome)).toEqual(['written']);
      const rounded = zone.findings.some(({ notes }) => notes.some((note) => note.includes('shares differ slightly')));
      const [policy] = reread(zone, platform).policies;
      const wanted = platform.policies.get(policyName);
      if (policy === undefined || wanted === undefined) throw new Error('no policy');
      const [got, asked] = [answersOf(policy, new Set()), answersOf(wanted, new Set())];
      for (const code of placesOfPolicy(wanted.spec).filter((one) => one !== 'XK')) {
        const of = (answers: typeof got) => answersFor(preferenceOf(answers, code).tiers, new Set());
        expect(movedBetween(of(got), of(asked))).toBeLessThan(rounded ? 0.03 : 1e-9);
      }
    }),
    { numRuns: 50 },
  );
});

it.each([
  [[1], [1], true],
  [[70, 30], [7, 3], true],
  [[255, 1], [100, 1], false],
  [[50, 50, 100], [1, 1, 2], true],
  [[1 / 3, 2 / 3], [1, 2], true],
  [[97, 89], [97, 89], true],
  [[197, 193], [100, 98], false],
])('the weights %j become %j', (weights, scaled, isExact) => {
  expect(scaleWeights(weights, 100)).toEqual({ weights: scaled, isExact });
});
