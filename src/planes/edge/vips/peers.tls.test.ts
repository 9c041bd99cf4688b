import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/support/authority.ts';
import { tlsFolder } from '../../../../test/support/tls-files.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { readTlsFiles } from '../../../runtime/tls/material.ts';
import { HttpPeers } from './peers.ts';

const authority = createAuthority('the platform');
const vip = '192.0.2.10';
const answer = JSON.stringify({ blade: 'paris-blade-2', vips: [{ address: vip, fit: true, announced: true }] });
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.12', resolve);
  });
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A blade that answers over TLS with a certificate for these names. */
function overTls(
  hosts: readonly string[],
  more: { readonly by?: typeof authority; readonly validSeconds?: number } = {},
) {
  const { by = authority, ...subject } = more;
  const { certificate, key } = by.issue({ commonName: 'paris-blade-2', hosts, ...subject });
  return listening(createHttps({ cert: certificate, key }, (_, response) => response.end(answer)));
}

async function ask(port: number, grace = false): Promise<HttpPeers> {
  const folder = tlsFolder(authority, { commonName: 'paris-blade-1', hosts: ['paris-blade-1'] });
  cleanups.push(() => folder.remove());
  const material = await readTlsFiles(folder.files);
  const peers = new HttpPeers({
    clock: systemClock,
    port,
    peers: () => [{ name: 'paris-blade-2', address: '127.0.0.12' }],
    vips: () => [vip],
    intervalMs: 1000,
    timeoutMs: 1500,
    access: { material: () => material, grace },
  });
  await peers.ask();
  return peers;
}

/** Whom the answers are from, and who is not believed. */
const heard = (peers: HttpPeers): unknown => [
  peers.answers().map(({ blade, vips }) => [blade, vips.get(vip)?.announced]),
  peers.notBelieved().map(({ blade, message }) => `${blade} ${/\((\w+)\)$/.exec(message)?.[1]}`),
];
const believed = [['paris-blade-2', true]];

describe('with certificates a peer is believed', () => {
  it.each([
    ['by its name', ['paris-blade-2']],
    ['by its address', ['127.0.0.12', 'something.else.example']],
  ])('%s', async (_, hosts) => {
    expect(heard(await ask(await overTls(hosts)))).toEqual([believed, []]);
  });
});

describe('with certificates nobody else is believed at its address', () => {
  it.each([
    ['a blade of another pool', () => overTls(['lyon-blade-1', '127.0.0.21'])],
    ['an operator', () => overTls(['operator.example'])],
    ['whoever has a name in the subject only', () => overTls(['elsewhere.example'])],
    ['whoever has a name for all', () => overTls(['*'])],
    ['a peer whose certificate has ended', () => overTls(['paris-blade-2'], { validSeconds: -1 })],
    ['a peer by the word of another CA', () => overTls(['paris-blade-2'], { by: createAuthority('the platform') })],
  ])('%s', async (_, serve) => {
    expect(heard(await ask(await serve()))).toEqual([[], ['paris-blade-2 ServerNotBelieved']]);
  });

  it('a peer without a certificate, and it is said what is missing', async () => {
    const port = await listening(createHttp((_, response) => response.end(answer)));
    const peers = await ask(port);
    expect(heard(peers)).toEqual([[], ['paris-blade-2 TlsNotServed']]);
    expect(peers.notBelieved()).toEqual([
      { blade: 'paris-blade-2', reason: 'PeerNotBelieved', message: 'it does not speak TLS (TlsNotServed)' },
    ]);
  });
});

describe('during the grace', () => {
  it('a peer with a certificate is asked by it', async () => {
    expect(heard(await ask(await overTls(['paris-blade-2']), true))).toEqual([believed, []]);
  });

  it('a peer without one is believed, and it is said that it will not be later', async () => {
    const port = await listening(createHttp((_, response) => response.end(answer)));
    expect(heard(await ask(port, true))).toEqual([believed, ['paris-blade-2 TlsNotServed']]);
  });

  it('a peer of an older version, which says nothing to a handshake, is believed', async () => {
    const old = createTcp((socket) => {
      socket.on('error', () => {});
      socket.once('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').startsWith('GET '))
          socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
      });
      cleanups.push(() => socket.destroy());
    });
    expect(heard(await ask(await listening(old), true))).toEqual([believed, []]);
  });
});

it('a peer that leaves the pool is no longer among those that are not believed', async () => {
  const port = await overTls(['lyon-blade-1']);
  let pool = [{ name: 'paris-blade-2', address: '127.0.0.12' }];
  const folder = tlsFolder(authority, { commonName: 'paris-blade-1', hosts: ['paris-blade-1'] });
  cleanups.push(() => folder.remove());
  const material = await readTlsFiles(folder.files);
  const access = { material: () => material, grace: false };
  const options = { clock: systemClock, port, vips: () => [vip], intervalMs: 1000, timeoutMs: 1500, access };
  const peers = new HttpPeers({ ...options, peers: () => pool });
  await peers.ask();
  expect(peers.notBelieved()).toHaveLength(1);
  pool = [];
  await peers.ask();
  expect(peers.notBelieved()).toEqual([]);
});
