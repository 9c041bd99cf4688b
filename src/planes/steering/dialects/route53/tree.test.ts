import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterAddresses, drainedClusters, policySpec } from '../../../../../test/support/steering/arbitrary.ts';
import { compileInputOf, policyOf } from '../../../../../test/support/steering/policies.ts';
import { formatTiers, preferenceOf } from '../../../../answers/answers.ts';
import { groupKey } from '../../../../answers/record.ts';
import { countries } from '../../../../model/geo/countries.ts';
import type { TrafficPolicy } from '../../../../model/spec/kinds.ts';
import { verify } from '../../compile/verify.ts';
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
      fc.property(policySpec, clusterAddresses, drainedClusters, (generated, vips, out) => {
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
  expect(verifyTree(tree, input).failureSets).toBe(212);
  expect(new Set(tree.notices.map(({ reason }) => reason))).toEqual(new Set(['FailoverCut']));
  expect(formatTiers(tree.effective.get('A')?.get('AF') ?? [])).toBe('c2 > c15');
  expect(performance.now() - before).toBeLessThan(5000);
});
