import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clusterAddresses,
  drainedClusters,
  policySpecWithStates,
} from '../../../../../test/support/steering/arbitrary.ts';
import { verify } from '../../../../../test/support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../../../../test/support/steering/policies.ts';
import { answersFor, formatTiers, preferenceOf } from '../../../../answers/answers.ts';
import { sameShares } from '../../../../answers/distribution.ts';
import { groupKey, type RecordSet } from '../../../../answers/record.ts';
import { countries } from '../../../../model/geo/countries.ts';
import { states } from '../../../../model/geo/states.ts';
import type { TrafficPolicy } from '../../../../model/spec/kinds.ts';
import type { Compiled, CompileInput } from '../dialect.ts';
import { route53Dialect } from './dialect.ts';
import { route53Limits } from './limits.ts';
import { compileTree } from './tree.ts';

const verifyTree = (tree: Compiled, { hosts, entries }: CompileInput) => verify(route53Dialect, tree, hosts, entries);

function worstGroup(tree: Compiled): number {
  return Math.max(...[...Map.groupBy(tree.records, groupKey).values()].map((group) => group.length));
}

const codes = countries.map(({ code }) => code);

describe('any policy', () => {
  test('gives a tree inside the limits that answers as promised, exact unless a notice says otherwise', () => {
    fc.assert(
      fc.property(policySpecWithStates, clusterAddresses, drainedClusters, (generated, vips, out) => {
        const policy = policyOf(JSON.stringify(generated));
        const input = compileInputOf(policy, { addresses: vips, drained: out });
        const tree = compileTree(input);
        verifyTree(tree, input);
        expect(worstGroup(tree)).toBeLessThanOrEqual(route53Limits.recordsPerName);
        if (tree.notices.length === 0) expectExact(tree, input.answers);
      }),
      { numRuns: 40 },
    );
  });
});

/** The effective shares are the policy's own; weights may be scaled. */
function expectExact(tree: Compiled, answers: ReturnType<typeof compileInputOf>['answers']): void {
  for (const [country, effective] of tree.effective.get('A') ?? []) {
    const wanted = preferenceOf(answers, country === '' ? undefined : country).tiers;
    const relative = (tiers: typeof wanted) =>
      tiers.map((tier) => {
        const total = tier.reduce((sum, cluster) => sum + cluster.weight, 0);
        return tier.map(({ name, weight }) => `${name} ${(weight / total).toFixed(9)}`);
      });
    expect(relative(effective)).toEqual(relative(wanted));
  }
}

test('when every country is different the continents get groups of their own and every answer stays exact', () => {
  const rules = codes.map(
    (code, index) => `  - { countries: [${code}], clusters: [{ name: a, weight: ${(index % 250) + 1} }, { name: b }] }`,
  );
  const input = compileInputOf(policyOf(`rules:\n${rules.join('\n')}\ndefault: { clusters: [{ name: a }] }`));
  const tree = compileTree(input);
  expect(tree.notices).toEqual([]);
  expect(worstGroup(tree)).toBeLessThanOrEqual(100);
  expect(verifyTree(tree, input)).toEqual({ countries: 247, failureSets: 4 });
});

test('when as many countries and all states are different as a policy has rules for, and a state never has a record without its country', () => {
  const places = [...codes.slice(-202), ...states.map(({ code }) => code)];
  const rules = places.map((code, index) => ({
    countries: [code],
    clusters: [{ name: 'a', weight: (index % 250) + 1 }, { name: index < 250 ? 'b' : 'c' }],
  }));
  const input = compileInputOf(policyOf(JSON.stringify({ rules, default: { clusters: [{ name: 'a' }] } })));
  const tree = compileTree(input);
  expect(tree.notices.map(({ reason }) => reason)).not.toContain('FailoverMerged');
  expect(worstGroup(tree)).toBeLessThanOrEqual(100);
  expect(verifyTree(tree, input).countries).toBe(246 + 51 + 1);
  for (const group of Map.groupBy(tree.records, groupKey).values()) {
    const ids = group.map(({ setIdentifier }) => setIdentifier);
    if (ids.some((id) => id?.startsWith('US-'))) expect(ids).toContain('US');
  }
});

test('a state that the records tell apart and the policy does not is found', () => {
  const input = compileInputOf(
    policyOf(`
rules: [{ countries: [US-CA], clusters: [{ name: a }] }]
default: { clusters: [{ name: b }] }`),
  );
  const tree = compileTree(input);
  const records = tree.records.map((record) =>
    record.setIdentifier === 'US-CA'
      ? [record, { ...record, setIdentifier: 'US-TX', routing: { kind: 'geo', location: { state: 'US-TX' } } as const }]
      : [record],
  );
  expect(() => verifyTree(tree, input)).not.toThrow();
  expect(() => verifyTree({ ...tree, records: records.flat() }, input)).toThrow(
    /A for US-TX .*wanted b, the records give a/,
  );
});

describe('networks of clients', () => {
  const office = 'networks: [198.51.100.0/24, 2001:db8:10::/48]';
  const four = 'clusters: [{ name: a }], failover: [b, c, d]';
  const other = 'clusters: [{ name: d }], failover: [c, b, a]';
  const routings = (records: readonly RecordSet[]) =>
    records
      .filter(({ name }) => name === 'www.example.net')
      .map(({ setIdentifier, routing }) => [setIdentifier, routing?.kind]);

  test('stand above countries, which then have room for two choices, and the plan says so', () => {
    const input = compileInputOf(
      policyOf(`rules: [{ ${office}, ${four} }, { countries: [FR], ${other} }]\ndefault: { ${four} }`),
    );
    const tree = compileTree(input);
    verifyTree(tree, input);
    expect(routings(tree.records)).toEqual([
      ['198.51.100.0/24 and 1 more', 'networks'],
      ['everywhere else', 'networks'],
    ]);
    expect(tree.collection?.locations.map(({ networks }) => networks)).toEqual([
      ['198.51.100.0/24', '2001:db8:10::/48'],
    ]);
    const choices = (place: string) => tree.effective.get('A')?.get(place)?.length;
    expect([choices('198.51.100.0/24'), choices('FR'), choices('DE')]).toEqual([4, 2, 2]);
    expect(tree.notices.map(({ message }) => message).join('\n')).toMatch(
      /networks of clients take a level of the tree/,
    );
    const reading = route53Dialect.interpret(tree.records);
    expect(reading.apart('www.example.net', 'A')).toEqual(['198.51.100.0/24', '2001:db8:10::/48']);
  });

  test('take nothing of anybody where all countries have one answer', () => {
    const input = compileInputOf(policyOf(`rules: [{ ${office}, ${other} }]\ndefault: { ${four} }`));
    const tree = compileTree(input);
    verifyTree(tree, input);
    expect(tree.notices).toEqual([]);
    expect(tree.effective.get('A')?.get('FR')).toHaveLength(4);
  });

  test('and more than 100 locations are refused by name', () => {
    const rules = codes
      .slice(0, 210)
      .map((code, index) => `{ countries: [${code}], clusters: [{ name: a, weight: ${index + 1} }, { name: b }] }`);
    const input = compileInputOf(
      policyOf(`rules: [{ ${office}, ${four} }, ${rules.join(', ')}]\ndefault: { ${four} }`),
    );
    expect(() => compileTree(input)).toThrow(/networks of clients and needs 2\d\d locations.*TooManyRecords/s);
  });

  test('in other groups, or others, are another collection', () => {
    const keyOf = (...rules: readonly string[]): string | undefined =>
      compileTree(
        compileInputOf(
          policyOf(
            `rules: [${rules.map((one, index) => `{ networks: [${one}], clusters: [{ name: ${'ab'[index]} }] }`).join()}]\ndefault: { ${four} }`,
          ),
        ),
      ).collection?.key;
    const [x, y] = ['198.51.100.0/24', '203.0.113.0/24'];
    const keys = [keyOf(x, y), keyOf(`${x}, ${y}`), keyOf(x), keyOf(y)];
    expect(new Set(keys).size).toBe(4);
    expect(keyOf(y, x)).toBe(keys[0]);
  });
});

describe('more than 100 locations', () => {
  /** The first `count` countries have weights of their own; all have four choices in order. */
  const different = (count: number) =>
    compileInputOf(
      policyOf(
        JSON.stringify({
          rules: codes.slice(0, count).map((code, index) => ({
            countries: [code],
            clusters: [{ name: 'a', weight: index + 1 }, { name: 'b' }],
            failover: ['c', 'd', 'e'],
          })),
          default: { clusters: [{ name: 'e' }], failover: ['d', 'c', 'b'] },
        }),
      ),
    );
  const cut = (tree: Compiled): readonly string[] =>
    tree.notices.flatMap(({ message }) => /two choices only for (.*)$/.exec(message)?.[1]?.split(' ') ?? []);

  test.each([
    { count: 99, lost: 0 },
    { count: 100, lost: 3 },
    { count: 101, lost: 8 },
    { count: 130, lost: 54 },
    { count: 246, lost: 150 },
  ])('$count countries of their own: $lost lose the third choice, all others keep theirs', ({ count, lost }) => {
    const input = different(count);
    const tree = compileTree(input);
    expect(worstGroup(tree)).toBeLessThanOrEqual(100);
    expect(verifyTree(tree, input).countries).toBe(247);
    expect(cut(tree)).toHaveLength(lost);
    for (const [code, effective] of tree.effective.get('A') ?? []) {
      expect([code, effective.length]).toEqual([code, cut(tree).includes(code) ? 2 : 4]);
    }
  });

  test('any policy: each country has the answers of its policy up to the depth that is stated', () => {
    const order = fc.record({
      weight: fc.integer({ min: 1, max: 40 }),
      failover: fc.uniqueArray(fc.constantFrom('b', 'c', 'd', 'e'), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(order, { minLength: 60, maxLength: codes.length }), order, (orders, otherwise) => {
        const answer = ({ weight, failover }: typeof otherwise) => ({
          clusters: [
            { name: 'a', weight },
            { name: 'f', weight: 41 - weight },
          ],
          failover,
        });
        const rules = orders.map((one, index) => ({ countries: [codes[index]], ...answer(one) }));
        const input = compileInputOf(policyOf(JSON.stringify({ rules, default: answer(otherwise) })));
        const tree = compileTree(input);
        expect(worstGroup(tree)).toBeLessThanOrEqual(100);
        verifyTree(tree, input);
        for (const [country, effective] of tree.effective.get('A') ?? []) {
          const wanted = preferenceOf(input.answers, country === '' ? undefined : country).tiers;
          const exact = cut(tree).includes(country) ? 2 : Math.min(wanted.length, 4);
          expect(effective).toHaveLength(exact);
          const [all, held] = [wanted, effective].map((tiers) => tiers.slice(0, exact === 4 ? 3 : exact));
          for (let depth = 0; depth < (all?.length ?? 0); depth += 1) {
            const failed = new Set(
              all
                ?.slice(0, depth)
                .flat()
                .map(({ name }) => name),
            );
            expect(sameShares(answersFor(held ?? [], failed), answersFor(all ?? [], failed))).toBe(true);
          }
        }
      }),
      { numRuns: 6 },
    );
  });
});

test('a list that is too long to order gets a notice', () => {
  const failover = ['b', 'c', 'd', 'e', 'f'];
  const tree = compileTree(
    compileInputOf(policyOf(`default: { clusters: [{ name: a }], failover: [${failover.join()}] }`)),
  );
  expect(tree.notices.map(({ reason }) => reason)).toEqual(['FailoverMerged']);
  expect(formatTiers(tree.effective.get('A')?.get('FR') ?? [])).toBe('a > b > c > d:1,e:1,f:1');
});

test('weights that cannot be whole numbers are rounded, with a notice', () => {
  const policy = policyOf('default: { clusters: [{ name: a, weight: 253 }, { name: b, weight: 255 }] }');
  const tree = compileTree(compileInputOf(policy, { addresses: { a: ['192.0.2.1', '192.0.2.2'], b: ['192.0.2.3'] } }));
  expect(tree.notices.map(({ reason }) => reason)).toEqual(['WeightsRounded']);
});

test('IPv6 addresses get a tree of their own; clusters without one are left out of it', () => {
  const policy = policyOf('default: { clusters: [{ name: a }], failover: [b] }');
  const input = compileInputOf(policy, { addresses: { a: ['192.0.2.1'], b: ['192.0.2.2', '2001:db8::2'] } });
  const tree = compileTree(input);
  expect(formatTiers(tree.effective.get('A')?.get('FR') ?? [])).toBe('a > b');
  expect(formatTiers(tree.effective.get('AAAA')?.get('FR') ?? [])).toBe('b');
});

test('no address anywhere is refused', () => {
  const policy: TrafficPolicy = policyOf('default: { clusters: [{ name: a }] }');
  expect(() => compileTree(compileInputOf(policy, { addresses: { a: [] } }))).toThrow('NoAddress');
});

test('more addresses than one name may hold are refused', () => {
  const a = Array.from({ length: 101 }, (_, index) => `192.0.2.${index}`);
  const policy = policyOf('default: { clusters: [{ name: a }] }');
  expect(() => compileTree(compileInputOf(policy, { addresses: { a } }))).toThrow('TooManyRecords');
});

test('a broken tree is refused with the place of the fault', () => {
  const input = compileInputOf(policyOf('default: { clusters: [{ name: a }], failover: [b] }'));
  const tree = compileTree(input);
  const broken = {
    ...tree,
    records: tree.records.filter(({ setIdentifier }) => setIdentifier?.startsWith('b ') !== true),
  };
  expect(() => verifyTree(broken, input)).toThrow(
    /www\.example\.net A for AD with \[a\] failed: wanted b, the records give a \(PlanDisagrees\)/,
  );
});

test('20 clusters, every country its own pair, all single and double failures: planned and verified at once', () => {
  const clusters = Array.from({ length: 20 }, (_, index) => `c${index}`);
  const rules = codes.map((code, index) => {
    const [a, b] = [clusters[index % 20], clusters[(index * 7 + 1) % 20]];
    return `  - { countries: [${code}], clusters: [{ name: ${a} }], failover: [${b}] }`;
  });
  const input = compileInputOf(policyOf(`rules:\n${rules.join('\n')}\ndefault: { clusters: [{ name: c0 }] }`));
  const before = performance.now();
  const tree = compileTree(input);
  expect(verifyTree(tree, input).failureSets).toBe(232);
  expect(new Set(tree.notices.map(({ reason }) => reason))).toEqual(new Set(['FailoverCut']));
  expect([...(tree.effective.get('A') ?? [])].filter(([, { length }]) => length === 2)).toHaveLength(142);
  expect(performance.now() - before).toBeLessThan(5000);
});
