import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { askHealth } from './ask-health.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const of = { cluster: 'paris', policy: 'video', address: '127.0.0.1' };

function ask(port: number, timeoutMs = 30_000) {
  return askHealth({ ...of, port, protocol: 'HTTP', path: '/health', host: 'www.video.example' }, timeoutMs);
}

async function listen(answer: RequestListener): Promise<number> {
  server = createServer(answer);
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

test.each([200, 204, 301])('takes %i for healthy, and asks as the provider does', async (code) => {
  let asked = '';
  const port = await listen(({ url, headers }, response) => {
    asked = `${headers.host}${url}`;
    response.writeHead(code).end();
  });
  expect(await ask(port)).toEqual({ ...of, healthy: true });
  expect(asked).toBe('www.video.example/health');
});

test('tells an answer that is not healthy', async () => {
  const port = await listen((_request, response) => response.writeHead(503).end());
  expect(await ask(port)).toEqual({
    ...of,
    healthy: false,
    answered: true,
    problem: 'answers 503 to the health check',
  });
});

test.each<[string, RequestListener | undefined, number, RegExp]>([
  ['nobody listens', undefined, 30_000, /ECONNREFUSED/],
  ['nothing comes', () => undefined, 300, /^nothing within 0\.3 s$/],
  ['the connection ends', ({ socket }) => socket.destroy(), 30_000, /hang up|without an answer/],
])('tells that %s', async (_, answer, timeoutMs, problem) => {
  const part = await ask(answer === undefined ? 1 : await listen(answer), timeoutMs);
  expect(part).toMatchObject({ healthy: false, answered: false, problem: expect.stringMatching(problem) });
});
