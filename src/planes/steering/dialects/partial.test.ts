import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterAddresses, drainedClusters, policySpec } from '../../../../test/support/steering/arbitrary.ts';
import { clustersWhile } from '../../../../test/support/steering/partial.ts';
import { verify } from '../../../../test/support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { sumByCluster } from '../../../answers/distribution.ts';
import { countries } from '../../../model/geo/countries.ts';
import { addressTypes } from '../compile/entries.ts';
import type { CompileInput, Dialect } from './dialect.ts';
import { dialects } from './table.ts';

const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'] as const;
const least = fc.record(Object.fromEntries(names.map((name) => [name, fc.integer({ min: 1, max: 4 })])));
const fourOf = (net: number): string[] => [1, 2, 3, 4].map((host) => `192.0.${net}.${host}`);

/** The addresses that answer for a country while these are down. */
function answersOf(dialect: Dialect, input: CompileInput, country: string, down: readonly string[]): readonly string[] {
  const reading = dialect.interpret(dialect.compile(input).records);
  const failed = reading.checks.filter(({ address }) => down.includes(address));
  return [
    ...reading
      .view(input.hosts[0] ?? '', 'A', failed)
      .answer(country)
      .keys(),
  ].sort();
}

describe.each(Object.values(dialects))('$title', (dialect) => {
  test('addresses that fail one by one, in any order: users leave exactly when there are too few', () => {
    const first = fourOf(1);
    const order = fc.shuffledSubarray(first, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), order, (atLeast, failing) => {
        const policy = policyOf('default: { clusters: [{ name: a }], failover: [b, c] }');
        const addresses = { a: first, b: ['192.0.2.1'], c: ['192.0.3.1'] };
        const input = compileInputOf(policy, { addresses, least: { a: atLeast } });
        for (let count = 0; count <= 4; count += 1) {
          const down = failing.slice(0, count);
          const up = first.filter((address) => !down.includes(address));
          expect(answersOf(dialect, input, 'FR', down)).toEqual(up.length >= atLeast ? up : ['192.0.2.1']);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('a cluster that takes over answers while any address of it does, and a first choice that has too few when nothing else does', () => {
    const policy = policyOf('default: { clusters: [{ name: a }], failover: [b] }');
    const addresses = { a: fourOf(1), b: fourOf(2) };
    const input = compileInputOf(policy, { addresses, least: { a: 2, b: 3 } });
    const down = [...fourOf(1).slice(1), ...fourOf(2).slice(1)];
    expect(answersOf(dialect, input, 'FR', down)).toEqual(['192.0.2.1']);
    expect(answersOf(dialect, input, 'FR', [...down, '192.0.2.1'])).toEqual(['192.0.1.1']);
    expect(answersOf(dialect, input, 'FR', [...fourOf(1), ...fourOf(2)])).toEqual(fourOf(1));
  });

  test('a share that is left is taken over by the others, and one that is kept stays whole', () => {
    const policy = policyOf('default: { clusters: [{ name: a, weight: 3 }, { name: b, weight: 1 }], failover: [c] }');
    const input = compileInputOf(policy, { addresses: { a: fourOf(1), b: ['192.0.2.1'] }, least: { a: 2 } });
    const reading = dialect.interpret(dialect.compile(input).records);
    const sharesWith = (up: number) => {
      const down = fourOf(1).slice(up);
      const failed = reading.checks.filter(({ address }) => down.includes(address));
      const view = reading.view('www.example.net', 'A', failed);
      return Object.fromEntries(
        sumByCluster(view.answer('FR'), (address) => (address.startsWith('192.0.1.') ? 'a' : 'b')),
      );
    };
    expect([4, 2, 1].map(sharesWith)).toEqual([{ a: 0.75, b: 0.25 }, { a: 0.75, b: 0.25 }, { b: 1 }]);
  });

  test('any policy, while any addresses are down: the clusters answer that should', () => {
    fc.assert(
      fc.property(policySpec, clusterAddresses, drainedClusters, least, fc.infiniteStream(fc.boolean()), (...given) => {
        const [spec, addresses, drained, wanted, coins] = given;
        const input = compileInputOf(policyOf(JSON.stringify(spec)), { addresses, drained, least: wanted });
        const compiled = dialect.compile(input);
        expect(verify(dialect, compiled, input.hosts, input.entries).countries).toBe(247);
        const reading = dialect.interpret(compiled.records);
        const all = input.entries.flatMap(({ cluster, checks }) =>
          checks.map(({ address }) => [address, cluster] as const),
        );
        const clusterOf = new Map(all);
        const down = new Set(all.filter(() => coins.next().value === true).map(([address]) => address));
        const failed = reading.checks.filter(({ address }) => down.has(address));
        for (const type of addressTypes.filter((one) => compiled.effective.has(one)))
          for (const code of [...countries.map((one) => one.code), '']) {
            const view = reading.view('www.example.net', type, failed);
            const shares = sumByCluster(view.answer(code === '' ? undefined : code), (address) =>
              clusterOf.get(address),
            );
            const expected = clustersWhile(input, compiled, { type, country: code, down });
            expect([...shares.keys()].sort()).toEqual([...expected].sort());
          }
      }),
      { numRuns: 25 },
    );
  });
});

test('Route 53 says of each share what is cut of its failover, why, for whom, over which family, and who answers then', () => {
  const shares = '{ name: a, weight: 70, failover: [c] }, { name: b, weight: 30, failover: [a, c] }';
  const policy = policyOf(
    `rules: [{ countries: [GB], clusters: [${shares}], failover: [c] }]\ndefault: { clusters: [{ name: c }] }`,
  );
  const messages = (addresses: Record<string, string[]>): readonly string[] =>
    dialects.route53
      .compile(compileInputOf(policy, { addresses, least: { a: 2 } }))
      .notices.map(({ message }) => message);
  const ofB =
    'for GB: share of b: failover c is dropped, because the levels of the tree have room for one cluster that takes over; while b and a are down, c takes all';
  const ofA =
    'share of a: failover c is dropped, because a needs 2 addresses and that takes a level of the tree; while a is down, b takes all';
  const one = { a: fourOf(1), b: ['192.0.2.1'], c: ['192.0.3.1'] };
  expect(messages(one)).toEqual([`for GB: ${ofA}`, ofB]);
  const both = { a: [...fourOf(1), '2001:db8::1'], b: ['192.0.2.1', '2001:db8::2'], c: ['192.0.3.1', '2001:db8::3'] };
  expect(messages(both)).toEqual([`over IPv4, for GB: ${ofA}`, ofB]);
});
