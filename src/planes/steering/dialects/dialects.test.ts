import { describe, expect, test } from 'vitest';
import { verify } from '../../../../test/support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { groupKey, type RecordSet } from '../../../answers/record.ts';
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
