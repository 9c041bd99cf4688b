import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { powerDnsReader } from './client.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function reading(body: string) {
  server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return powerDnsReader({ url: `http://127.0.0.1:${port}`, apiKey: 'secret' }).read('video.example');
}

test.each(['<html>hello</html>', '[]', '{"id":"video.example."}'])(
  'an answer of another program is refused: %s',
  (body) => expect(reading(body)).rejects.toThrow(/is this the API of PowerDNS.*\(ProviderRefused\)/),
);

test('a record that somebody disabled is not what we wrote', async () => {
  const records = [
    { content: '"b"', disabled: false },
    { content: '"a"', disabled: true },
  ];
  const rrsets = [{ name: 'WWW.video.example.', type: 'TXT', ttl: 60, records }];
  const { records: read } = await reading(JSON.stringify({ id: 'video.example.', rrsets }));
  expect(read).toEqual([
    {
      name: 'www.video.example',
      type: 'TXT',
      target: { kind: 'values', ttlSeconds: 60, values: ['"b"', 'disabled "a"'] },
    },
  ]);
});

test('each request has a connection of its own: the end of an idle one is no error', async () => {
  const ids = new Set<unknown>();
  const zone = JSON.stringify({ id: 'video.example.', rrsets: [] });
  server = createServer((request, response) => {
    ids.add(request.socket.remotePort);
    response.end(zone);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const reader = powerDnsReader({ url: `http://127.0.0.1:${port}`, apiKey: 'secret' });
  for (let count = 0; count < 3; count += 1) await reader.read('video.example');
  expect(ids.size).toBe(3);
});
