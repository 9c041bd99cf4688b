import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { HttpPeers } from './peers.ts';
import { getJson } from './probe.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(
  answer: (path: string) => { readonly code?: number; readonly body: string } | undefined,
): Promise<number> {
  const server = createServer((request, response) => {
    const reply = answer(request.url ?? '');
    if (reply !== undefined) response.writeHead(reply.code ?? 200).end(reply.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('HttpPeers', () => {
  const invented = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ address: `198.51.100.${index}`, fit: true, announced: true }));
  const vips = [{ address: '192.0.2.10', fit: true, announced: true }, { address: 7 }, null];
  test.each([
    ['a good answer', { body: JSON.stringify({ blade: 'b', vips }) }, [['192.0.2.10', { fit: true, announced: true }]]],
    ['another blade at that address', { body: JSON.stringify({ blade: 'c', vips }) }, undefined],
    ['garbage', { body: '[]' }, undefined],
    ['no VIPs', { body: '{"blade":"b"}' }, undefined],
    ['VIPs that are not of the pool', { body: JSON.stringify({ blade: 'b', vips: invented(20) }) }, []],
    ['a large answer', { body: JSON.stringify({ blade: 'b', vips: invented(200_000) }) }, undefined],
    ['an error', { code: 500, body: '{}' }, undefined],
    ['silence', undefined, undefined],
  ])('%s', async (_, reply, expected) => {
    const port = await serve(() => reply);
    const peers = new HttpPeers({
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      vips: () => ['192.0.2.10'],
      intervalMs: 1000,
      timeoutMs: reply === undefined ? 200 : 2000,
    });
    await peers.ask();
    const [answer] = peers.answers();
    expect(answer === undefined ? undefined : [...answer.vips]).toEqual(expected);
  });

  test.each([
    ['4b1c0a9d2e3f', '4b1c0a9d2e3f'],
    ['no digest', undefined],
    [7, undefined],
    [undefined, undefined],
  ])('a blade that tells %j as the digest of its spec', async (specDigest, expected) => {
    const port = await serve(() => ({ body: JSON.stringify({ blade: 'b', vips, specDigest }) }));
    const peers = new HttpPeers({
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      vips: () => ['192.0.2.10'],
      intervalMs: 1000,
      timeoutMs: 2000,
    });
    await peers.ask();
    expect(peers.answers()[0]?.specDigest).toBe(expected);
  });

  test('an answer is forgotten when the blade stops to answer', async () => {
    let up = true;
    const port = await serve(() => (up ? { body: JSON.stringify({ blade: 'b', vips }) } : { code: 503, body: '' }));
    const options = {
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      vips: () => ['192.0.2.10'],
      intervalMs: 1000,
      timeoutMs: 200,
    };
    const peers = new HttpPeers(options);
    await peers.ask();
    expect(peers.answers()).toHaveLength(1);
    up = false;
    await peers.ask();
    expect(peers.answers()).toEqual([]);
  });

  test('an answer without end is read to its bound', async () => {
    let sent = 0;
    const server = createServer((_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1 << 16))) sent += 1 << 16;
        response.once('drain', write);
      };
      write();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const closed = new Promise<void>((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
    const { port } = server.address() as AddressInfo;
    const question = { address: '127.0.0.1', port, path: '/', timeoutMs: 30_000, maxBytes: 16 << 10 };
    expect(await getJson(question)).toBeUndefined();
    await closed;
    server.close();
    // What the kernel buffers on the way is sent as well.
    expect(sent).toBeLessThan(64 << 20);
  });

  test('nobody there', async () => {
    expect(await getJson({ address: '127.0.0.1', port: 1, path: '/', timeoutMs: 200, maxBytes: 100 })).toBeUndefined();
  });
});
