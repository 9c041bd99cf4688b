import { describe, expect, it } from 'vitest';
import { applyBatch, type BatchContext } from './batch.ts';
import type { Change, RecordSet } from './record.ts';
import { RecordDraft, type RecordTable } from './table.ts';

const context: BatchContext = {
  zone: 'video.example.',
  zoneId: 'Z1',
  recordQuota: 10_000,
  danglingAliases: 'refused',
  healthCheckExists: (id) => id === 'check',
  cidrLocationExists: (id, location) => id === 'offices' && ['paris', '*'].includes(location),
};

function recordOf(part: Partial<RecordSet> = {}): RecordSet {
  return {
    name: 'www.video.example.',
    type: 'A',
    setIdentifier: undefined,
    routing: { kind: 'simple' },
    ttl: part.alias === undefined ? 60 : undefined,
    values: part.alias === undefined ? ['192.0.2.1'] : [],
    alias: undefined,
    healthCheckId: undefined,
    ...part,
  };
}

const create = (part?: Partial<RecordSet>): Change => ({ action: 'CREATE', record: recordOf(part) });
const remove = (part?: Partial<RecordSet>): Change => ({ action: 'DELETE', record: recordOf(part) });
const upsert = (part?: Partial<RecordSet>): Change => ({ action: 'UPSERT', record: recordOf(part) });
const geo = (country: string): Partial<RecordSet> => ({
  setIdentifier: country,
  routing: { kind: 'geolocation', location: { country } },
});
const alias = (name: string, hostedZoneId = 'Z1'): Partial<RecordSet> => ({
  alias: { hostedZoneId, name, evaluateTargetHealth: true },
});
const txt = (value: string): Partial<RecordSet> => ({ name: 'gen.video.example.', type: 'TXT', values: [value] });

function zoneWith(...changes: readonly Change[]): RecordTable {
  const result = applyBatch(new RecordDraft(), changes, context);
  if (!result.ok) throw new Error(result.messages.join());
  return result.table;
}

function refusal(zone: RecordTable, ...changes: readonly Change[]): readonly string[] {
  const before = zone.all();
  const result = applyBatch(zone, changes, context);
  expect(zone.all()).toEqual(before);
  return result.ok ? [] : result.messages;
}

const cidr = (collectionId: string, location: string, setIdentifier = location): Partial<RecordSet> => ({
  setIdentifier,
  routing: { kind: 'cidr', collectionId, location },
});

const empty = new RecordDraft();

it('a record of a CIDR collection names a location that is there, of the collection of its group, once, and stands with no other routing', () => {
  const zone = zoneWith(create(cidr('offices', 'paris')), create(cidr('offices', '*')));
  expect(refusal(zone, create(cidr('offices', 'paris', 'again'))).join()).toContain(
    'has the same CIDR location (paris)',
  );
  expect(refusal(zone, create(geo('FR'))).join()).toContain('a cidr set exists with the same name and type');
  expect(refusal(empty, create(cidr('offices', 'lyon'))).join()).toContain('No CIDR location lyon exists');
  expect(refusal(empty, create(cidr('others', '*'))).join()).toContain('in the CIDR collection others');
});

describe('CREATE, UPSERT and DELETE', () => {
  it('CREATE refuses what exists, UPSERT replaces it', () => {
    const zone = zoneWith(create());
    expect(refusal(zone, create({ values: ['192.0.2.2'] })).join()).toContain('but it already exists');
    const result = applyBatch(zone, [upsert({ values: ['192.0.2.2'] })], context);
    expect(result.ok && result.table.all().map((record) => record.values)).toEqual([['192.0.2.2']]);
  });

  it.each([
    ['other values', { values: ['192.0.2.2'] }, 'do not match the current values'],
    ['another TTL', { ttl: 61 }, 'do not match the current values'],
    ['fewer values', { values: ['192.0.2.1'] }, 'do not match the current values'],
    ['another name', { name: 'w.video.example.' }, 'was not found'],
  ])('DELETE refuses %s', (_, part, message) => {
    const zone = zoneWith(create({ values: ['192.0.2.1', '192.0.2.9'] }));
    expect(refusal(zone, remove(part)).join()).toContain(message);
  });

  it('DELETE does not mind the order of values', () => {
    const zone = zoneWith(create({ values: ['192.0.2.1', '192.0.2.9'] }));
    expect(refusal(zone, remove({ values: ['192.0.2.9', '192.0.2.1'] }))).toEqual([]);
  });

  it('is all or nothing', () => {
    const zone = zoneWith(create());
    expect(refusal(zone, create({ name: 'a.video.example.' }), create()).length).toBe(1);
    expect(zone.atName('a.video.example.')).toEqual([]);
  });

  it('lets one of two writers swap a generation record, the stale one fails', () => {
    const start = zoneWith(create(txt('"gen=1"')));
    const swap = (from: string, to: string) => [remove(txt(from)), create(txt(to))];
    const first = applyBatch(start, swap('"gen=1"', '"gen=2"'), context);
    if (!first.ok) throw new Error(first.messages.join());
    expect(refusal(first.table, ...swap('"gen=1"', '"gen=2b"')).join()).toContain('do not match the current values');
  });
});

describe('rules of one record', () => {
  it.each([
    ['outside the zone', create({ name: 'www.other.example.' }), 'is not permitted in zone'],
    ['a suffix that is no label', create({ name: 'evilvideo.example.' }), 'is not permitted in zone'],
    [
      'CNAME at the apex',
      create({ name: 'video.example.', type: 'CNAME', values: ['a.example.'] }),
      'not permitted at apex',
    ],
    ['two CNAME values', create({ type: 'CNAME', values: ['a.', 'b.'] }), 'only one value'],
    ['no address', create({ values: ['192.0.2.256'] }), 'not a valid IPv4 address'],
    ['an IPv6 address in an A record', create({ values: ['2001:db8::1'] }), 'not a valid IPv4 address'],
    ['the same value twice', create({ values: ['192.0.2.1', '192.0.2.1'] }), 'Duplicate Resource Record'],
    ['TXT without quotation marks', create(txt('gen=1')), 'enclosed in quotation marks'],
    ['TXT of more than 255 bytes in one string', create(txt(`"${'x'.repeat(256)}"`)), 'too long'],
    ['an unknown health check', create({ healthCheckId: 'nobody' }), 'No health check exists with ID: nobody'],
    ['SOA elsewhere', create({ type: 'SOA', values: ['a. b. 1 2 3 4 5'] }), 'only the zone itself'],
    ['401 values', create({ values: Array.from({ length: 401 }, (_, n) => `10.0.${n >> 8}.${n & 255}`) }), '400'],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(empty, change).join()).toContain(message);
  });

  it('takes a health check that exists', () => {
    expect(refusal(empty, create({ healthCheckId: 'check' }))).toEqual([]);
  });
});

describe('rules of a group', () => {
  it.each([
    ['CNAME beside A', [create(), create({ type: 'CNAME', values: ['a.example.'] })], 'conflicts with other records'],
    ['A beside CNAME', [create({ type: 'CNAME', values: ['a.example.'] }), create()], 'conflicts with other records'],
    ['geolocation beside simple', [create(), upsert(geo('FR'))], 'as a simple set exists'],
    [
      'weighted beside geolocation',
      [create(geo('FR')), create({ setIdentifier: 'w', routing: { kind: 'weighted', weight: 1 } })],
      'as a geolocation set exists',
    ],
    [
      'two records for one country',
      [create(geo('FR')), create({ ...geo('FR'), setIdentifier: 'again' })],
      'same geolocation',
    ],
    [
      'two primaries',
      ['a', 'b'].map((id) => create({ setIdentifier: id, routing: { kind: 'failover', role: 'PRIMARY' } })),
      'cannot be created as a PRIMARY failover set exists',
    ],
    [
      '101 records',
      Array.from({ length: 101 }, (_, n) =>
        create({ setIdentifier: `${n}`, routing: { kind: 'weighted', weight: 1 } }),
      ),
      'limit of 100 weighted records',
    ],
  ] as const)('refuses %s', (_, changes, message) => {
    expect(refusal(empty, ...changes).join()).toContain(message);
  });

  it('lets one batch replace a simple record by a geolocation group', () => {
    expect(refusal(zoneWith(create()), remove(), create(geo('FR')), create(geo('*')))).toEqual([]);
  });

  it('takes 100 geolocation records of one name', () => {
    const codes = Array.from({ length: 100 }, (_, n) => `${n}`);
    expect(refusal(empty, ...codes.map((code) => create(geo(code))))).toEqual([]);
  });
});

describe('aliases', () => {
  const leaf = create({ name: 'leaf.video.example.' });
  it.each([
    ['no target', [create(alias('leaf.video.example.'))], 'that target was not found'],
    ['a target that comes later in the batch', [create(alias('leaf.video.example.')), leaf], 'target was not found'],
    [
      'a target of another type',
      [leaf, create({ ...alias('leaf.video.example.'), type: 'AAAA' })],
      'type AAAA in zone Z1, but that target was not found',
    ],
    ['a target outside the zone', [create(alias('leaf.other.example.'))], 'does not lie within the target zone'],
    ['another zone', [leaf, create(alias('leaf.video.example.', 'Z2'))], 'only targets in the same hosted zone'],
    [
      'four levels',
      [
        leaf,
        create({ name: 'c.video.example.', ...alias('leaf.video.example.') }),
        create({ name: 'b.video.example.', ...alias('c.video.example.') }),
        create({ name: 'a.video.example.', ...alias('b.video.example.') }),
      ],
      'more than 3 levels',
    ],
    [
      'a circle',
      [
        create({ name: 'a.video.example.' }),
        create({ name: 'b.video.example.', ...alias('a.video.example.') }),
        upsert({ name: 'a.video.example.', ...alias('b.video.example.') }),
      ],
      'in a circle',
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(refusal(empty, ...changes).join()).toContain(message);
  });

  it('does not let a batch leave an alias without its target', () => {
    const zone = zoneWith(leaf, create(alias('leaf.video.example.')));
    expect(refusal(zone, remove({ name: 'leaf.video.example.' })).join()).toContain('which this batch deletes');
    const both = [remove(alias('leaf.video.example.')), remove({ name: 'leaf.video.example.' })];
    expect(refusal(zone, ...both)).toEqual([]);
  });
});

describe('size of a batch', () => {
  const many = (count: number, action: 'CREATE' | 'UPSERT', per = 1): readonly Change[] =>
    Array.from({ length: count }, (_, n) => ({
      action,
      record: recordOf({
        name: `n${n}.video.example.`,
        values: Array.from({ length: per }, (_unused, host) => `10.0.0.${host}`),
      }),
    }));
  it('takes 1000 values, not 1001', () => {
    expect(refusal(empty, ...many(100, 'CREATE', 10))).toEqual([]);
    expect(refusal(empty, ...many(100, 'CREATE', 10), create()).join()).toContain('limit of 1000 exceeded: 1001');
  });
  it('counts an UPSERT twice', () => {
    expect(refusal(empty, ...many(500, 'UPSERT'))).toEqual([]);
    expect(refusal(empty, ...many(501, 'UPSERT')).join()).toContain('limit of 1000 exceeded: 1002');
  });
  it('counts an alias as one', () => {
    const aliases = Array.from({ length: 1000 }, (_, n) => create({ name: `a${n}.video.example.`, ...alias('x.') }));
    expect(refusal(empty, create(), ...aliases).join()).toContain('limit of 1000 exceeded: 1001');
  });
  it('takes 32,000 characters of values', () => {
    const texts = Array.from({ length: 200 }, (_, n) =>
      create({ name: `t${n}.video.example.`, type: 'TXT', values: [`"${'x'.repeat(158)}"`] }),
    );
    expect(refusal(empty, ...texts)).toEqual([]);
    expect(refusal(empty, ...texts, create()).join()).toContain('limit of 32000 exceeded');
  });
});

describe('the apex', () => {
  const apex: readonly Change[] = [
    create({ name: 'video.example.', type: 'NS', values: ['ns-1.example.'] }),
    create({ name: 'video.example.', type: 'SOA', values: ['a. b. 1 2 3 4 5'] }),
  ];
  it('keeps its NS and SOA', () => {
    const zone = zoneWith(...apex);
    const messages = refusal(zone, ...apex.map((change): Change => ({ ...change, action: 'DELETE' })));
    expect(messages).toEqual([
      'A HostedZone must contain at least one NS record for the zone itself.',
      'A HostedZone must contain exactly one SOA record.',
    ]);
  });
});
