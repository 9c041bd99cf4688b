import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '../../../runtime/clock.ts';
import { loadAt } from './load.ts';

/** Answers so many requests, and refuses the others; notes which hosts were asked for. */
async function withServer<T>(answered: number, act: (url: URL, hosts: Set<string>) => Promise<T>): Promise<T> {
  let left = answered;
  const hosts = new Set<string>();
  const server = createServer((request, response) => {
    hosts.add(request.headers.host ?? '');
    left -= 1;
    response.writeHead(left >= 0 ? 200 : 503).end('x');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await act(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), hosts);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const how = { seconds: 0.5, timeoutMs: 5000, clock: systemClock, signal: new AbortController().signal };

it('sends as many requests as it should, and counts those that were refused', async () => {
  const { trial, hosts } = await withServer(7, async (url, seen) => ({
    trial: await loadAt(20, { ...how, url, host: 'www.video.example' }),
    hosts: seen,
  }));
  expect(trial).toMatchObject({ rate: 20, sent: 10, failed: 3 });
  expect(trial.p95Ms).toBeGreaterThan(0);
  expect([...hosts]).toEqual(['www.video.example']);
});

it('counts what nobody answers as failed', async () => {
  const url = new URL('http://127.0.0.1:9/');
  expect(await loadAt(20, { ...how, url })).toMatchObject({ sent: 10, failed: 10 });
});
