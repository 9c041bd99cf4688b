import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
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

describe('a text that is searched for', () => {
  const text = '"state":"healthy"';
  const search = async (answer: RequestListener) =>
    askHealth(
      { ...of, port: await listen(answer), protocol: 'HTTP', path: '/', host: 'www.video.example', searchString: text },
      30_000,
    );

  test.each([
    ['in the answer', text],
    ['at the end of what is searched', `${' '.repeat(5120 - text.length)}${text}`],
  ])('%s: healthy', async (_where, body) => {
    expect(await search((_request, response) => response.end(body))).toEqual({ ...of, healthy: true });
  });

  test('in an answer that comes in pieces and never ends: healthy', async () => {
    const answer: RequestListener = (_request, response) => {
      response.write(text.slice(0, 5));
      setTimeout(() => response.write(text.slice(5)), 50);
    };
    expect(await search(answer)).toEqual({ ...of, healthy: true });
  });

  test.each([
    ['nowhere', 'no'],
    ['beyond the start', `${' '.repeat(5121 - text.length)}${text}`],
    ['nowhere in an empty answer', ''],
  ])('%s: not healthy', async (_where, body) => {
    expect(await search((_request, response) => response.end(body))).toEqual({
      ...of,
      healthy: false,
      answered: true,
      problem: `answers 200 to the health check, without ${JSON.stringify(text)} in its first 5120 bytes`,
    });
  });

  test('in an answer that fails: not healthy', async () => {
    const part = await search((_request, response) => response.writeHead(503).end(text));
    expect(part).toMatchObject({ problem: 'answers 503 to the health check' });
  });
});
