import { createSocket, type Socket } from 'node:dgram';
import { type Answer, decode, encode } from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { askDelegation, type Resolving } from './ask-delegation.ts';

let server: Socket | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** A name server of `example` that answers with these records, and a resolver that knows it. */
async function parent(authorities: readonly Answer[], rcode = 0): Promise<Resolving> {
  const socket = createSocket('udp4');
  server = socket;
  socket.on('message', (message, from) => {
    const {
      id = 0,
      questions = [],
      flag_rd: recursion,
    } = decode(message) as ReturnType<typeof decode> & {
      readonly flag_rd: boolean;
    };
    const said = recursion ? [] : [...authorities];
    socket.send(encode({ type: 'response', id, flags: rcode, questions, authorities: said }), from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return {
    serversOf: async (zone) => {
      if (zone === 'example') return ['ns1.example'];
      throw new Error(`queryNs ENODATA ${zone}`);
    },
    addressOf: async () => ({ address: '127.0.0.1', port: socket.address().port }),
  };
}

const ns = (name: string, data: string): Answer => ({ type: 'NS', name, ttl: 60, data });

test('says what the parent delegates to, also through a name that is no zone', async () => {
  const referral = [ns('video.example', 'NS-2.dns.example.'), ns('video.example', 'ns-1.dns.example')];
  expect(await askDelegation('video.example', await parent(referral))).toEqual({
    zone: 'video.example',
    parent: 'example',
    servers: ['ns-1.dns.example', 'ns-2.dns.example'],
  });
  server?.close();
  expect(await askDelegation('tv.video.example', await parent([ns('tv.video.example', 'ns')]))).toMatchObject({
    parent: 'example',
    servers: ['ns'],
  });
});

test('a parent that knows nothing of the zone does not delegate it', async () => {
  expect(await askDelegation('video.example', await parent([], 3))).toMatchObject({ servers: [] });
  server?.close();
  expect(await askDelegation('video.example', await parent([ns('example', 'ns1.example')]))).toMatchObject({
    servers: [],
  });
});

test('who cannot be asked is named', async () => {
  expect(await askDelegation('video.example', await parent([], 5))).toEqual({
    zone: 'video.example',
    problem: 'ns1.example of the parent example answers REFUSED',
  });
  const offline: Resolving = {
    serversOf: async (zone) => {
      throw new Error(`queryNs ECONNREFUSED ${zone}`);
    },
    addressOf: async () => ({ address: '127.0.0.1', port: 9 }),
  };
  expect(await askDelegation('video.example', offline)).toEqual({
    zone: 'video.example',
    problem: 'no name server of its parent is known here (queryNs ECONNREFUSED .)',
  });
});
