import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/planes/edge/table.ts';
import { backend, host, table, World } from './world.ts';

const key = 'n/s/80';
const hosts = [host('www.example', { 'prefix /': key })];
let world: World;
let lastPort = 9300;

/** A clock of the wall that jumps forward an hour whenever it is read; nginx's own monotonic clock goes on. */
const jumpingClock = `
local jumped = 0
ngx.now = function() jumped = jumped + 3600; return jumped end
ngx.time = ngx.now`;

/** There is only one worker process, because workers do not share what they know of endpoints. */
const inWorld = (faults?: string): void => {
  beforeAll(async () => {
    world = await World.create({ workers: 1 }, faults);
  });
  afterAll(() => world.destroy());
};

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An endpoint whose behaviour can change: it refuses connections, answers, or takes a request and closes. */
class Turncoat {
  readonly endpoint: Endpoint;
  answers: boolean;
  requests = 0;
  #server: Server | undefined;

  constructor(answers: boolean) {
    this.answers = answers;
    lastPort += 1;
    this.endpoint = { address: '10.77.0.1', port: lastPort };
  }

  listen(): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        this.requests += 1;
        if (this.answers) socket.write(answer);
        else socket.destroy();
      });
    });
    this.#server = server;
    return new Promise((resolve) => {
      server.listen(this.endpoint.port, this.endpoint.address, resolve);
    });
  }

  close(): void {
    this.#server?.close();
  }
}

let endpoints: readonly Turncoat[] = [];
afterEach(() => {
  for (const endpoint of endpoints) endpoint.close();
});

const serve = (...list: readonly Turncoat[]): Promise<unknown> => {
  endpoints = list;
  return world.plane.apply(table({ hosts, backends: [backend(key, ...list.map(({ endpoint }) => endpoint))] }));
};

const statuses = async (count: number, method = 'GET'): Promise<readonly number[]> => {
  const seen: number[] = [];
  for (let n = 0; n < count; n += 1) seen.push((await world.ask({ host: 'www.example', method })).status);
  return seen;
};
const all = (count: number, status: number): readonly number[] => Array.from({ length: count }, () => status);

describe('a request whose endpoint fails', () => {
  inWorld();

  it('goes to each other endpoint before it goes to one twice, even to those that refused a moment ago', async () => {
    const [breaks, b, c] = [new Turncoat(false), new Turncoat(true), new Turncoat(true)];
    await breaks.listen();
    await serve(breaks, b, c);
    expect(await statuses(1)).toEqual([502]);
    expect(breaks.requests).toBe(1);
    await Promise.all([b.listen(), c.listen()]);
    expect(await statuses(40)).toEqual(all(40, 200));
  });

  it('lifts the avoidance of the endpoint to which a connection was made', async () => {
    const [breaks, b] = [new Turncoat(false), new Turncoat(true)];
    await breaks.listen();
    await serve(breaks, b);
    expect(await statuses(2)).toEqual([502, 502]);
    await b.listen();
    const begin = performance.now();
    expect(await statuses(20)).toEqual(all(20, 200));
    // Time alone lifts nothing within a second; both endpoints take half of the requests first.
    if (performance.now() - begin < 1000) expect(breaks.requests).toBeLessThanOrEqual(12);
  });

  it('is not charged for kept connections that their endpoints had given up', async () => {
    const [good, ...bad] = [new Turncoat(true), new Turncoat(true), new Turncoat(true), new Turncoat(true)];
    await Promise.all([good, ...bad].map((endpoint) => endpoint?.listen()));
    await serve(good as Turncoat, ...bad);
    // Each round begins with another endpoint.
    for (let round = 0; round < 4; round += 1) {
      for (const endpoint of bad) endpoint.answers = true;
      expect(await statuses(4)).toEqual(all(4, 200));
      for (const endpoint of bad) endpoint.answers = false;
      expect(await statuses(1)).toEqual([200]);
    }
  });

  it('goes back over a new connection to the only endpoint, whose kept connection failed', async () => {
    const only = new Turncoat(true);
    await only.listen();
    await serve(only);
    expect(await statuses(1)).toEqual([200]);
    only.answers = false;
    const pending = statuses(1);
    expect(await pending).toEqual([502]);
    expect(only.requests).toBe(3);
  });

  it('is not sent twice when it is a POST of which something was sent', async () => {
    const [first, second] = [new Turncoat(false), new Turncoat(false)];
    await Promise.all([first.listen(), second.listen()]);
    await serve(first, second);
    expect(await statuses(1, 'POST')).toEqual([502]);
    expect(first.requests + second.requests).toBe(1);
  });
});

describe('a clock of the wall that jumps', () => {
  inWorld(jumpingClock);

  it('lets no avoided endpoint back before its time', async () => {
    const [good, refuses] = [new Turncoat(true), new Turncoat(true)];
    await good.listen();
    await serve(good, refuses);
    const begin = performance.now();
    expect(await statuses(20)).toEqual(all(20, 200));
    const log = await world.errorLog();
    const refused = log.split(`upstream: "http://10.77.0.1:${refuses.endpoint.port}/`).length - 1;
    expect(refused).toBeGreaterThanOrEqual(1);
    expect(refused).toBeLessThanOrEqual(1 + Math.floor((performance.now() - begin) / 1000));
  });
});
