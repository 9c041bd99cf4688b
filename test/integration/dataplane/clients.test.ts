import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { backend, eventually, host, table, vip, World } from './world.ts';

/** What one client can take from the others: connections, and room for bodies. Its requests come from addresses of `pods`. */

const run = promisify(execFile);
let world: World | undefined;
const open: Socket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await world?.destroy();
  world = undefined;
});

/** nginx with one pod that answers and one that keeps requests waiting, and with these limits. */
async function start(clients: NginxSettings['clients'], more: Partial<NginxSettings> = {}): Promise<World> {
  world = await World.create({ clients, ...more });
  await world.plane.apply(
    table({
      hosts: [host('www.example', { 'prefix /': 'n/a/80', 'prefix /wait': 'n/b/80' })],
      backends: [backend('n/a/80', await world.pod('a', 1)), backend('n/b/80', await world.silentPod(2))],
    }),
  );
  return world;
}

/** Opens a connection that sends these lines, and `body` after them, and stays open. */
function hold(lines: readonly string[], { from = '10.77.0.1', to = vip, first = '', body = '' } = {}): Socket {
  const socket = connect({ host: to, port: 80, localAddress: from }, () =>
    socket.write(`${first}${[...lines, 'Host: www.example'].join('\r\n')}\r\n\r\n${body}`),
  );
  socket.on('error', () => socket.destroy());
  open.push(socket);
  return socket;
}

/** The status that a request gets. */
function status(lines: readonly string[], options: Parameters<typeof hold>[1] = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = hold([...lines, 'Connection: close'], options);
    socket.setTimeout(10_000, () => reject(new Error(`no answer to ${lines[0]}`)));
    socket.once('data', (data) => resolve(Number(data.toString('latin1').split(' ')[1])));
  });
}

const get = ['GET / HTTP/1.1'];
const wait = ['GET /wait HTTP/1.1'];
const overLimit = async ({ plane }: World): Promise<number> => plane.status()?.answered['ClientOverLimit'] ?? 0;

/**
 * Has one more request held and asks, until the answer is a refusal. A held one may be refused itself, while the one that asks is
 * in flight.
 */
const refused = (holdOne: () => unknown, of: () => Promise<number>): Promise<unknown> =>
  eventually('the client is refused', () => {
    holdOne();
    return of().then((answer) => answer === 429);
  });

describe('a client', () => {
  it('has so many requests at once and no more; others are served, and the refusal is counted', async () => {
    const edge = await start({ requests: 3, bodies: 3 });
    await run('ip', ['addr', 'add', '10.77.0.9/32', 'dev', 'pods']);
    const held: Socket[] = [];
    await refused(
      () => held.push(hold(wait)),
      () => status(get),
    );
    await eventually('all but three are refused', () =>
      Promise.resolve(held.filter(({ bytesRead }) => bytesRead === 0).length === 3),
    );
    expect(await status(get, { from: '10.77.0.9' })).toBe(200);
    expect((await edge.ask({ path: '/.well-known/tideline/health/any' })).status).toBe(200);
    expect((await edge.askItself('/.well-known/tideline/blade')).status).toBe(200);
    await eventually('the refusal is counted', async () => (await overLimit(edge)) > 0);
    for (const socket of held) socket.destroy();
    await eventually('the client is served again', async () => (await status(get)) === 200);
  });

  it('has each stream of HTTP/2 counted', async () => {
    await start({ requests: 3, bodies: 3 });
    const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false });
    const ask = (path: string) => session.request({ ':path': path, ':authority': 'www.example' });
    try {
      await refused(
        () => ask('/wait').on('error', () => undefined),
        () =>
          new Promise((resolve, reject) => {
            const stream = ask('/');
            stream.on('response', (headers) => resolve(Number(headers[':status'])));
            stream.on('error', reject);
            stream.resume();
          }),
      );
    } finally {
      session.destroy();
    }
  });

  it('of IPv6 is a network of 64 bits', async () => {
    const edge = await start({ requests: 2, bodies: 2 });
    await run('ip', ['addr', 'add', '2001:db8::1/32', 'dev', 'pods', 'nodad']);
    await run('ip', ['addr', 'add', '2001:db8::2/32', 'dev', 'pods', 'nodad']);
    await run('ip', ['addr', 'add', '2001:db8:0:1::1/32', 'dev', 'pods', 'nodad']);
    await edge.network.ip('edge', 'addr', 'add', '2001:db8::ff/32', 'dev', 'eth0', 'nodad');
    const to = '2001:db8::ff';
    let turn = 0;
    await refused(
      () => hold(wait, { from: `2001:db8::${(turn++ % 2) + 1}`, to }),
      () => status(get, { from: '2001:db8::1', to }),
    );
    expect(await status(get, { from: '2001:db8::2', to })).toBe(429);
    expect(await status(get, { from: '2001:db8:0:1::1', to })).toBe(200);
  });

  it('is whom a trusted proxy names; the proxy itself has no limit', async () => {
    const trustedProxies = { prefixes: ['10.0.0.0/8'], via: 'forwardedHeaders' } as const;
    await start({ requests: 2, bodies: 2 }, { trustedProxies });
    const of = (client: string) => [`X-Forwarded-For: ${client}`];
    // A client inside the prefixes of the proxies is a client.
    for (let held = 0; held < 4; held += 1) hold(wait);
    for (const client of ['192.0.2.7', '10.9.0.7', '::ffff:192.0.2.9'])
      await refused(
        () => hold([...wait, ...of(client)]),
        () => status([...get, ...of(client)]),
      );
    for (const client of ['192.0.2.8', '10.9.0.8', '::ffff:192.0.2.10'])
      expect(await status([...get, ...of(client)])).toBe(200);
    expect(await status(get)).toBe(200);
  });

  it('is whom the PROXY protocol names', async () => {
    const trustedProxies = { prefixes: ['10.77.0.0/24'], via: 'proxyProtocol' } as const;
    await start({ requests: 2, bodies: 2 }, { trustedProxies });
    const first = (client: string) => `PROXY TCP4 ${client} ${vip} 40000 80\r\n`;
    await refused(
      () => hold(wait, { first: first('192.0.2.7') }),
      () => status(get, { first: first('192.0.2.7') }),
    );
    expect(await status(get, { first: first('192.0.2.8') })).toBe(200);
  });
});

describe('long bodies', () => {
  const post = (length: number) => ['POST / HTTP/1.1', `Content-Length: ${length}`];

  it('of one client are bounded, said with a length or not; short ones and requests without one are not', async () => {
    await start({ requests: 100, bodies: 2 });
    const measured = () => hold(post(1_000_000), { body: 'x'.repeat(200_000) });
    const unmeasured = () => hold(['POST / HTTP/1.1', 'Transfer-Encoding: chunked'], { body: '5\r\nhello\r\n' });
    let turn = 0;
    await refused(
      () => (turn++ % 2 === 0 ? measured() : unmeasured()),
      () => status(post(20_000), { body: 'x'.repeat(20_000) }),
    );
    expect(await status(['POST / HTTP/1.1', 'Transfer-Encoding: chunked'], { body: '0\r\n\r\n' })).toBe(429);
    expect(await status(post(9999), { body: 'x'.repeat(9999) })).toBe(200);
    expect(await status(get)).toBe(200);
  });

  it('lie in the folder of temporary files, and where it is full other requests are served', async () => {
    const temporaryDir = join(tmpdir(), `bodies-${process.pid}`);
    await mkdir(temporaryDir);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0755', 'bodies', temporaryDir]);
    try {
      await start({ requests: 100, bodies: 10 }, { temporaryDir });
      expect(await status(post(500_000), { body: 'x'.repeat(500_000) })).toBe(200);
      expect(await status(post(2_000_000), { body: 'x'.repeat(2_000_000) })).toBe(500);
      expect(await status(post(50_000), { body: 'x'.repeat(50_000) })).toBe(200);
      expect(await status(get)).toBe(200);
      expect((await world?.askItself('/.well-known/tideline/blade'))?.status).toBe(200);
    } finally {
      await world?.nginx.kill();
      await run('umount', [temporaryDir]);
      await run('rmdir', [temporaryDir]);
    }
  });
});
