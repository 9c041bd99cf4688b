import { describe, expect, test } from 'vitest';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { Interpreter } from '../../../answers/interpreter.ts';
import { formatRecord, groupKey, identityOf, type RecordSet } from '../../../answers/record.ts';
import { countries } from '../../../model/geo/countries.ts';
import { powerDnsDialect } from '../dialects/powerdns/dialect.ts';
import { route53Dialect } from '../dialects/route53/dialect.ts';
import { type Batch, batchesOf, sizeOf } from './batches.ts';
import { changesOf, type WantedZone } from './changes.ts';

const zone = 'example.net';
const host = 'www.example.net';

function wantedOf(yaml: string, hosts: readonly string[] = [host]): WantedZone {
  const input = { ...compileInputOf(policyOf(yaml)), hosts };
  return { zone, records: route53Dialect.compile(input).records, hosts };
}

/** Applies a batch as an atomic provider does; throws where Route 53 would refuse. */
function applyTo(records: readonly RecordSet[], batch: Batch): readonly RecordSet[] {
  const now = new Map(records.map((record) => [identityOf(record), record]));
  for (const { action, record } of batch.changes) {
    const id = identityOf(record);
    const current = now.get(id);
    if (action === 'DELETE') {
      if (current === undefined || formatRecord(current) !== formatRecord(record)) throw new Error(`no such ${id}`);
      now.delete(id);
    } else {
      if (current !== undefined) throw new Error(`exists: ${id}`);
      const { target } = record;
      const leads = target.kind === 'alias' ? `${target.name} ${record.type}` : undefined;
      if (leads !== undefined && ![...now.values()].some((other) => groupKey(other) === leads))
        throw new Error(`no ${leads}`);
      now.set(id, record);
    }
  }
  const left = [...now.values()];
  for (const { target, type } of left) {
    if (target.kind === 'alias' && !left.some((other) => groupKey(other) === `${target.name} ${type}`)) {
      throw new Error(`dangling ${target.name}`);
    }
  }
  return left;
}

const planned = (wanted: WantedZone, records: readonly RecordSet[], elements = 1000): readonly Batch[] =>
  batchesOf(wanted, changesOf(wanted, records, route53Dialect), {
    ...route53Dialect.limits,
    batch: { ...route53Dialect.limits.batch, elements },
  });

const one = wantedOf(
  'rules: [{ countries: [FR], clusters: [{ name: a }] }]\ndefault: { clusters: [{ name: b }], failover: [c] }',
);
const two = wantedOf(
  'rules: [{ countries: [FR, DE], clusters: [{ name: b }] }]\ndefault: { clusters: [{ name: c }], failover: [a] }',
);

describe('from one policy to another', () => {
  test('one batch is enough, counts the generation and leaves nothing of the old policy; the next plan is empty', () => {
    const first = planned(one, []).reduce(applyTo, [] as readonly RecordSet[]);
    const batches = planned(two, first);
    expect(batches).toHaveLength(1);
    const second = batches.reduce(applyTo, first);
    expect(planned(two, second)).toEqual([]);
    expect(second.map(formatRecord).filter((text) => text.includes('tideline v='))).toEqual([
      expect.stringContaining('generation=2'),
    ]);
    expect(second).toHaveLength(two.records.length + 1);
  });

  test.each([12, 18, 22])('in batches of %i elements no host is ever without a whole answer', (elements) => {
    let records = planned(one, [], elements).reduce(applyTo, [] as readonly RecordSet[]);
    const batches = planned(two, records, elements);
    expect(batches.length).toBeGreaterThan(1);
    for (const batch of batches) {
      expect(sizeOf(batch.changes.map(({ record }) => record)).elements).toBeLessThanOrEqual(elements);
      records = applyTo(records, batch);
      for (const country of ['FR', 'DE', 'JP', undefined]) {
        const view = new Interpreter(records).query({ name: host, type: 'A' }, () => true);
        expect(view.answer(country).size).toBe(1);
      }
    }
    expect(planned(two, records, elements)).toEqual([]);
  });

  test('when the work stops after any batch, the next plan finishes it', () => {
    const first = planned(one, []).reduce(applyTo, [] as readonly RecordSet[]);
    const batches = planned(two, first, 12);
    for (let done = 0; done <= batches.length; done += 1) {
      const stopped = batches.slice(0, done).reduce(applyTo, first);
      const finished = planned(two, stopped, 12).reduce(applyTo, stopped);
      expect(planned(two, finished, 12)).toEqual([]);
      expect(finished).toHaveLength(two.records.length + 1);
    }
  });

  test('a plan from an older generation does not apply', () => {
    const first = planned(one, []).reduce(applyTo, [] as readonly RecordSet[]);
    const stale = planned(two, first);
    const moved = planned(wantedOf('default: { clusters: [{ name: a }] }'), first).reduce(applyTo, first);
    expect(() => stale.reduce(applyTo, moved)).toThrow('no such _tideline.example.net TXT');
    expect(() => planned(one, []).reduce(applyTo, first)).toThrow('exists: _tideline.example.net TXT');
  });
});

test('only the host that no policy names any more loses its records', () => {
  const both = wantedOf('default: { clusters: [{ name: a }] }', [host, 'api.example.net']);
  const first = planned(both, []).reduce(applyTo, [] as readonly RecordSet[]);
  const left = planned(wantedOf('default: { clusters: [{ name: a }] }'), first).reduce(applyTo, first);
  expect(left.some(({ name }) => name === 'api.example.net')).toBe(false);
  expect(left.some(({ name }) => name === host)).toBe(true);
});

test('records of others are neither compared nor touched', () => {
  const foreign: RecordSet = {
    name: 'mail.example.net',
    type: 'A',
    target: { kind: 'values', ttlSeconds: 60, values: ['192.0.2.9'] },
  };
  const [batch] = planned(one, [foreign]);
  expect(batch?.changes.some(({ record }) => record.name === foreign.name)).toBe(false);
  expect(() => planned(one, [{ ...foreign, name: '_tideline.example.net', type: 'TXT' }])).toThrow(
    'UnreadableRegistry',
  );
});

test('a record that somebody changed by hand gets a notice and is put back', () => {
  const first = planned(one, []).reduce(applyTo, [] as readonly RecordSet[]);
  const touched = first.map((record): RecordSet => {
    const { routing } = record;
    return routing?.kind === 'weighted' && routing.weight > 0
      ? { ...record, routing: { ...routing, weight: 7 } }
      : record;
  });
  expect(changesOf(one, touched, route53Dialect).notices.map(({ reason }) => reason)).toEqual(['Drift']);
  expect(planned(one, planned(one, touched).reduce(applyTo, touched))).toEqual([]);
});

test('a host that does not fit in one batch is refused', () => {
  expect(() => planned(one, [], 5)).toThrow('BatchTooLarge');
});

test('more hosts than a generation record holds are refused by name, not by the provider', () => {
  const many = Array.from({ length: 400 }, (_, n) => `h${n}.example.net`);
  const records = many.map(
    (name): RecordSet => ({ name, type: 'A', target: { kind: 'values', ttlSeconds: 60, values: ['192.0.2.1'] } }),
  );
  expect(() => planned({ zone, records, hosts: many }, [])).toThrow(/400 hosts.*399.*\(TooManyRecords\)/);
  expect(() => planned({ zone, records: records.slice(1), hosts: many.slice(1) }, [])).not.toThrow();
});

test('hosts whose names leave no room in a batch are refused as such, not by the name of one of them', () => {
  const many = Array.from({ length: 250 }, (_, n) => `${'long-'.repeat(12)}${n}.example.net`);
  const records = many.map(
    (name): RecordSet => ({ name, type: 'A', target: { kind: 'values', ttlSeconds: 60, values: ['192.0.2.1'] } }),
  );
  expect(() => planned({ zone, records, hosts: many }, [])).toThrow(
    /^the generation record _tideline\.example\.net lists 250 hosts;.* \d{5} characters .*32000.*\(BatchTooLarge\)$/,
  );
});

describe('PowerDNS, where only what is written takes of a request', () => {
  const limits = powerDnsDialect.limits;
  /** Every country has an order of clusters of its own. */
  const ofCountries = (count: number, clusters: number, first: number) => {
    const rules = countries.slice(0, count).map(({ code }, index) => {
      const names = Array.from({ length: clusters }, (_, place) => `cluster-${(index * 7 + place + first) % 20}`);
      const mix = [{ name: names[0], weight: index + 1 }, { name: names[1] }];
      return { countries: [code], clusters: mix, failover: names.slice(2) };
    });
    const policy = policyOf(JSON.stringify({ rules, default: { clusters: [{ name: 'cluster-0' }] } }));
    return powerDnsDialect.compile(compileInputOf(policy)).records;
  };
  const lengthOf = ([record]: readonly RecordSet[]): number =>
    record?.target.kind === 'values' ? (record.target.values[0]?.length ?? 0) : 0;

  test('a policy with 110 countries of their own can be changed as it can be created', () => {
    const wantedZone = (first: number): WantedZone => ({ zone, records: ofCountries(110, 9, first), hosts: [host] });
    const length = lengthOf(wantedZone(0).records);
    expect(length).toBeGreaterThan(route53Dialect.limits.batch.characters / 2);
    expect(length).toBeLessThan(limits.valueCharacters);
    const batches = (wanted: WantedZone, now: readonly RecordSet[]): readonly Batch[] =>
      batchesOf(wanted, changesOf(wanted, now, powerDnsDialect), limits);
    const created = batches(wantedZone(0), []).reduce(applyTo, [] as readonly RecordSet[]);
    const changed = batches(wantedZone(1), created);
    expect(changed).toHaveLength(1);
    expect(batches(wantedZone(1), changed.reduce(applyTo, created))).toEqual([]);
  });
});
