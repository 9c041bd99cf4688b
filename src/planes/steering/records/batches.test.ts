import { describe, expect, test } from 'vitest';
import { compileInputOf, policyOf } from '../../../../test/support/steering/policies.ts';
import { Interpreter } from '../../../answers/interpreter.ts';
import { formatRecord, groupKey, identityOf, type RecordSet } from '../../../answers/record.ts';
import { countries } from '../../../model/geo/countries.ts';
import { powerDnsDialect } from '../dialects/powerdns/dialect.ts';
import { route53Dialect } from '../dialects/route53/dialect.ts';
import { type Batch, batchesOf } from './batches.ts';
import { sizeOf } from './change.ts';
import { changesOf, type WantedZone } from './changes.ts';
import { hostRecord } from './host-records.ts';
import { registryName, registryOf } from './registry.ts';

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
    expect(second).toHaveLength(two.records.length + 2);
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
      expect(finished).toHaveLength(two.records.length + 2);
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
  expect(() => planned(one, [], 4)).toThrow('BatchTooLarge');
});

describe('more hosts than one record can list, or one batch can hold', () => {
  const long = (count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => `${'long-'.repeat(12)}${String(n + from).padStart(4, '0')}.example.net`);
  const wantedHosts = (hosts: readonly string[], value = '192.0.2.1'): WantedZone => ({
    zone,
    hosts,
    records: hosts.map(
      (name): RecordSet => ({ name, type: 'A', target: { kind: 'values', ttlSeconds: 60, values: [value] } }),
    ),
  });
  const fits = (batch: Batch): boolean => {
    const { elements, characters } = sizeOf(batch.changes.map(({ record }) => record));
    return elements <= 1000 && characters <= 32_000;
  };
  const hostsIn = (records: readonly RecordSet[]) => registryOf(zone, records).hosts;

  test.each([250, 1000])(
    '%i hosts of long names are written in several batches, of which any may be the last',
    (count) => {
      const wanted = wantedHosts(long(count));
      const batches = planned(wanted, []);
      expect(batches.length).toBe(count === 250 ? 1 : 3);
      expect(batches.every(fits)).toBe(true);
      const whole = batches.reduce(applyTo, [] as readonly RecordSet[]);
      expect(hostsIn(whole)).toEqual(wanted.hosts);
      expect(planned(wanted, whole)).toEqual([]);
      const changed = wantedHosts(long(count), '192.0.2.2');
      let records = whole;
      for (const batch of planned(changed, whole)) {
        expect(fits(batch)).toBe(true);
        records = applyTo(records, batch);
        expect(hostsIn(records)).toEqual(wanted.hosts);
        const finished = planned(changed, records).reduce(applyTo, records);
        expect(planned(changed, finished)).toEqual([]);
        expect(finished).toHaveLength(whole.length);
      }
      expect(planned(changed, records)).toEqual([]);
    },
  );

  /** A zone as a release wrote it that listed hosts in the generation record. */
  const earlier = (hosts: readonly string[]): readonly RecordSet[] => {
    const { records } = wantedHosts(hosts);
    const values = ['"tideline v=1 generation=7 digest=unfinished"', ...hosts.map((host) => `"host=${host}"`)];
    return [...records, { name: registryName(zone), type: 'TXT', target: { kind: 'values', ttlSeconds: 60, values } }];
  };

  test('hosts that an earlier release listed get their records in the first batch, and no answer changes in it', () => {
    const hosts = long(180);
    const before = earlier(hosts);
    expect(hostsIn(before)).toEqual(hosts);
    const more = wantedHosts(long(400), '192.0.2.2');
    const [first, ...others] = planned(more, before);
    if (first === undefined) throw new Error('no batch');
    expect([others.length > 0, [first, ...others].every(fits)]).toEqual([true, true]);
    const [now, then] = [applyTo(before, first), [first, ...others].reduce(applyTo, before)];
    expect(registryOf(zone, now)).toMatchObject({ generation: 8, listed: [] });
    expect(hosts.every((host) => hostsIn(now).includes(host))).toBe(true);
    expect([hostsIn(then), planned(more, then)]).toEqual([more.hosts, []]);
  });

  test.each([0, 100])(
    'of hosts that an earlier release listed, all but %i leave, with a stop after any batch',
    (left) => {
      const before = earlier(long(180));
      const wanted = wantedHosts(long(left));
      const batches = planned(wanted, before);
      for (let done = 0; done <= batches.length; done += 1) {
        const stopped = batches.slice(0, done).reduce(applyTo, before);
        const finished = planned(wanted, stopped).reduce(applyTo, stopped);
        expect([hostsIn(finished), planned(wanted, finished)]).toEqual([wanted.hosts, []]);
        expect(finished).toHaveLength(2 * left + 1);
      }
    },
  );

  test('a zone of an earlier release to which nothing is to do stays as it is', () => {
    const before = planned(wantedHosts(long(3)), []).reduce(applyTo, [] as readonly RecordSet[]);
    const digest = registryOf(zone, before).digest;
    const records = earlier(long(3)).map(
      (record): RecordSet =>
        record.target.kind === 'values'
          ? {
              ...record,
              target: {
                ...record.target,
                values: record.target.values.map((one) => one.replace('unfinished', digest)),
              },
            }
          : record,
    );
    expect(planned(wantedHosts(long(3)), records)).toEqual([]);
  });

  test('a record at the name of a host record that says something else makes way', () => {
    const [host = ''] = long(1);
    const wrong: RecordSet = { ...hostRecord(zone, host), target: { kind: 'values', ttlSeconds: 60, values: ['"x"'] } };
    const wanted = wantedHosts([host]);
    expect(hostsIn(planned(wanted, [wrong]).reduce(applyTo, [wrong] as readonly RecordSet[]))).toEqual([host]);
  });
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
