import { Agent } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/planes/edge/table.ts';
import { backend, host, table, World } from './world.ts';

const key = 'n/s/80';
const hosts = [host('www.example', { 'prefix /': key })];
let world: World;
let servers: readonly Server[] = [];
let connections = 0;

beforeAll(async () => {
  world = await World.create({ workers: 1, accessLog: false });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await world.destroy();
});

/** Endpoints that keep connections and count those that are made to them. */
async function startEndpoints(count: number): Promise<readonly Endpoint[]> {
  const endpoints = Array.from({ length: count }, (_, index) => ({ address: '10.77.0.1', port: 20_000 + index }));
  servers = endpoints.map(() =>
    createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    }),
  );
  await Promise.all(
    servers.map(
      (server, index) => new Promise<void>((resolve) => void server.listen(20_000 + index, '10.77.0.1', resolve)),
    ),
  );
  return endpoints;
}

async function ask(count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10 });
  const replies = await Promise.all(Array.from({ length: count }, () => world.ask({ host: 'www.example', agent })));
  agent.destroy();
  expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
}

describe('the connections that a worker keeps', () => {
  it('are used again although there are more endpoints than one pool of connections holds', async () => {
    const count = 300;
    await world.plane.apply(table({ hosts, backends: [backend(key, ...(await startEndpoints(count)))] }));
    // nginx keeps a connection for four seconds; on a busy machine two rounds may take longer, and say nothing then.
    const rounds: { readonly ms: number; readonly made: number }[] = [];
    const inTime = () => rounds.find(({ ms }, index) => ms + (rounds[index - 1]?.ms ?? 4000) < 3500);
    while (inTime() === undefined && rounds.length < 10) {
      const [begin, before] = [performance.now(), connections];
      await ask(count);
      rounds.push({ ms: performance.now() - begin, made: connections - before });
    }
    expect(rounds[0]?.made).toBe(count);
    expect(inTime()?.made, JSON.stringify(rounds)).toBeLessThanOrEqual(10);
  }, 60_000);
});
