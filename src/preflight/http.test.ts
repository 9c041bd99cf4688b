import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issue } from '../../test/support/certificates.ts';
import { systemClock } from '../runtime/clock.ts';
import { getAnonymously } from './http.ts';

let answer: RequestListener;
const server = createServer((request, response) => answer(request, response));

beforeAll(async () => {
  const { certificate, key } = await issue({ name: 'localhost' });
  server.setSecureContext({ cert: certificate, key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function get(timeoutMs: number) {
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };
  return getAnonymously(open, { host: 'localhost', path: '/readyz?verbose' }, systemClock, timeoutMs);
}

it('reads an answer as it is', async () => {
  answer = (_, response) => response.end('ok');
  expect(await get(5000)).toMatchObject({ status: 200, body: 'ok' });
});

it('gives up an answer without end after a megabyte', async () => {
  let sent = 0;
  answer = (_, response) => {
    const piece = Buffer.alloc(64 << 10, 32);
    const more = (): void => {
      while (!response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
    };
    more();
  };
  expect(await get(10_000)).toBeUndefined();
  expect(sent).toBeLessThan(16 << 20);
});

it.each([
  [
    'headers without end',
    (write: (text: string) => boolean) => write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`),
  ],
  ['no answer', () => true],
  ['half an answer', (write: (text: string) => boolean) => write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')],
])('gives up %s', async (_, say) => {
  answer = (request) => void say((text) => request.socket.write(text));
  expect(await get(300)).toBeUndefined();
});
