import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyOf, treeInputOf } from '../../../../test/support/steering/policies.ts';
import { countries } from '../../../model/geo/countries.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { formatTiers, preferenceOf } from '../policy/answers.ts';
import { compileLua, readLua } from './lua.ts';
import { groupKey, route53Limits } from './record.ts';
import { compileTree, type Tree } from './tree.ts';
import { verifyTree } from './verify.ts';

function worstGroup(tree: Tree): number {
  return Math.max(...[...Map.groupBy(tree.records, groupKey).values()].map((group) => group.length));
}

const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'] as const;
const weighted = fc.record({ name: fc.constantFrom(...names), weight: fc.integer({ min: 0, max: 255 }) });
const answer = {
  clusters: fc.uniqueArray(weighted, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
  failover: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
};
const codes = countries.map(({ code }) => code);
const rule = fc.record({
  countries: fc.subarray(codes, { maxLength: 30 }),
  continents: fc.subarray(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']),
  ...answer,
});
const spec = fc.record({ rules: fc.array(rule, { maxLength: 8 }), default: fc.record(answer) });
const addresses = fc.record(
  Object.fromEntries(
    names.map((name, index) => [
      name,
      fc.integer({ min: 1, max: 3 }).map((count) => Array.from({ length: count }, (_, n) => `192.0.${index}.${n + 1}`)),
    ]),
  ),
);
const drained = fc.subarray([...names]);

describe('any policy', () => {
  test('gives a tree inside the limits that answers as promised, exact unless a notice says otherwise', () => {
    fc.assert(
      fc.property(spec, addresses, drained, (generated, vips, out) => {
        const policy = policyOf(JSON.stringify(generated));
        const input = treeInputOf(policy, { addresses: vips, drained: out });
        const tree = compileTree(input);
        verifyTree(tree, input.hosts, input.entries);
        expect(worstGroup(tree)).toBeLessThanOrEqual(route53Limits.recordsPerGroup);
        if (tree.notices.length === 0) expectExact(tree, input.answers);
      }),
      { numRuns: 40 },
    );
  });

  test('comes back from its LUA record as it was', () => {
    fc.assert(
      fc.property(spec, drained, (generated, out) => {
        const input = treeInputOf(policyOf(JSON.stringify(generated)), { drained: out });
        const [record] = compileLua(input).records;
        const reading = readLua(record?.target.kind === 'values' ? (record.target.values[0] ?? '') : '');
        for (const code of [...codes, undefined]) {
          expect(formatTiers(reading?.tiersOf(code) ?? [])).toBe(formatTiers(preferenceOf(input.answers, code).tiers));
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** The effective shares are the policy's own; weights may be scaled. */
function expectExact(tree: Tree, answers: ReturnType<typeof treeInputOf>['answers']): void {
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

test('every country different: the continents get groups of their own and every answer stays exact', () => {
  const rules = codes.map(
    (code, index) => `  - { countries: [${code}], clusters: [{ name: a, weight: ${(index % 250) + 1} }, { name: b }] }`,
  );
  const input = treeInputOf(policyOf(`rules:\n${rules.join('\n')}\ndefault: { clusters: [{ name: a }] }`));
  const tree = compileTree(input);
  expect(tree.notices).toEqual([]);
  expect(worstGroup(tree)).toBeLessThanOrEqual(100);
  expect(verifyTree(tree, input.hosts, input.entries)).toEqual({ countries: 247, failureSets: 4 });
});

test('a list too long to order says so by name', () => {
  const failover = ['b', 'c', 'd', 'e', 'f'];
  const tree = compileTree(
    treeInputOf(policyOf(`default: { clusters: [{ name: a }], failover: [${failover.join()}] }`)),
  );
  expect(tree.notices.map(({ reason }) => reason)).toEqual(['FailoverMerged']);
  expect(formatTiers(tree.effective.get('A')?.get('FR') ?? [])).toBe('a > b > c > d:1,e:1,f:1');
});

test('weights that cannot be whole numbers are rounded and named', () => {
  const policy = policyOf('default: { clusters: [{ name: a, weight: 253 }, { name: b, weight: 255 }] }');
  const tree = compileTree(treeInputOf(policy, { addresses: { a: ['192.0.2.1', '192.0.2.2'], b: ['192.0.2.3'] } }));
  expect(tree.notices.map(({ reason }) => reason)).toEqual(['WeightsRounded']);
});

test('IPv6 addresses get a tree of their own; clusters without one are left out of it', () => {
  const policy = policyOf('default: { clusters: [{ name: a }], failover: [b] }');
  const input = treeInputOf(policy, { addresses: { a: ['192.0.2.1'], b: ['192.0.2.2', '2001:db8::2'] } });
  const tree = compileTree(input);
  expect(formatTiers(tree.effective.get('A')?.get('FR') ?? [])).toBe('a > b');
  expect(formatTiers(tree.effective.get('AAAA')?.get('FR') ?? [])).toBe('b');
});

test('no address anywhere is refused', () => {
  const policy: TrafficPolicy = policyOf('default: { clusters: [{ name: a }] }');
  expect(() => compileTree(treeInputOf(policy, { addresses: { a: [] } }))).toThrow('NoAddress');
});

test('more addresses than one name may hold are refused', () => {
  const a = Array.from({ length: 101 }, (_, index) => `192.0.2.${index}`);
  const policy = policyOf('default: { clusters: [{ name: a }] }');
  expect(() => compileTree(treeInputOf(policy, { addresses: { a } }))).toThrow('TooManyRecords');
});

test('a broken tree is refused with the place of the fault', () => {
  const input = treeInputOf(policyOf('default: { clusters: [{ name: a }], failover: [b] }'));
  const tree = compileTree(input);
  const broken = {
    ...tree,
    records: tree.records.filter(({ setIdentifier }) => setIdentifier?.startsWith('b ') !== true),
  };
  expect(() => verifyTree(broken, input.hosts, input.entries)).toThrow(
    /www\.example\.net A for AD with \[a\] failed: wanted b, the records give a \(PlanDisagrees\)/,
  );
});

test('20 clusters, every country its own pair, all single and double failures: planned and verified at once', () => {
  const clusters = Array.from({ length: 20 }, (_, index) => `c${index}`);
  const rules = codes.map((code, index) => {
    const [a, b] = [clusters[index % 20], clusters[(index * 7 + 1) % 20]];
    return `  - { countries: [${code}], clusters: [{ name: ${a} }], failover: [${b}] }`;
  });
  const input = treeInputOf(policyOf(`rules:\n${rules.join('\n')}\ndefault: { clusters: [{ name: c0 }] }`));
  const before = performance.now();
  const tree = compileTree(input);
  expect(verifyTree(tree, input.hosts, input.entries).failureSets).toBe(212);
  expect(new Set(tree.notices.map(({ reason }) => reason))).toEqual(new Set(['FailoverCut']));
  expect(formatTiers(tree.effective.get('A')?.get('AF') ?? [])).toBe('c2 > c15');
  expect(performance.now() - before).toBeLessThan(5000);
});
