import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterAddresses, drainedClusters, policySpec } from '../../../../test/support/steering/arbitrary.ts';
import { verify } from '../../../../test/support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { groupKey, type RecordSet } from '../../../answers/record.ts';
import type { CompileInput } from './dialect.ts';
import { dialects } from './table.ts';

const hosts = ['a.example.net', 'b.example.net', 'c.example.net'];
const input = {
  ...compileInputOf(
    policyOf(
      'rules: [{ countries: [FR], clusters: [{ name: x }] }]\ndefault: { clusters: [{ name: y }], failover: [x] }',
    ),
  ),
  hosts,
};
const other = { ...compileInputOf(policyOf('default: { clusters: [{ name: x }, { name: y }] }')), hosts };

/** What every dialect promises to its callers; the conformance suite tests what its provider answers from the records. */
describe.each(Object.entries(dialects))('%s', (_name, dialect) => {
  const compiled = dialect.compile(input);
  const ofHost = (host: string, records: readonly RecordSet[]) => records.filter(({ name }) => name === host);

  test('hosts with the same records have the same view while the same checks fail', () => {
    const reading = dialect.interpret(compiled.records);
    const [none, all] = [[], input.entries.flatMap(({ checks }) => checks)];
    const view = reading.view('a.example.net', 'A', none);
    expect(reading.view('b.example.net', 'A', none)).toBe(view);
    expect(reading.view('b.example.net', 'A', all)).not.toBe(view);
    expect(reading.types('a.example.net')).toEqual(['A']);
    expect(reading.types('nobody.example.net')).toEqual([]);
    expect(reading.view('nobody.example.net', 'A', none).answer('FR').size).toBe(0);
  });

  test('a host whose records differ from those of the others is found', () => {
    expect(verify(dialect, compiled, hosts, input.entries)).toEqual({ countries: 247, failureSets: 4 });
    const wrong = dialect.compile(other).records;
    const records = [
      ...compiled.records.filter(({ name }) => name !== 'b.example.net'),
      ...ofHost('b.example.net', wrong),
      ...wrong.filter(({ name }) => !hosts.includes(name)),
    ];
    expect(() => verify(dialect, { ...compiled, records }, hosts, input.entries)).toThrow(
      /^b\.example\.net A for .*\(PlanDisagrees\)/,
    );
  });

  test('compiled records keep within the limits, and those of hosts have one of the answer types', () => {
    for (const group of Map.groupBy(compiled.records, groupKey).values()) {
      expect(group.length).toBeLessThanOrEqual(dialect.limits.recordsPerName);
    }
    for (const host of hosts) {
      const types = ofHost(host, compiled.records).map(({ type }) => type);
      expect(types.length).toBeGreaterThan(0);
      expect(dialect.answerTypes).toEqual(expect.arrayContaining(types));
    }
  });
});

/** The addresses that a country must never be answered with, by code ('' for unknown locations). */
function forbiddenAddresses({ answers, entries }: CompileInput): ReadonlyMap<string, readonly string[]> {
  const users = [...answers.byCountry, ['', answers.unknown] as const];
  return new Map(
    users.map(([code, { never }]) => [
      code,
      entries
        .filter(({ cluster }) => never.includes(cluster))
        .flatMap(({ checks }) => checks.map((one) => one.address)),
    ]),
  );
}

describe.each(Object.entries(dialects))('what never forbids, in %s', (_name, dialect) => {
  test('is no answer, whatever fails and is drained, all of it too', () => {
    let kept = 0;
    fc.assert(
      fc.property(policySpec, clusterAddresses, drainedClusters, (generated, addresses, drained) => {
        const made = compileInputOf(policyOf(JSON.stringify(generated)), { addresses, drained });
        const reading = dialect.interpret(dialect.compile(made).records);
        const forbidden = forbiddenAddresses(made);
        const checks = made.entries.map((entry) => entry.checks);
        for (let bits = 0; bits < 2 ** checks.length; bits += 1) {
          const failed = checks.flatMap((some, index) => ((bits >> index) & 1 ? some : []));
          const view = reading.view('www.example.net', 'A', failed);
          const wrong = [...forbidden].filter(([code, some]) => {
            const answer = view.answer(code === '' ? undefined : code);
            return answer.size === 0 || some.some((address) => answer.has(address));
          });
          expect(wrong).toEqual([]);
        }
        kept += generated.never.length;
      }),
      { numRuns: 25 },
    );
    expect(kept).toBeGreaterThan(5);
  });

  test('is found where the records lead to it only when all the rest has failed, of many clusters too', () => {
    const names = Array.from({ length: 10 }, (_, index) => `c${index}`);
    const wanted = (never: string) =>
      compileInputOf(
        policyOf(
          `default: { clusters: [{ name: c0 }], failover: [${names.slice(1).join()}] }\nnever: [{ clusters: [c9], ${never} }]`,
        ),
      );
    const [strict, lax] = [wanted('continents: [EU]'), wanted('countries: [DE]')];
    expect(verify(dialect, dialect.compile(strict), strict.hosts, strict.entries).countries).toBe(247);
    const { records } = dialect.compile(lax);
    expect(() => verify(dialect, { ...dialect.compile(strict), records }, strict.hosts, strict.entries)).toThrow(
      'PlanDisagrees',
    );
  });

  test('leaves no user without an address of a family that the host has', () => {
    const addresses = { x: ['192.0.2.1'], y: ['192.0.2.2', '2001:db8::2'] };
    const policy = policyOf(
      'default: { clusters: [{ name: x }], failover: [y] }\nnever: [{ clusters: [y], countries: [FR] }]',
    );
    expect(() => dialect.compile(compileInputOf(policy, { addresses }))).toThrow(/AAAA records.*NoAddress/s);
  });
});
