import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer } from 'node:net';
import { type Answer, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { askDns, type DnsQuery } from './ask-dns.ts';

let server: Socket | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** A name server on loopback; `reply` sends what it likes. */
async function listen(
  reply: (query: Packet, send: (packet: Buffer) => void, from: RemoteInfo) => void,
): Promise<number> {
  const socket = createSocket('udp4');
  server = socket;
  socket.on('message', (message, from) =>
    reply(decode(message), (packet) => socket.send(packet, from.port, from.address), from),
  );
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return socket.address().port;
}

const query = (port: number, more: Partial<DnsQuery> = {}): DnsQuery => ({
  server: { address: '127.0.0.1', port },
  host: 'www.video.example',
  types: ['A'],
  ...more,
});

const answered = ({ id, questions = [] }: Packet, answers: Answer[], flags = 0): Buffer =>
  encode({ type: 'response', id: id ?? 0, flags, questions, answers });
const address = (data: string): Answer => ({ type: 'A', name: 'www.video.example', ttl: 1, data });

test('sends the subnet of the country, and reads the addresses', async () => {
  let sent: Packet | undefined;
  const port = await listen((packet, send) => {
    sent = packet;
    send(answered(packet, [address('192.0.2.10'), address('192.0.2.1')]));
  });
  expect(await askDns(query(port, { country: 'FR', subnet: '176.128.0.10' }))).toEqual({
    server: `127.0.0.1 port ${port}`,
    host: 'www.video.example',
    country: 'FR',
    subnet: '176.128.0.0/24',
    addresses: ['192.0.2.1', '192.0.2.10'],
    rcode: 'NOERROR',
  });
  expect(sent?.additionals?.[0]).toMatchObject({
    type: 'OPT',
    options: [{ code: 8, ip: '176.128.0.0', sourcePrefixLength: 24 }],
  });
});

test('sends of an address of IPv6, or of a network, as much as resolvers do', async () => {
  const sent: unknown[] = [];
  const port = await listen((packet, send) => {
    sent.push(packet.additionals?.[0]);
    send(answered(packet, [address('192.0.2.10')]));
  });
  expect(await askDns(query(port, { subnet: '2001:db8:1:2::3' }))).toMatchObject({ subnet: '2001:db8:1::/48' });
  expect(await askDns(query(port, { subnet: '198.51.0.0/16' }))).toMatchObject({ addresses: ['192.0.2.10'] });
  expect(sent).toMatchObject([
    { options: [{ code: 8, family: 2, sourcePrefixLength: 48, ip: '2001:db8:1::' }] },
    { options: [{ code: 8, family: 1, sourcePrefixLength: 24, ip: '198.51.0.0' }] },
  ]);
});

test('asks over TCP what did not fit in a packet', async () => {
  const port = await listen((packet, send) => send(answered(packet, [address('192.0.2.1')], TRUNCATED_RESPONSE)));
  const whole = createServer((socket) =>
    socket.once('data', (data) => {
      const message = answered(decode(data.subarray(2)), [address('192.0.2.1'), address('192.0.2.2')]);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      // In two parts, as TCP may deliver it.
      socket.write(Buffer.concat([length, message.subarray(0, 5)]), () => socket.end(message.subarray(5)));
    }),
  );
  await new Promise<void>((done) => whole.listen(port, '127.0.0.1', done));
  expect(await askDns(query(port))).toMatchObject({ addresses: ['192.0.2.1', '192.0.2.2'] });
  await new Promise((done) => whole.close(done));
  expect(await askDns(query(port))).toMatchObject({ problem: expect.stringMatching(/^answers in part, and cannot/) });
});

test('sends no subnet for users of unknown location, and asks for both types', async () => {
  const types: string[] = [];
  const port = await listen((packet, send) => {
    types.push(packet.questions?.[0]?.type ?? '');
    expect(packet.additionals?.[0]).toMatchObject({ type: 'OPT', options: [] });
    send(answered(packet, packet.questions?.[0]?.type === 'A' ? [address('192.0.2.10')] : []));
  });
  expect(await askDns(query(port, { types: ['A', 'AAAA'] }))).toMatchObject({ addresses: ['192.0.2.10'] });
  expect(types.toSorted()).toEqual(['A', 'AAAA']);
});

test('tells a name that does not exist', async () => {
  const port = await listen((packet, send) => send(answered(packet, [], 3)));
  expect(await askDns(query(port))).toMatchObject({ addresses: [], rcode: 'NXDOMAIN' });
});

test('takes no packet that is not the answer, and asks again', async () => {
  let asked = 0;
  const port = await listen((packet, send) => {
    send(Buffer.from('junk'));
    send(answered({ ...packet, id: (packet.id ?? 0) ^ 1 }, [address('203.0.113.1')]));
    send(answered({ ...packet, questions: [{ type: 'A', name: 'other.example' }] }, [address('203.0.113.2')]));
    asked += 1;
    if (asked > 1) send(answered(packet, [address('192.0.2.10')]));
  });
  expect(await askDns(query(port))).toMatchObject({ addresses: ['192.0.2.10'] });
  expect(asked).toBe(2);
});

test.each<[string, () => Promise<number>, RegExp]>([
  ['who is silent', () => listen(() => undefined), /^does not answer within 2\.1 s$/],
  ['where nobody listens', () => Promise.resolve(1), /^cannot be asked: .*ECONNREFUSED/],
])('names a server %s', async (_, start, problem) => {
  const part = await askDns(query(await start()));
  expect('problem' in part ? part.problem : part).toMatch(problem);
});
