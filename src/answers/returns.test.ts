import fc from 'fast-check';
import { expect, test } from 'vitest';
import { twoSites } from '../../test/support/platform.ts';
import { policySpecWithStates } from '../../test/support/steering/arbitrary.ts';
import { guarded, overlaid, overlay } from '../../test/support/steering/overlays.ts';
import { countries } from '../model/geo/countries.ts';
import { clustersOfPolicy, forbiddenClusters } from '../model/platform/policies.ts';
import { type Answers, answersOf, formatTiers, preferenceOf, returningWith } from './answers.ts';
import { type Progress, partsMoved, wholeParts } from './pace.ts';
import { withReturns } from './returns.ts';

const plain = twoSites();
const automatic = guarded(plain, { proposals: 'automatic' });
const [video] = automatic.policies.values();
if (video === undefined) throw new Error('no policy');
const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'];
const code = fc.constantFrom(...countries.map((one) => one.code));
const progress: fc.Arbitrary<Progress> = fc.oneof(
  fc.constant({}),
  fc.record({ upTo: code }),
  fc.record({ next: fc.record({ code, parts: fc.integer({ min: 1, max: 254 }) }) }),
);
const share = fc.record({ name: fc.constantFrom(...names), weight: fc.integer({ min: 1, max: 3 }) });
const rule = fc.record({
  countries: fc.subarray(
    countries.filter((_, at) => at % 5 === 0).map((one) => one.code),
    { minLength: 1, maxLength: 9 },
  ),
  continents: fc.constant([]),
  clusters: fc.uniqueArray(share, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
  failover: fc.constant([]),
});

test('whoever has returned is answered by the policy, nobody reaches what never forbids, and no cluster is lost', () => {
  const first = [...plain.clusters.values()].slice(0, 1);
  const clusters = new Map(names.flatMap((name) => first.map((cluster) => [name, cluster] as const)));
  fc.assert(
    fc.property(policySpecWithStates, rule, progress, (answers, one, back) => {
      const failback = { mode: 'gradual', holdMinutes: 1, stepShare: 0.1, stepMinutes: 10 } as const;
      const written = { ...video, spec: { ...video.spec, ...answers, failback } };
      const platform = { ...automatic, clusters, policies: new Map([['video', written]]) };
      const evening = overlay({ rules: [one] });
      const stays = overlaid(platform, [evening]);
      const ends = overlaid(platform, [overlay({ rules: [one], afterwards: 'return' })], Date.parse('2026-12-01'));
      const laid = withReturns(ends, new Map([['video', [{ overlay: 'evening', sinceMs: 0, by: '', back }]]]));
      const after = laid.policies.get('video') ?? video;
      expect(clustersOfPolicy(after)).toEqual(clustersOfPolicy(written));
      const [from, to, now] = [stays.policies.get('video') ?? video, written, after].map((each) =>
        answersOf(each, new Set()),
      );
      const tiers = (of: Answers | undefined, place: string) => (of === undefined ? [] : preferenceOf(of, place).tiers);
      const forbidden = forbiddenClusters(written.spec);
      for (const place of now?.byCountry.keys() ?? []) {
        const parts = partsMoved(back, returningWith(place));
        const found = tiers(now, place);
        if (parts === 0) expect(formatTiers(found)).toBe(formatTiers(tiers(from, place)));
        if (parts === wholeParts) expect(formatTiers(found)).toBe(formatTiers(tiers(to, place)));
        const reached = found.flat().map(({ name }) => name);
        expect(reached.filter((name) => forbidden.get(place)?.has(name) === true)).toEqual([]);
        const known = [...(tiers(from, place)[0] ?? []), ...(tiers(to, place)[0] ?? [])].map(({ name }) => name);
        expect(known).toEqual(expect.arrayContaining((found[0] ?? []).map(({ name }) => name)));
      }
    }),
    { numRuns: 60 },
  );
});
