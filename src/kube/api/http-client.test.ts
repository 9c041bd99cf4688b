import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../test/support/authority.ts';
import { createClientMetrics } from '../metrics.ts';
import type { Access, AccessSource } from './access/access.ts';
import { HttpKubeClient } from './http-client.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
});

async function serve(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientWith(access: AccessSource): HttpKubeClient {
  const client = new HttpKubeClient({ access, server: 'here', metrics: createClientMetrics(undefined, () => 0) });
  opened.push(client);
  return client;
}

it('gives up in time, also when nobody says who we are', async () => {
  const client = clientWith({ read: () => new Promise(() => undefined), forget: () => undefined });
  const asked = { path: '/', timeoutMs: 50 };
  await expect(client.request(asked)).rejects.toMatchObject({ reason: 'NoCredentials', status: 0 });
  await expect(client.stream(asked)).rejects.toMatchObject({ reason: 'NoCredentials', status: 0 });
  const abort = new AbortController();
  const waiting = client.request({ path: '/', signal: abort.signal });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ reason: 'NoCredentials', status: 0 });
});

it('drops credentials that were refused once, however many requests bore them', async () => {
  // The header x-ticket takes the place of a token, because tokens are not sent without TLS.
  const server = await serve((request, response) => {
    response.statusCode = request.headers['x-ticket'] === '1' ? 401 : 200;
    // The refusals end after all requests have been sent.
    setTimeout(() => response.end('{}'), request.headers['x-ticket'] === '1' ? Number(request.url?.slice(1)) : 0);
  });
  let ticket = 1;
  const access: AccessSource = {
    read: async (): Promise<Access> => ({ server, tls: {}, headers: { 'x-ticket': String(ticket) } }),
    forget: () => {
      ticket += 1;
    },
  };
  const client = clientWith(access);
  await Promise.all([0, 100, 200, 300].map((delayMs) => client.request({ path: `/${delayMs}` })));
  expect(ticket).toBe(2);
});

it('repeats nothing of our credentials when the server does, and cuts what it says', async () => {
  const server = await serve((request, response) => {
    response.statusCode = 400;
    const message = `you sent ${String(request.headers['x-ticket'])} ${'x'.repeat(10_000)}`;
    response.end(request.url === '/status' ? JSON.stringify({ kind: 'Status', message }) : message);
  });
  const read = async (): Promise<Access> => ({ server, tls: {}, headers: { 'x-ticket': 'Bearer abc/def+ghi' } });
  const client = clientWith({ read, forget: () => undefined });
  for (const path of ['/status', '/page']) {
    const { message } = await client.request({ path }).then(
      () => new Error('no refusal'),
      (error: unknown) => error as Error,
    );
    expect(message).toContain('you sent ***');
    expect(message).not.toContain('abc/def');
    expect(message.length).toBeLessThan(2100);
  }
});

it('reads a refusal without end to its bound', async () => {
  const server = await serve((_request, response) => {
    response.statusCode = 500;
    const write = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1 << 16)));
      response.once('drain', write);
    };
    write();
  });
  const client = clientWith({ read: async () => ({ server, tls: {}, headers: {} }), forget: () => undefined });
  await expect(client.request({ path: '/' })).rejects.toMatchObject({ reason: 'BadAnswer' });
});

describe('a kept connection that the server closes just as it is used again', () => {
  /** A server that answers the first request of every connection, and closes the connection at the second one. */
  async function closingServer(): Promise<{ readonly server: string; readonly asked: string[] }> {
    const authority = createAuthority('closing');
    const { certificate, key } = authority.issue({ commonName: 'closing', hosts: ['127.0.0.1'] });
    const asked: string[] = [];
    const server = createTlsServer({ cert: certificate, key }, (socket) => {
      let requests = 0;
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        requests += 1;
        asked.push(chunk.toString().split(' ', 1)[0] ?? '');
        if (requests > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push(server);
    return { server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }
  const accessTo = (server: string): AccessSource => ({
    read: async () => ({ server, tls: { rejectUnauthorized: false }, headers: {} }),
    forget: () => undefined,
  });

  it('is no failure of a GET, which is sent once more on a connection of its own', async () => {
    const { server, asked } = await closingServer();
    const client = clientWith(accessTo(server));
    await client.request({ path: '/first' });
    await expect(client.request({ path: '/second' })).resolves.toEqual({});
    expect(asked).toEqual(['GET', 'GET', 'GET']);
  });

  it('is the failure of a write, which may have been done', async () => {
    const { server, asked } = await closingServer();
    const client = clientWith(accessTo(server));
    await client.request({ path: '/first' });
    await expect(client.request({ method: 'PATCH', path: '/second', body: {} })).rejects.toMatchObject({
      reason: 'Unreachable',
      status: 0,
    });
    expect(asked).toEqual(['GET', 'PATCH']);
  });
});
