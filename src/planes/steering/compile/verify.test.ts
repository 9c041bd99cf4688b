import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import type { RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Compiled, CompileInput, Dialect, Reading } from '../dialects/dialect.ts';
import { powerDnsDialect } from '../dialects/powerdns/dialect.ts';
import { route53Dialect } from '../dialects/route53/dialect.ts';
import { dialects } from '../dialects/table.ts';
import { Verifier } from './verify.ts';

/** Policies that differ in nothing but their names and their hosts, two hosts each. */
function alike(spec: object, count: number): readonly CompileInput[] {
  return Array.from({ length: count }, (_, index) => {
    const policy = policyOf(JSON.stringify({ ...spec, hosts: [`a${index}.example.net`, `b${index}.example.net`] }));
    const named: TrafficPolicy = { ...policy, metadata: { name: `site-${index}` } };
    return compileInputOf(named);
  });
}

const name = fc.constantFrom('x', 'y', 'z');
const weighted = fc.record({ name, weight: fc.integer({ min: 0, max: 3 }) });
const answer = {
  clusters: fc.uniqueArray(weighted, { minLength: 1, maxLength: 3, selector: (cluster) => cluster.name }),
  failover: fc.uniqueArray(name, { maxLength: 2 }),
};
const country = fc.constantFrom('FR', 'DE', 'US', 'JP');
const rule = fc.record({ countries: fc.uniqueArray(country, { minLength: 1 }), ...answer });
/** Policies of three clusters, so that many can be verified. */
const policySpec = fc.record({ rules: fc.array(rule, { maxLength: 3 }), default: fc.record(answer) });

type Part = readonly [CompileInput, Compiled];

/** The first host that is refused, verified with all others, and verified as if it were alone; undefined when none is. */
function refusedHosts(dialect: Dialect, parts: readonly Part[], records: readonly RecordSet[]) {
  const reading = dialect.interpret(records);
  const alone = parts.flatMap(([{ hosts, entries }, compiled]) =>
    hosts.flatMap((host) => refusedHost(() => new Verifier(reading).verify(compiled, [host], entries)) ?? []),
  );
  return { together: verifyTogether(reading, parts), alone: alone[0] };
}

function verifyTogether(reading: Reading, parts: readonly Part[]): string | undefined {
  const verifier = new Verifier(reading);
  return refusedHost(() => {
    for (const [{ hosts, entries }, compiled] of parts) verifier.verify(compiled, hosts, entries);
  });
}

function refusedHost(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return /^(\S+) /.exec(String(error).replace(/^\w+: /, ''))?.[1];
  }
}

/** One record, changed as a fault of ours or of a provider could change it; undefined for a record that is lost. */
type Fault = (record: RecordSet, others: readonly RecordSet[]) => RecordSet | undefined;

const recordFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant<Fault>(() => undefined),
  fc.nat(3).map(
    (weight): Fault =>
      (record) => ({ ...record, routing: { kind: 'weighted', weight } }),
  ),
  fc.constant<Fault>(({ healthCheck: _lost, ...record }) => record),
  fc.nat().map(
    (place): Fault =>
      (record, others) => ({ ...record, ...pick(others, place, 'healthCheck') }),
  ),
  fc.nat().map(
    (place): Fault =>
      (record, others) => ({ ...record, ...pick(others, place, 'target') }),
  ),
  fc.nat().map(
    (place): Fault =>
      (record, others) => ({ ...record, ...pick(others, place, 'routing') }),
  ),
);

/** One digit of a script replaced. */
const scriptFault: fc.Arbitrary<Fault> = fc.tuple(fc.nat(), fc.nat(9)).map(([place, digit]) => (record) => {
  if (record.target.kind !== 'values') return record;
  const [value = ''] = record.target.values;
  const digits = [...value.matchAll(/\d/g)].map(({ index }) => index);
  const at = digits[place % digits.length] ?? 0;
  return { ...record, target: { ...record.target, values: [`${value.slice(0, at)}${digit}${value.slice(at + 1)}`] } };
});

function pick(records: readonly RecordSet[], place: number, field: keyof RecordSet): Partial<RecordSet> {
  const value = records[place % records.length]?.[field];
  return value === undefined ? {} : { [field]: value };
}

describe('what is verified once for hosts that answer alike', () => {
  test.each([
    { dialect: route53Dialect, faults: recordFault },
    { dialect: powerDnsDialect, faults: scriptFault },
  ])('$dialect.title: a difference in one record is found for the same host as if it were verified alone', (given) => {
    let found = 0;
    fc.assert(
      fc.property(policySpec, given.faults, fc.nat(), (spec, fault, place) => {
        const parts = alike(spec, 2).map((input): Part => [input, given.dialect.compile(input)]);
        const records = parts.flatMap(([, compiled]) => compiled.records);
        const wrong = records.flatMap((record, index) =>
          index === place % records.length ? (fault(record, records) ?? []) : record,
        );
        const { together, alone } = refusedHosts(given.dialect, parts, wrong);
        expect(together).toBe(alone);
        if (alone !== undefined) found += 1;
      }),
      { numRuns: 60 },
    );
    expect(found).toBeGreaterThan(5);
  });

  test.each(Object.entries(dialects))('%s: fifty policies of two hosts are compared once', (_name, dialect) => {
    const clusters = { clusters: [{ name: 'x' }], failover: ['y', 'z'] };
    const parts = alike(
      { rules: [{ countries: ['FR'], ...clusters }], default: { clusters: [{ name: 'z' }] } },
      50,
    ).map((input) => [input, dialect.compile(input)] as const);
    const reading = dialect.interpret(parts.flatMap(([, { records }]) => records));
    let views = 0;
    const counting: Reading = {
      ...reading,
      view(...question) {
        views += 1;
        return reading.view(...question);
      },
    };
    expect(verifyTogether(counting, parts)).toBeUndefined();
    expect(views).toBe(2 ** 3);
  });
});
