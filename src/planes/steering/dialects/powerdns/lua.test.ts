import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clusterAddresses,
  drainedClusters,
  policySpec,
  policySpecWithNetworks,
  someNetworks,
} from '../../../../../test/support/steering/arbitrary.ts';
import { verify } from '../../../../../test/support/steering/plans.ts';
import { compileInputOf, policyOf } from '../../../../../test/support/steering/policies.ts';
import { formatTiers, preferenceOf } from '../../../../answers/answers.ts';
import type { RecordSet } from '../../../../answers/record.ts';
import { countries } from '../../../../model/geo/countries.ts';
import { powerDnsDialect } from './dialect.ts';
import { isOurScript } from './lua.ts';
import { Program } from './program.ts';

const codes = countries.map(({ code }) => code);
const valuesOf = (record: RecordSet | undefined): readonly string[] =>
  record?.target.kind === 'values' ? record.target.values : [];

describe('any policy', () => {
  test('is read back from its LUA record unchanged', () => {
    fc.assert(
      fc.property(policySpec, drainedClusters, (generated, drained) => {
        const input = compileInputOf(policyOf(JSON.stringify(generated)), { drained });
        const [record] = powerDnsDialect.compile(input).records;
        const program = Program.parse(valuesOf(record)[0] ?? '');
        for (const code of [...codes, undefined]) {
          expect(formatTiers(program?.tiersOf(code) ?? [])).toBe(formatTiers(preferenceOf(input.answers, code).tiers));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('gives scripts that answer exactly as promised', () => {
    fc.assert(
      fc.property(policySpec, clusterAddresses, drainedClusters, (generated, addresses, drained) => {
        const input = compileInputOf(policyOf(JSON.stringify(generated)), { addresses, drained });
        const compiled = powerDnsDialect.compile(input);
        expect(verify(powerDnsDialect, compiled, input.hosts, input.entries).countries).toBe(247);
      }),
      { numRuns: 20 },
    );
  });
});

describe('networks', () => {
  test('are read back from the LUA record, beside countries, and answer exactly as promised', () => {
    fc.assert(
      fc.property(policySpecWithNetworks, clusterAddresses, drainedClusters, (generated, addresses, drained) => {
        const input = compileInputOf(policyOf(JSON.stringify(generated)), { addresses, drained });
        const compiled = powerDnsDialect.compile(input);
        const [value = ''] = valuesOf(compiled.records[0]);
        const program = Program.parse(value);
        const named = someNetworks.filter((network) => input.answers.byCountry.has(network)).sort();
        expect(program?.networks).toEqual(named);
        expect(isOurScript(value)).toBe(true);
        for (const place of [...codes, ...named, undefined])
          expect(formatTiers(program?.tiersOf(place) ?? [])).toBe(
            formatTiers(preferenceOf(input.answers, place).tiers),
          );
        const { countries: places } = verify(powerDnsDialect, compiled, input.hosts, input.entries);
        expect(places).toBe(247 + named.length);
      }),
      { numRuns: 40 },
    );
  });

  const input = compileInputOf(
    policyOf(
      `rules:
  - { countries: [FR], networks: [198.51.100.0/24], clusters: [{ name: a }], failover: [b] }
  - { networks: ["2001:db8::/32", 203.0.112.0/22], clusters: [{ name: b }] }
default: { clusters: [{ name: b }], failover: [c] }`,
    ),
  );
  const compiled = powerDnsDialect.compile(input);
  const valueWith = (change: (value: string) => string) => change(valuesOf(compiled.records[0])[0] ?? '');

  test('that somebody took out of the script, or moved to another group, are found', () => {
    const verifyWith = (change: (value: string) => string) => {
      const records = compiled.records.map(
        (record): RecordSet => ({
          ...record,
          target: { kind: 'values', ttlSeconds: 30, values: [valueWith(change)] },
        }),
      );
      return verify(powerDnsDialect, { ...compiled, records }, input.hosts, input.entries);
    };
    expect(verifyWith((value) => value).countries).toBe(250);
    expect(() => verifyWith((value) => value.replace("'198.51.100.0/24',", "'198.51.101.0/24',"))).toThrow(
      /for 198.51.100.0\/24 with \[\] failed: wanted a, the records give b/,
    );
    expect(() => verifyWith((value) => value.replace('[1]={', '[0]={'))).toThrow(/PlanDisagrees|wanted/);
  });

  test('change nothing in a script of a policy without them, and no other code is taken for ours', () => {
    const without = powerDnsDialect.compile(compileInputOf(policyOf('default: { clusters: [{ name: b }] }')));
    expect(valuesOf(without.records[0])[0]).not.toMatch(/netmask|local n=/);
    expect(isOurScript(valueWith((value) => value))).toBe(true);
    expect(isOurScript(valueWith((value) => value.replace('netmask(v)', 'true')))).toBe(false);
    expect(isOurScript(valueWith((value) => value.replace("'198.51.100.0/24'", '(f())')))).toBe(false);
  });
});

describe('a changed script is refused with the place of the fault', () => {
  const input = compileInputOf(
    policyOf(
      'rules: [{ countries: [FR, DO], clusters: [{ name: a }], failover: [b] }]\ndefault: { clusters: [{ name: b }] }',
    ),
  );
  const compiled = powerDnsDialect.compile(input);
  const verifyWith = (change: (value: string) => string) => {
    const records = compiled.records.map(
      (record): RecordSet => ({
        ...record,
        target: { kind: 'values', ttlSeconds: 30, values: valuesOf(record).map(change) },
      }),
    );
    return verify(powerDnsDialect, { ...compiled, records }, input.hosts, input.entries);
  };

  test('the unchanged script is accepted', () =>
    expect(verifyWith((value) => value)).toEqual({ countries: 247, failureSets: 4 }));

  test('a table that is no table of ours makes the script an unknown one', () => {
    expect(() => verifyWith((value) => value.replace("{'a',1},", "{'a',01},"))).toThrow(
      'the records give an unknown script',
    );
    expect(() => verifyWith((value) => value.replace("{'a',1},", "{'a'},"))).toThrow(
      'the records give an unknown script',
    );
  });

  test.each([
    ['a country is missing', '_do=1,', '', /for DO with \[\] failed: wanted a, the records give b/],
    ['a country has another group', '_fr=1,', '_fr=0,', /for FR with \[\] failed: wanted a, the records give b/],
    ['the second choice is another one', "{'a',1},", "{'b',1},", /with \[b\] failed: wanted a, the records give b/],
    ['an address is another one', "'192.0.2.1',", "'192.0.2.9',", /wanted a, the records give 192\.0\.2\.9/],
    ['a cluster has no address', "'192.0.2.1',", '', /wanted a, the records give b/],
    ['the code is not ours', ';local m={', 'local m={', /the records give an unknown script/],
  ])('%s', (_what, from, to, message) => {
    expect(() => verifyWith((value) => value.replace(from, to))).toThrow(message);
    expect(() => verifyWith((value) => value.replace(from, to))).toThrow('PlanDisagrees');
  });
});

test('a record of somebody else is read too: plain addresses as they are, another script as unknown', () => {
  const answerOf = (type: string, values: readonly string[]) => {
    const record: RecordSet = { name: 'x.example', type, target: { kind: 'values', ttlSeconds: 60, values } };
    const reading = powerDnsDialect.interpret([record]);
    return Object.fromEntries(reading.view('x.example', 'A', []).answer('FR'));
  };
  expect(answerOf('A', ['192.0.2.1', '192.0.2.2'])).toEqual({ '192.0.2.1': 0.5, '192.0.2.2': 0.5 });
  expect(answerOf('LUA', [`A "pickrandom({'192.0.2.66'})"`])).toEqual({ 'an unknown script': 1 });
});

test('what PowerDNS does otherwise than Route 53 about health is said', () => {
  const policy = policyOf('default: { clusters: [{ name: a }] }');
  const { notices } = powerDnsDialect.compile(compileInputOf(policy));
  expect(notices.map(({ reason }) => reason)).toEqual(['HealthIntervalOfServer', 'OnlyStatusOkHealthy']);
});

test('no address anywhere is refused', () => {
  const policy = policyOf('default: { clusters: [{ name: a }] }');
  expect(() => powerDnsDialect.compile(compileInputOf(policy, { addresses: { a: [] } }))).toThrow('NoAddress');
});

test('a text that is searched for is part of the script, and of nothing that decides answers', () => {
  const input = compileInputOf(policyOf('default: { clusters: [{ name: a }], failover: [b] }'));
  const text = `"state":"healthy" ${'(\'}{,\\") '.repeat(20)}`;
  const searching = {
    ...input,
    entries: input.entries.map((entry) =>
      entry.cluster === 'a'
        ? { ...entry, checks: entry.checks.map((check) => ({ ...check, searchString: text })) }
        : entry,
    ),
  };
  const [plain = '', searched = ''] = [input, searching].map(
    (one) => valuesOf(powerDnsDialect.compile(one).records[0])[0],
  );
  expect(isOurScript(plain)).toBe(true);
  expect(isOurScript(searched)).toBe(true);
  expect(isOurScript(searched.replace('stringmatch=x[k]', ''))).toBe(false);
  expect(plain).not.toContain('stringmatch');
  expect(Program.parse(searched)?.id).toBe(Program.parse(plain)?.id);
  for (const [, part = ''] of searched.matchAll(/"([^"]*)"/g)) expect(part.length).toBeLessThanOrEqual(255);
  const { countries } = verify(powerDnsDialect, powerDnsDialect.compile(searching), input.hosts, searching.entries);
  expect(countries).toBe(247);
});

test('a policy that names states is refused, because the server tells countries apart only', () => {
  const policy = policyOf(
    'rules: [{ countries: [US-CA, US], clusters: [{ name: a }] }]\ndefault: { clusters: [{ name: a }] }',
  );
  const refused = () => powerDnsDialect.compile(compileInputOf(policy));
  expect(refused).toThrow('policy site names US-CA, and PowerDNS tells countries apart, not states');
  expect(refused).toThrow('StatesUnknown');
});
