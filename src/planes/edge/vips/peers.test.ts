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
  const vips = [{ address: '192.0.2.10', fit: true, announced: true }, { address: 7 }, null];
  test.each([
    ['a good answer', { body: JSON.stringify({ blade: 'b', vips }) }, [['192.0.2.10', { fit: true, announced: true }]]],
    ['another blade at that address', { body: JSON.stringify({ blade: 'c', vips }) }, undefined],
    ['garbage', { body: '[]' }, undefined],
    ['no VIPs', { body: '{"blade":"b"}' }, undefined],
    ['an error', { code: 500, body: '{}' }, undefined],
    ['silence', undefined, undefined],
  ])('%s', async (_, reply, expected) => {
    const port = await serve(() => reply);
    const peers = new HttpPeers({
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
      intervalMs: 1000,
      timeoutMs: reply === undefined ? 200 : 2000,
    });
    await peers.ask();
    const [answer] = peers.answers();
    expect(answer === undefined ? undefined : [...answer.vips]).toEqual(expected);
  });

  test('an answer is forgotten when the blade stops to answer', async () => {
    let up = true;
    const port = await serve(() => (up ? { body: JSON.stringify({ blade: 'b', vips }) } : { code: 503, body: '' }));
    const options = {
      clock: systemClock,
      port,
      peers: () => [{ name: 'b', address: '127.0.0.1' }],
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

  test('nobody there', async () => {
    expect(await getJson({ address: '127.0.0.1', port: 1, path: '/', timeoutMs: 200 })).toBeUndefined();
  });
});
