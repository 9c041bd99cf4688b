import { Agent } from 'node:http';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/planes/edge/table.ts';
import { promised } from '../../support/promised.ts';
import { backend, eventually, host, type Reply, seen, table, World } from './world.ts';

const key = 'n/s/80';
const hosts = [host('www.example', { 'prefix /': key })];
let world: World;
let a: Endpoint;
let b: Endpoint;

/**
 * Addresses at which nobody answers, as those of a server that died. They are neighbours, as the pods of one server
 * are.
 */
const dead = [1, 2, 3, 4].map((index): Endpoint => ({ address: `10.77.2.${index}`, port: 8000 }));
/** An address at which the host answers but no program listens: the connection is refused at once. */
const refusing = (port: number): Endpoint => ({ address: '10.77.0.1', port });

/** How long an endpoint comes last, and how long a connection may take to be made, as the README of the driver says. */
const avoidedMs = { silent: 10_000, refused: 1000 } as const;
const connectMs = 2000;

beforeAll(async () => {
  // There is only one worker process, because workers do not share what they know of endpoints.
  world = await World.create({ workers: 1 });
  [a, b] = await Promise.all([world.pod('a', 1), world.pod('b', 2)]);
});
afterAll(() => world.destroy());

const serves = (...endpoints: readonly Endpoint[]): Promise<unknown> =>
  world.plane.apply(table({ hosts, backends: [backend(key, ...endpoints)] }));

async function timed(): Promise<{ readonly reply: Reply; readonly ms: number }> {
  const begin = performance.now();
  const reply = await world.ask({ host: 'www.example' });
  return { reply, ms: performance.now() - begin };
}

describe('a server that died with four of six pods', () => {
  const slowOnes = async (requests: number): Promise<readonly number[]> => {
    const slow: number[] = [];
    for (let n = 0; n < requests; n += 1) {
      const { reply, ms } = await timed();
      expect(reply.status).toBe(200);
      if (ms > 1000) slow.push(Math.round(ms));
    }
    return slow;
  };

  it('fails no request, and slows down one for each pod', async () => {
    const beganMs = performance.now();
    await serves(...dead, a, b);
    const slow = await slowOnes(60);
    expect(slow.length, slow.join()).toBeGreaterThan(0);
    const times = 1 + Math.floor((performance.now() - beganMs) / 10_000);
    expect(slow.length, slow.join()).toBeLessThanOrEqual(dead.length * times);
    // The endpoints that are left share the load evenly.
    const whos: string[] = [];
    for (let n = 0; n < 20; n += 1) whos.push(seen((await timed()).reply).who);
    expect(whos.filter((who) => who === 'a')).toHaveLength(10);
  }, 60_000);

  it('is remembered over a change of the other endpoints, for ten seconds; then it is asked again', async () => {
    const silent: Endpoint = { address: '10.77.2.9', port: 8000 };
    await serves(silent, a);
    const beganMs = performance.now();
    expect(await slowOnes(4)).toHaveLength(1);
    const avoidedSinceMs = performance.now();
    await serves(silent, a, b);
    expect(await slowOnes(9)).toEqual([]);
    // Of many requests that come when its time is over, one asks it.
    const slowAtOnce = async (): Promise<number> =>
      (await Promise.all(Array.from({ length: 20 }, timed))).filter(({ ms }) => ms > connectMs - 100).length;
    let probing = 0;
    await eventually(
      async () => {
        probing = await slowAtOnce();
        return probing > 0;
      },
      { timeoutMs: promised(avoidedMs.silent), everyMs: 200 },
    );
    expect(probing).toBe(1);
    expect(performance.now() - beganMs).toBeGreaterThan(avoidedMs.silent);
    expect(performance.now() - avoidedSinceMs).toBeLessThan(promised(avoidedMs.silent + connectMs));
  }, 60_000);
});

describe('a client that goes away while its request waits for a connection', () => {
  it('takes no share from the endpoint, of which nothing was learned', async () => {
    await serves({ address: '10.77.2.20', port: 8000 }, a);
    const gaveUp = async (): Promise<boolean> => {
      const agent = new Agent();
      const answer = world.ask({ host: 'www.example', agent }).then(
        () => false,
        () => true,
      );
      await Promise.race([answer, sleep(500)]);
      agent.destroy();
      return answer;
    };
    await eventually(gaveUp);
    const next = [await timed(), await timed()];
    expect(next.map(({ reply }) => reply.status)).toEqual([200, 200]);
    expect(next.filter(({ ms }) => ms > connectMs - 100)).toHaveLength(1);
  });
});

describe('an endpoint that refused a connection', () => {
  let late: Server | undefined;
  let connections = 0;
  let port = 9100;

  const appear = async (): Promise<void> => {
    late = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{"who":"late"}'),
      );
    });
    await new Promise<void>((resolve) => {
      late?.listen(port, '10.77.0.1', resolve);
    });
  };
  const ask = async (times: number): Promise<readonly string[]> => {
    const whos: string[] = [];
    for (let n = 0; n < times; n += 1) whos.push(seen((await timed()).reply).who);
    return whos;
  };

  beforeEach(() => {
    connections = 0;
    port += 1;
  });
  afterEach(() => {
    late?.close();
    late = undefined;
  });

  it('comes last for a second, and then is asked again', async () => {
    await serves(a, refusing(port));
    expect(new Set(await ask(4))).toEqual(new Set(['a']));
    const refused = async () => (await world.errorLog()).split(`upstream: "http://10.77.0.1:${port}/`).length - 1;
    const beganMs = performance.now();
    while (performance.now() - beganMs < 3000) expect(await ask(1)).toEqual(['a']);
    // The endpoint was tried once a second, not with every other request, and not never.
    expect(await refused()).toBeGreaterThanOrEqual(2);
    expect(await refused()).toBeLessThanOrEqual(5);
    await appear();
    const served = async () => (await ask(10)).filter((who) => who === 'late').length === 5;
    await eventually(served, { timeoutMs: promised(avoidedMs.refused) });
  }, 60_000);

  it('is asked all the same when no other one is left', async () => {
    await serves(refusing(port));
    for (let n = 0; n < 3; n += 1) expect((await timed()).reply.status).toBe(502);
    await appear();
    expect(await ask(3)).toEqual(['late', 'late', 'late']);
  });
});

describe('what a worker knows of an endpoint', () => {
  const other = 'n/other/80';
  const twoHosts = [...hosts, host('other.example', { 'prefix /': other })];
  const slow = async (name: string, requests: number): Promise<number> => {
    let count = 0;
    for (let n = 0; n < requests; n += 1) {
      const begin = performance.now();
      expect((await world.ask({ host: name })).status).toBe(200);
      if (performance.now() - begin > 1000) count += 1;
    }
    return count;
  };
  const silentAt = (index: number): Endpoint => ({ address: `10.77.1.${index}`, port: 8000 });
  /** A pod appears at an address at which nobody answered; the kernel must not remember that instead of nginx. */
  const appear = async (index: number): Promise<void> => {
    await world.pod('late', index);
    await world.network.ip('edge', 'neigh', 'flush', 'dev', 'eth0');
  };
  const lateAsOften = async (): Promise<number> => {
    const whos: string[] = [];
    for (let n = 0; n < 10; n += 1) whos.push(seen((await timed()).reply).who);
    return whos.filter((who) => who === 'late').length;
  };

  it('is not held against a new pod with the address of a deleted one', async () => {
    await serves(silentAt(30), a);
    expect(await slow('www.example', 4)).toBe(1);
    await serves(a);
    expect(await slow('www.example', 1)).toBe(0);
    await appear(30);
    await serves(silentAt(30), a);
    expect(await lateAsOften()).toBe(5);
  }, 30_000);

  it('is not held against it either when no request came in between', async () => {
    await serves(silentAt(31), a);
    expect(await slow('www.example', 4)).toBe(1);
    await appear(31);
    await serves(a);
    await serves(silentAt(31), a);
    expect(await lateAsOften()).toBe(5);
  }, 30_000);

  it('is not held against a pod of another Service with the same address', async () => {
    const dead: Endpoint = silentAt(32);
    await world.plane.apply(table({ hosts: twoHosts, backends: [backend(key, dead, a), backend(other, a)] }));
    expect(await slow('www.example', 4)).toBe(1);
    await appear(32);
    await world.plane.apply(table({ hosts: twoHosts, backends: [backend(key, a), backend(other, dead)] }));
    expect(seen(await world.ask({ host: 'other.example' })).who).toBe('late');
    await world.plane.apply(table({ hosts: twoHosts, backends: [backend(key, a), backend(other, dead, a)] }));
    const whos: string[] = [];
    for (let n = 0; n < 10; n += 1) whos.push(seen(await world.ask({ host: 'other.example' })).who);
    expect(whos.filter((who) => who === 'late')).toHaveLength(5);
  }, 30_000);
});

describe('an endpoint that takes connections and breaks them', () => {
  it('is asked again and again: it can be reached, and what it breaks may be only this request', async () => {
    let connections = 0;
    const breaking = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => {
      breaking.listen(9200, '10.77.0.1', resolve);
    });
    try {
      await serves(a, refusing(9200));
      for (let n = 0; n < 20; n += 1) expect((await timed()).reply.status).toBe(200);
      expect(connections).toBe(10);
    } finally {
      breaking.close();
    }
  });
});
