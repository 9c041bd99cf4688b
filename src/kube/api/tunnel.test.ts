import { request } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { TunnelAgent } from './tunnel.ts';

let proxy: Server | undefined;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  proxy?.close();
});

/** Starts a proxy that accepts connections and sends exactly this answer. */
async function serve(host: string, answer: string): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  proxy = server;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
}

function ask(url: string): Promise<void> {
  const agent = new TunnelAgent({}, url, {}, 200);
  return new Promise((_, reject) => {
    request({ host: 'apiserver.example', port: 6443, agent }).on('error', reject).end();
  });
}

it.each([
  ['says nothing', ''],
  ['leads to a server that says nothing', 'HTTP/1.1 200 OK\r\n\r\n'],
])('ends the connection to a proxy that %s', async (_, answer) => {
  const url = await serve('127.0.0.1', answer);
  await expect(ask(url)).rejects.toThrow(/the proxy 127.0.0.1 made no connection within 200 ms/);
  await expect.poll(() => sockets.size, { timeout: 10_000 }).toBe(0);
});

it('finds a proxy by its IPv6 address', async () => {
  const url = await serve('::1', 'HTTP/1.1 403 Forbidden\r\n\r\n');
  await expect(ask(url)).rejects.toThrow(/answered 403/);
});
