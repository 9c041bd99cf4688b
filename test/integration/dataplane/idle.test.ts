import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { promised } from '../../support/promised.ts';
import { backend, eventually, host, table, vip, World } from './world.ts';

/** Connections on which no request is being handled: for how long one may stay, and how many one address may have. */

const run = promisify(execFile);
/** `client_header_timeout`, as docs/operations/servers.md says. */
const headMs = 10_000;
let world: World;
const open: Socket[] = [];

beforeAll(async () => {
  world = await World.create({ workers: 1 });
  await world.plane.apply(
    table({
      hosts: [host('www.example', { 'prefix /': 'n/a/80' })],
      backends: [backend('n/a/80', await world.pod('a', 1))],
    }),
  );
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => world.destroy());

const keep = <Some extends Socket>(socket: Some): Some => {
  socket.on('error', () => socket.destroy());
  socket.resume();
  open.push(socket);
  return socket;
};

/** Sends a byte every 500 ms, again and again from the first; resolves with how long that went. */
function drips(socket: Socket, bytes: string | Buffer, opened: string): Promise<number> {
  keep(socket);
  return new Promise((resolve) => {
    let [began, turn] = [performance.now(), 0];
    const timer = setInterval(() => {
      const at = turn % bytes.length;
      socket.write(bytes.slice(at, at + 1));
      turn += 1;
    }, 500);
    socket.once(opened, () => {
      began = performance.now();
    });
    socket.once('close', () => {
      clearInterval(timer);
      resolve(performance.now() - began);
    });
  });
}

/**
 * The preface of HTTP/2 with empty SETTINGS; then a HEADERS frame of 8,000 bytes: GET, http, /, and `x-a` whose value of 7,000
 * bytes begins.
 */
const http2 = {
  preface: Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
  head: Buffer.from('\0\x1f\x40\x01\x05\0\0\0\x01\x82\x84\x86\0\x03x-a\x7f\xd9\x35aaa', 'latin1'),
};

describe('a connection is closed ten seconds after its beginning when it', () => {
  const secure = { host: vip, port: 443, rejectUnauthorized: false };
  const kinds: Readonly<Record<string, () => Promise<number>>> = {
    'sends nothing': () => drips(connect(80, vip), '', 'connect'),
    'sends the head of a request byte by byte': () =>
      drips(connect(80, vip), 'GET / HTTP/1.1\r\nHost: www.example\r\nX-A: aaaaaaaaaaaaaa', 'connect'),
    'begins no TLS handshake': () => drips(connect(443, vip), '', 'connect'),
    'sends a TLS handshake byte by byte': () => drips(connect(443, vip), Buffer.from('160301020001', 'hex'), 'connect'),
    'sends nothing over TLS': () => drips(connectTls(secure), '', 'secureConnect'),
    'sends a head over TLS byte by byte': () =>
      drips(connectTls(secure), 'GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaa', 'secureConnect'),
    'sends the preface of HTTP/2 byte by byte': () =>
      drips(connectTls({ ...secure, ALPNProtocols: ['h2'] }), http2.preface.subarray(0, 20), 'secureConnect'),
  };

  it(Object.keys(kinds).join(', or '), async () => {
    const lasted = await Promise.all(
      Object.entries(kinds).map(async ([name, start]) => [name, await start()] as const),
    );
    for (const [name, ms] of lasted) {
      expect(ms, name).toBeGreaterThan(headMs - 1500);
      expect(ms, name).toBeLessThan(promised(headMs));
    }
  }, 60_000);

  it('has a head over HTTP/2 that comes byte by byte: the stream ends', async () => {
    const socket = connectTls({ ...secure, ALPNProtocols: ['h2'] });
    const began = performance.now();
    const ended = new Promise<number>((resolve) => {
      // RST_STREAM is a frame of type 3 with four bytes.
      socket.on('data', (data: Buffer) => {
        if (data.includes(Buffer.from('\0\0\x04\x03\0\0\0\0\x01', 'latin1'))) resolve(performance.now() - began);
      });
      socket.once('close', () => resolve(performance.now() - began));
    });
    socket.once('secureConnect', () => socket.write(Buffer.concat([http2.preface, http2.head])));
    const gone = drips(socket, 'a', 'secureConnect');
    expect(await ended).toBeGreaterThan(headMs - 1500);
    expect(performance.now() - began).toBeLessThan(promised(headMs));
    socket.destroy();
    await gone;
  }, 60_000);
});

describe('with deploy/nftables/edge-connections.nft', () => {
  it('one address has so many connections and no more; other addresses and the blade itself are served', async () => {
    const rules = await readFile(new URL('../../../deploy/nftables/edge-connections.nft', import.meta.url), 'utf8');
    expect(rules.split('ct count over 4096').length).toBe(3);
    const file = join(world.folder, 'rules.nft');
    await writeFile(file, rules.replaceAll('over 4096', 'over 20'));
    await run('ip', ['addr', 'add', '10.77.0.9/32', 'dev', 'pods']);
    for (let turn = 0; turn < 2; turn += 1) await world.network.exec('edge', 'nft', '-f', file);
    const connected = (from: string): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = keep(connect({ host: vip, port: 80, localAddress: from }, () => resolve(true)));
        socket.once('close', () => resolve(false));
      });
    const of = async (from: string, count: number): Promise<number> =>
      (await Promise.all(Array.from({ length: count }, () => connected(from)))).filter(Boolean).length;
    expect(await of('10.77.0.1', 30)).toBe(20);
    expect(await of('10.77.0.9', 5)).toBe(5);
    expect((await world.askItself('/.well-known/tideline/blade')).status).toBe(200);
    for (const socket of open.splice(0)) socket.destroy();
    await eventually(async () => (await of('10.77.0.1', 1)) === 1);
    await world.network.exec('edge', 'nft', 'add element inet tideline_edge proxies4 { 10.77.0.1 }');
    expect(await of('10.77.0.1', 30)).toBe(30);
    await world.network.exec('edge', 'nft', 'delete table inet tideline_edge');
  });
});
