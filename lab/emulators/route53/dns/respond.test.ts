import { type Answer, decode, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import type { RecordSet } from '../zone/record.ts';
import { Zones } from '../zone/zones.ts';
import { parseClientSubnet } from './edns.ts';
import { type ResponderOptions, respond } from './respond.ts';

function recordOf(part: Partial<RecordSet>): RecordSet {
  return {
    name: 'www.video.example.',
    type: 'A',
    setIdentifier: undefined,
    routing: { kind: 'simple' },
    ttl: 30,
    values: ['192.0.2.1'],
    alias: undefined,
    healthCheckId: undefined,
    ...part,
  };
}

const geo = (country: string, value: string): Partial<RecordSet> => ({
  setIdentifier: country,
  routing: { kind: 'geolocation', location: { country } },
  values: [value],
});

const clock = new FakeClock();
const zones = new Zones({
  clock,
  recordQuota: 10_000,
  zoneQuota: 500,
  danglingAliases: 'refused',
  insyncDelayMs: 0,
  newId: (letter) => `${letter}1`,
});
const { zone } = zones.create('video.example.', 'test');
const draft = zone.table.copy();
for (const part of [
  geo('FR', '192.0.2.10'),
  geo('*', '203.0.113.10'),
  { name: 'plain.video.example.' },
  { name: 'no-default.video.example.', ...geo('FR', '192.0.2.10') },
  { name: 'alias.video.example.', type: 'CNAME', values: ['plain.video.example.'] },
  { name: 'out.video.example.', type: 'CNAME', values: ['elsewhere.example.'] },
  { name: 'text.video.example.', type: 'TXT', values: ['"one" "two"'] },
  { name: 'deep.tree.video.example.' },
  { name: '\\052.wild.video.example.', values: ['192.0.2.77'] },
  { name: 'sub.video.example.', type: 'NS', values: ['ns.elsewhere.example.'] },
  { name: 'big.video.example.', values: Array.from({ length: 100 }, (_, n) => `10.0.0.${n}`) },
] satisfies readonly Partial<RecordSet>[])
  draft.put(recordOf(part));
zones.commit(zone.id, draft, undefined);
await clock.advance(1);

const options: ResponderOptions = {
  zoneOf: (name) => zones.zoneOf(name),
  locationOf: () => undefined,
  placeOf: (address) => {
    if (address.startsWith('176.128.')) return { country: 'FR', continent: 'EU' };
    return { country: undefined, continent: undefined };
  },
  isHealthy: () => true,
  random: () => 0,
};

interface Asked {
  readonly subnet?: readonly [address: string, length: number];
  readonly edns?: boolean;
  readonly source?: string;
  readonly size?: number;
  readonly transport?: 'udp' | 'tcp';
}

function ask(name: string, type = 'A', asked: Asked = {}) {
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: asked.size ?? 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options:
      asked.subnet === undefined
        ? []
        : [{ code: 8, family: 1, ip: asked.subnet[0], sourcePrefixLength: asked.subnet[1], scopePrefixLength: 0 }],
  };
  const query: Packet = {
    type: 'query',
    id: 77,
    flags: 256,
    questions: [{ name, type: type as 'A', class: 'IN' }],
    additionals: asked.subnet !== undefined || asked.edns === true ? [opt] : [],
  };
  const wire = respond(encode(query), asked.source ?? '127.0.0.1', asked.transport ?? 'udp', options);
  if (wire === undefined) throw new Error('no response');
  const response = decode(wire);
  expect(response.id).toBe(77);
  return {
    rcode: String(Reflect.get(response, 'rcode')),
    aa: response.flag_aa,
    tc: response.flag_tc,
    data: (response.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined)),
    names: (response.answers ?? []).map((answer) => answer.name),
    ttls: (response.answers ?? []).map((answer) => ('ttl' in answer ? answer.ttl : undefined)),
    authorities: (response.authorities ?? []).map((answer) => `${answer.name} ${answer.type}`),
    scope: scopeOf(response),
    size: wire.length,
  };
}

function scopeOf(packet: Packet): number | undefined {
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  const option = opt?.type === 'OPT' ? opt.options.find(({ code }) => code === 8) : undefined;
  return option !== undefined && 'scopePrefixLength' in option ? option.scopePrefixLength : undefined;
}

describe('answers by place', () => {
  it('takes the client subnet, and says that the answer is for it only', () => {
    const answer = ask('www.video.example', 'A', { subnet: ['176.128.1.0', 24], source: '127.0.0.1' });
    expect(answer).toMatchObject({ data: ['192.0.2.10'], scope: 24, aa: true, ttls: [30] });
  });
  it('takes the resolver when there is no subnet', () => {
    expect(ask('www.video.example', 'A', { source: '176.128.0.1' }).data).toEqual(['192.0.2.10']);
    expect(ask('www.video.example', 'A', { source: '198.51.100.1' }).data).toEqual(['203.0.113.10']);
  });
  it('takes the resolver when the client does not want to be located', () => {
    const answer = ask('www.video.example', 'A', { subnet: ['0.0.0.0', 0], source: '176.128.0.1' });
    expect(answer).toMatchObject({ data: ['192.0.2.10'], scope: 0 });
  });
  it('prefers the subnet to the resolver', () => {
    const answer = ask('www.video.example', 'A', { subnet: ['198.51.100.0', 24], source: '176.128.0.1' });
    expect(answer.data).toEqual(['203.0.113.10']);
  });
  it('answers that are the same everywhere have scope 0', () => {
    expect(ask('plain.video.example', 'A', { subnet: ['176.128.1.0', 24] }).scope).toBe(0);
  });
  it('has no data for a place without record', () => {
    const answer = ask('no-default.video.example', 'A', { subnet: ['198.51.100.0', 24] });
    expect(answer).toMatchObject({ rcode: 'NOERROR', data: [], authorities: ['video.example SOA'], scope: 24 });
  });
});

describe('answers as every name server gives', () => {
  it.each([
    ['plain.video.example', 'AAAA', 'NOERROR'],
    ['plain.video.example', 'HTTPS', 'NOERROR'],
    ['tree.video.example', 'A', 'NOERROR'],
    ['wild.video.example', 'A', 'NOERROR'],
    ['nobody.video.example', 'A', 'NXDOMAIN'],
    ['x.plain.video.example', 'A', 'NXDOMAIN'],
    ['odd~name.video.example', 'A', 'NXDOMAIN'],
  ])('%s %s: %s with the SOA', (name, type, rcode) => {
    expect(ask(name, type)).toMatchObject({ rcode, data: [], authorities: ['video.example SOA'], aa: true });
  });

  it('gives the letters back as they came', () => {
    expect(ask('pLaIn.VIDEO.example')).toMatchObject({ names: ['pLaIn.VIDEO.example'], data: ['192.0.2.1'] });
  });

  it('follows a CNAME inside the zone and leaves one that leads out', () => {
    expect(ask('alias.video.example').data).toEqual(['plain.video.example', '192.0.2.1']);
    expect(ask('alias.video.example', 'CNAME').data).toEqual(['plain.video.example']);
    expect(ask('out.video.example').data).toEqual(['elsewhere.example']);
  });

  it('answers TXT, NS and SOA', () => {
    expect(ask('text.video.example', 'TXT').data).toEqual([[Buffer.from('one'), Buffer.from('two')]]);
    expect(ask('video.example', 'NS').data).toHaveLength(4);
    expect(ask('video.example', 'SOA').data).toMatchObject([{ serial: 1, minimum: 86_400 }]);
  });

  it('answers from a wildcard below its closest encloser', () => {
    expect(ask('a.b.wild.video.example')).toMatchObject({ data: ['192.0.2.77'], names: ['a.b.wild.video.example'] });
  });

  it('refers to the servers of a delegated subdomain', () => {
    expect(ask('www.sub.video.example')).toMatchObject({ aa: false, data: [], authorities: ['sub.video.example NS'] });
  });

  it.each([
    ['www.other.example', 'A', 'REFUSED'],
    ['example', 'A', 'REFUSED'],
    ['.', 'NS', 'REFUSED'],
    ['video.example', 'AXFR', 'REFUSED'],
    ['video.example', 'ANY', 'NOTIMP'],
  ])('%s %s: %s', (name, type, rcode) => {
    expect(ask(name, type)).toMatchObject({ rcode, data: [], authorities: [], aa: false });
  });

  it('truncates what does not fit and gives it whole over TCP', () => {
    expect(ask('big.video.example')).toMatchObject({ tc: true, data: [] });
    expect(ask('big.video.example', 'A', { edns: true, size: 65_535 })).toMatchObject({ tc: true, data: [] });
    const whole = ask('big.video.example', 'A', { transport: 'tcp' });
    expect(whole.tc).toBe(false);
    expect(whole.data).toHaveLength(100);
  });
});

describe('hostile messages', () => {
  const query = encode({ type: 'query', id: 9, questions: [{ name: 'www.video.example', type: 'A' }] });
  const answerTo = (message: Buffer) => respond(message, '127.0.0.1', 'udp', options);
  const rcodeOf = (message: Buffer) => (answerTo(message)?.readUInt8(3) ?? 99) & 0xf;

  it('ignores fragments and answers', () => {
    expect(answerTo(Buffer.alloc(0))).toBeUndefined();
    expect(answerTo(query.subarray(0, 11))).toBeUndefined();
    expect(answerTo(encode({ type: 'response', id: 9, questions: [] }))).toBeUndefined();
  });

  it.each([
    ['a cut question', query.subarray(0, 20)],
    ['no question', encode({ type: 'query', id: 9, questions: [] })],
    ['two questions', encode({ type: 'query', questions: [1, 2].map(() => ({ name: 'a.', type: 'A' })) })],
    ['a pointer to itself', Buffer.concat([query.subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])])],
    [
      'a dot inside a label',
      Buffer.concat([query.subarray(0, 12), Buffer.from('\x03a.b\x00\x00\x01\x00\x01', 'latin1')]),
    ],
    ['no UTF-8', Buffer.concat([query.subarray(0, 12), Buffer.from('\x02\xff\xfe\x00\x00\x01\x00\x01', 'latin1')])],
  ])('%s: FORMERR', (_, message) => {
    expect(rcodeOf(message)).toBe(1);
  });

  it('other opcodes: NOTIMP', () => {
    const notify = Buffer.from(query);
    notify.writeUInt8(0x20, 2);
    expect(rcodeOf(notify)).toBe(4);
  });

  it('an EDNS version of the future: BADVERS', () => {
    const opt: Answer = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: 1,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const answer = answerTo(encode({ type: 'query', questions: [{ name: 'a.', type: 'A' }], additionals: [opt] }));
    expect(decode(answer ?? Buffer.alloc(0)).additionals).toMatchObject([{ extendedRcode: 1, ednsVersion: 0 }]);
  });

  it.each([
    ['a family that is none', [0, 3, 24, 0, 1, 2, 3]],
    ['too long a prefix', [0, 1, 33, 0, 1, 2, 3, 4, 5]],
    ['too few bytes', [0, 1, 24, 0, 1, 2]],
    ['too many bytes', [0, 1, 24, 0, 1, 2, 3, 4]],
    ['bits beyond the prefix', [0, 1, 20, 0, 1, 2, 3]],
    ['a scope in a query', [0, 1, 24, 24, 1, 2, 3]],
    ['nothing', []],
  ])('a client subnet with %s is malformed', (_, bytes) => {
    expect(parseClientSubnet(Buffer.from(bytes))).toBeUndefined();
  });

  it('reads client subnets of both families', () => {
    expect(parseClientSubnet(Buffer.from([0, 1, 20, 0, 1, 2, 0x30]))?.address).toBe('1.2.48.0');
    expect(parseClientSubnet(Buffer.from([0, 2, 16, 0, 0x20, 0x01]))?.address).toBe('2001::');
  });

  it('never throws, and answers under the same id, whatever the bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
    const damaged = fc.array(fc.tuple(fc.nat(query.length - 1), fc.nat(255)), { maxLength: 4 }).map((edits) => {
      const copy = Buffer.from(query);
      for (const [at, value] of edits) copy.writeUInt8(value, at);
      return copy;
    });
    fc.assert(
      fc.property(fc.oneof(bytes, damaged), (message) => {
        const answer = answerTo(message);
        if (answer === undefined) return;
        expect(answer.subarray(0, 2)).toEqual(message.subarray(0, 2));
        expect(answer.length).toBeLessThanOrEqual(1232);
        decode(answer);
      }),
      { numRuns: 3000 },
    );
  });
});
