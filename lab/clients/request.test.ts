import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Connections } from './request.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

/** Starts a server that answers its n-th request (from 0) by `answer`; resolves with the port. */
async function serve(answer: (socket: Socket, request: number, ofConnection: number) => void): Promise<number> {
  let requests = 0;
  const server = createServer((socket) => {
    let own = 0;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => answer(socket, requests++, own++));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const good = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const get = (connections: Connections, port: number, timeoutMs = 2000) =>
  connections.get({
    protocol: 'http',
    address: '127.0.0.1',
    port,
    host: 'www.video.example',
    source: '127.0.0.1',
    path: '/',
    timeoutMs,
  });

it('retries once when a kept-alive connection was closed before any byte of the answer', async () => {
  const port = await serve((socket, _request, own) => (own === 0 ? socket.write(good) : socket.destroy()));
  const connections = new Connections();
  expect(await get(connections, port)).toMatchObject({ retried: false });
  expect(await get(connections, port)).toEqual({ answer: { status: 200, body: 'ok' }, retried: true });
});

it('retries once when a new connection was closed before any byte of the answer', async () => {
  const port = await serve((socket, request) => (request === 0 ? socket.destroy() : socket.write(good)));
  expect(await get(new Connections(), port)).toEqual({ answer: { status: 200, body: 'ok' }, retried: true });
});

it('does not retry twice, nor a refused connection, nor after the first byte, nor after silence', async () => {
  let tries = 0;
  const closed = await serve((socket, request) => {
    tries = request + 1;
    socket.destroy();
  });
  await expect(get(new Connections(), closed)).rejects.toThrow('ECONNRESET');
  expect(tries).toBe(2);

  const nobody = await serve(() => undefined);
  await new Promise((done) => servers.pop()?.close(done));
  await expect(get(new Connections(), nobody)).rejects.toThrow('ECONNREFUSED');

  const cut = await serve((socket, _request, own) => {
    if (own === 0) socket.write(good);
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
  });
  const connections = new Connections();
  await get(connections, cut);
  await expect(get(connections, cut)).rejects.toThrow('ECONNRESET');

  const silent = await serve((socket, _request, own) => own === 0 && socket.write(good));
  const patient = new Connections();
  await get(patient, silent);
  await expect(get(patient, silent, 100)).rejects.toThrow('Timeout');
});

it('closes a connection after ten requests', async () => {
  const perConnection: number[] = [];
  const port = await serve((socket, _request, own) => {
    perConnection.push(own);
    socket.write(good);
  });
  const connections = new Connections();
  for (let count = 0; count < 12; count += 1) await get(connections, port);
  expect(perConnection).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
});
