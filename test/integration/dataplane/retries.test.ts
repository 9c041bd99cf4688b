import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/planes/edge/table.ts';
import { backend, eventually, host, table, World } from './world.ts';

const key = 'n/s/80';
const hosts = [host('www.example', { 'prefix /': key })];
let world: World;
let lastPort = 9300;

/** A clock of the wall that jumps forward an hour whenever it is read; nginx's own monotonic clock goes on. */
const jumpingClock = `
local jumped = 0
ngx.now = function() jumped = jumped + 3600; return jumped end
ngx.time = ngx.now`;

/** Whoever refuses is avoided for as long as who does not answer: ten seconds, so that a busy machine has the time to ask often. */
const longMemory = `
local avoided = require "tideline.avoided"
local add = avoided.add
avoided.add = function(backend, index) return add(backend, index, true) end`;

/** There is only one worker process, because workers do not share what they know of endpoints. */
const inWorld = (faults?: string): void => {
  beforeAll(async () => {
    world = await World.create({ workers: 1 }, faults);
  });
  afterAll(() => world.destroy());
};

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An endpoint whose behaviour can change: it refuses connections, answers (`once` on each connection), or takes a request and closes. */
class Turncoat {
  readonly endpoint: Endpoint;
  answers: boolean | 'once';
  requests = 0;
  #server: Server | undefined;

  constructor(answers: boolean | 'once') {
    this.answers = answers;
    lastPort += 1;
    this.endpoint = { address: '10.77.0.1', port: lastPort };
  }

  listen(): Promise<void> {
    const server = createServer((socket) => {
      let asked = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        this.requests += 1;
        asked += 1;
        if (this.answers === true || (this.answers === 'once' && asked === 1)) socket.write(answer);
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
    const round = async () => {
      const [breaks, b] = [new Turncoat(false), new Turncoat(true)];
      await breaks.listen();
      await serve(breaks, b);
      const begin = performance.now();
      expect(await statuses(2)).toEqual([502, 502]);
      await b.listen();
      expect(await statuses(10)).toEqual(all(10, 200));
      const ms = performance.now() - begin;
      for (const endpoint of [breaks, b]) endpoint.close();
      return { ms, requests: breaks.requests };
    };
    // Time alone lifts nothing within a second: a round that takes longer, on a busy machine, says nothing.
    const { requests } = await eventually(
      'a round within a second',
      async () => {
        const one = await round();
        return one.ms < 1000 && one;
      },
      { timeoutMs: 30_000, everyMs: 1000, onError: 'fail' },
    );
    // Both endpoints take half of the requests first, once a connection to the one that refused was made.
    expect(requests).toBeLessThanOrEqual(8);
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

  it('goes back to the endpoint that was reached over a kept connection, not to the one that refused', async () => {
    const [refuses, good] = [new Turncoat(true), new Turncoat('once')];
    await good.listen();
    await serve(refuses, good);
    for (let round = 0; round < 4; round += 1) {
      expect(await statuses(1)).toEqual([200]);
      // An endpoint that refused is asked again after a second.
      await sleep(1200);
    }
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

describe('a request whose endpoint fails beside others that are avoided', () => {
  inWorld(longMemory);

  it('goes to the one that is not before it goes to them', async () => {
    const [fails, live] = [new Turncoat(true), new Turncoat(true)];
    const dead = [1, 2, 3, 4].map(() => new Turncoat(false));
    await Promise.all([fails.listen(), live.listen()]);
    await serve(fails, ...dead, live);
    // Every endpoint is the first of a request once.
    expect(await statuses(6)).toEqual(all(6, 200));
    fails.answers = false;
    expect(await statuses(4)).toEqual(all(4, 200));
    expect(fails.requests).toBeGreaterThan(3);
  });
});
