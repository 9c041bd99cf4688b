import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataPlaneStatus, Endpoint } from '../../../src/planes/edge/table.ts';
import { backend, eventually, host, seen, table, vip, World } from './world.ts';

let world: World;
let a: Endpoint;
let b: Endpoint;
const key = 'n/s/80';
const hosts = [host('www.example', { 'prefix /': key })];

beforeAll(async () => {
  world = await World.create();
  [a, b] = await Promise.all([world.pod('a', 1), world.pod('b', 2)]);
});
afterAll(() => world.destroy());

/** Reads bytes of a raw connection until they contain `text`. */
function readUntil(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = '';
    const onData = (chunk: Buffer): void => {
      all += chunk.toString();
      if (!all.includes(text)) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(all);
    };
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(all)}`));
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

describe('a change', () => {
  it('is seen by the very next request, on every worker, without a reload', async () => {
    const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const workers = await world.nginx.workerPids();
    expect(workers).toHaveLength(2);
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    for (let turn = 0; turn < 60; turn += 1) {
      const [endpoint, who] = turn % 2 === 0 ? [b, 'b'] : [a, 'a'];
      if (turn % 4 < 2) await world.plane.applyEndpoints([backend(key, endpoint), backend('n/unknown/1', a)]);
      else await world.plane.apply(table({ hosts, backends: [backend(key, endpoint)] }));
      for (const agent of agents) expect(seen(await world.ask({ host: 'www.example', agent })).who).toBe(who);
    }
    for (const agent of agents) agent.destroy();
    expect(await world.nginx.workerPids()).toEqual(workers);
    expect(await world.nginx.reloads()).toBe(0);
  });

  it('spreads requests over all endpoints', async () => {
    await world.plane.applyEndpoints([backend(key, a, b)]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const whos: string[] = [];
    for (let n = 0; n < 10; n += 1) whos.push(seen(await world.ask({ host: 'www.example', agent })).who);
    agent.destroy();
    expect(whos.filter((who) => who === 'a')).toHaveLength(5);
  });

  it('does not disturb an upgraded connection', async () => {
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    const socket = connect(80, vip);
    socket.write('GET /ws HTTP/1.1\r\nHost: www.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1.1 101 /);
    for (let turn = 0; turn < 100; turn += 1) {
      const others = [host(`h${turn}.example`, { 'prefix /': 'n/o/80' })];
      await world.plane.apply(
        table({ hosts: [...others, ...hosts], backends: [backend('n/o/80', b), backend(key, turn % 2 === 0 ? b : a)] }),
      );
      const echo = readUntil(socket, `<${turn}>`);
      socket.write(`<${turn}>`);
      await echo;
    }
    socket.destroy();
    expect(await world.nginx.reloads()).toBe(0);
  });

  it('replaces everything at once: no request sees half of it', async () => {
    const world1 = table({
      hosts: [host('www.example', { 'prefix /': 'n/one/80' })],
      backends: [backend('n/one/80', a)],
    });
    const world2 = table({
      hosts: [host('www.example', { 'prefix /': 'n/two/80' })],
      backends: [backend('n/two/80', b)],
    });
    await world.plane.apply(world1);
    let running = true;
    const statuses = new Set<number>();
    const client = async (): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (running) statuses.add((await world.ask({ host: 'www.example', agent })).status);
      agent.destroy();
    };
    const clients = [client(), client(), client()];
    for (let turn = 0; turn < 100; turn += 1) await world.plane.apply(turn % 2 === 0 ? world2 : world1);
    running = false;
    await Promise.all(clients);
    expect([...statuses]).toEqual([200]);
  });
});

describe('tables and endpoints that overtake each other', () => {
  it('end with the last word on every backend, whatever was in flight', async () => {
    const keys = Array.from({ length: 5 }, (_, n) => `n/s${n}/80`);
    const hostOf = (n: number) => host(`s${n}.example`, { 'prefix /': `n/s${n}/80` });
    const random = (below: number) => Math.floor(Math.random() * below);
    for (let round = 0; round < 15; round += 1) {
      const last = new Map(keys.map((name) => [name, a]));
      const calls: Promise<unknown>[] = [];
      for (let step = 0; step < 30; step += 1) {
        const name = keys[random(keys.length)] ?? '';
        last.set(name, last.get(name) === a ? b : a);
        // Either the whole newest table is applied, as after a compile, or only the endpoints, as on the fast path; no
        // call waits for nginx.
        if (random(3) === 0 || step === 0) {
          const backends = [...last].map(([of, endpoint]) => backend(of, endpoint));
          calls.push(world.plane.apply(table({ hosts: keys.map((_, n) => hostOf(n)), backends })));
        } else calls.push(world.plane.applyEndpoints([backend(name, last.get(name) ?? a)]));
        if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)));
      }
      await Promise.all(calls);
      const replies = await Promise.all(keys.map((_, n) => world.ask({ host: `s${n}.example` })));
      expect(replies.map((reply) => seen(reply).who)).toEqual([...last.values()].map((one) => (one === a ? 'a' : 'b')));
    }
  });
});

describe('a request', () => {
  it('carries the address of the client, and nothing that the client says about it', async () => {
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    const lies = {
      'X-Forwarded-For': '1.2.3.4',
      'X-Real-IP': '1.2.3.4',
      'X-Forwarded-Host': 'evil',
      'X-Forwarded-Proto': 'gopher',
      'X-Request-ID': 'mine',
      Forwarded: 'for=1.2.3.4',
      Proxy: 'http://evil',
      Upgrade: 'h2c',
      Connection: 'Upgrade',
      'X-Own': 'kept',
    };
    const { headers } = seen(await world.ask({ host: 'WWW.example:80', path: '/%2e/x?y=%20', headers: lies }));
    expect(headers).toMatchObject({
      host: 'WWW.example:80',
      'x-real-ip': '10.77.0.1',
      'x-forwarded-for': '10.77.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'WWW.example:80',
      'x-forwarded-port': '80',
      'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'x-own': 'kept',
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['forwarded']));
    for (const name of ['forwarded', 'proxy', 'upgrade', 'connection']) expect(headers[name]).toBeUndefined();
  });

  it('has a name that no other request has', async () => {
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    const replies = await Promise.all(Array.from({ length: 50 }, () => world.ask({ host: 'www.example' })));
    const names = replies.map((reply) => String(seen(reply).headers['x-request-id']));
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has one host: the one of its request line, when that has one', async () => {
    const reply = await world.ask({ host: 'other.example', path: 'http://www.example/x' });
    expect(seen(reply)).toMatchObject({
      url: '/x',
      headers: { host: 'www.example', 'x-forwarded-host': 'www.example' },
    });
    expect((await world.ask({ host: 'www.example', path: 'http://other.example/x' })).status).toBe(404);
  });

  it('cannot make a pod steer nginx', async () => {
    const reply = await world.ask({ host: 'www.example', path: '/steer' });
    expect(seen(reply).who).toBe('a');
  });

  it('goes to another endpoint when one cannot be reached', async () => {
    const closed = { address: '10.77.0.1', port: 9 };
    await world.plane.applyEndpoints([backend(key, closed, a)]);
    for (const method of ['GET', 'POST', 'GET', 'POST'])
      expect(seen(await world.ask({ host: 'www.example', method, body: 'x' }))).toMatchObject({ who: 'a', method });
    await world.plane.applyEndpoints([backend(key, closed)]);
    expect((await world.ask({ host: 'www.example' })).status).toBe(502);
  });
});

describe('health', () => {
  it('is answered for any host: reported, unknown, impossible', async () => {
    await world.plane.setHealth({
      policies: [
        { policy: 'video', healthy: true, reason: 'BackendsServing' },
        { policy: 'audio', healthy: false, reason: 'BelowThreshold' },
      ],
      watched: [],
      measured: [],
      accessLog: 'sampled',
    });
    const ask = async (policy: string) => {
      const reply = await world.ask({ host: 'nobody.example', path: `/.well-known/tideline/health/${policy}` });
      return [reply.status, JSON.parse(reply.body).state, JSON.parse(reply.body).reason];
    };
    expect(await ask('video')).toEqual([200, 'healthy', 'BackendsServing']);
    expect(await ask('audio')).toEqual([503, 'unhealthy', 'BelowThreshold']);
    expect(await ask('other')).toEqual([200, 'unknown', 'Unknown']);
    expect(await ask('x%0ay')).toEqual([404, undefined, 'PolicyInvalid']);
    expect((await world.ask({ host: 'www.example', path: '/.well-known/tideline/other' })).status).toBe(404);
  });
});

describe('draining', () => {
  it('ends keep-alive connections after the response', async () => {
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    const connection = async () =>
      await world.ask({ host: 'www.example', path: '/a%2Fb?c', agent: new Agent({ keepAlive: true }) });
    expect((await connection()).headers.connection).toBe('keep-alive');
    await world.plane.setDraining(true);
    const reply = await connection();
    expect(reply.headers.connection).toBe('close');
    expect(seen(reply)).toMatchObject({ who: 'a', url: '/a%2Fb?c' });
    expect(world.plane.status()?.draining).toBe(true);
    await world.plane.setDraining(false);
    expect((await connection()).headers.connection).toBe('keep-alive');
  });
});

describe('nginx killed and started again', () => {
  it('gets everything pushed again, and the driver tells its listeners what happens', async () => {
    await world.plane.setHealth({
      policies: [{ policy: 'video', healthy: false, reason: 'BelowThreshold' }],
      watched: [],
      measured: [],
      accessLog: 'sampled',
    });
    await world.plane.setDraining(true);
    const before = world.plane.status();
    const said: (DataPlaneStatus | undefined)[] = [];
    const end = world.plane.onStatus((status) => said.push(status));
    await world.nginx.kill();
    await eventually(() => world.plane.status() === undefined);
    const pending = world.plane.apply(table({ hosts, backends: [backend(key, b)] }));
    await world.startNginx();
    const generation = await pending;
    expect(generation).toBeGreaterThan(0);
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('b');
    await eventually(async () => (await world.ask({ path: '/.well-known/tideline/health/video' })).status === 503);
    const blade = await world.askItself('/.well-known/tideline/blade');
    const status = world.plane.status();
    expect(JSON.parse(blade.body)).toEqual({ instance: status?.instance, generation, draining: true });
    expect(status).toMatchObject({ generation, hosts: 1 });
    expect(status?.instance).not.toBe(before?.instance);
    expect(said.map((one) => one?.generation)).toEqual([undefined, 0, generation]);
    end();
    await world.plane.setDraining(false);
  });

  it('keeps its table when only the driver starts again, and takes one that is the same without writing anything', async () => {
    await world.plane.stop();
    world.startDriver();
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('b');
    await world.plane.apply(table({ hosts, backends: [backend(key, b)] }));
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('b');
    await eventually(() => world.plane.status()?.hosts === 1);
    await world.plane.apply(table({ hosts: [], backends: [] }));
    expect((await world.ask({ host: 'www.example' })).status).toBe(404);
  });

  it('takes over from another driver that changed the table meanwhile', async () => {
    const status = await world.control('GET', '/v1/status');
    const { instance, generation } = status.body as DataPlaneStatus;
    const other = { instance, generation, hosts: { upsert: [{ name: 'other.example', paths: [] }] } };
    expect((await world.control('POST', '/v1/delta', JSON.stringify(other))).status).toBe(200);
    await world.plane.apply(table({ hosts, backends: [backend(key, a)] }));
    await eventually(() => world.plane.status()?.hosts === 1);
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('a');
  });

  it('keeps its table and its driver over a reload that a person makes', async () => {
    const before = await world.nginx.workerPids();
    const instance = world.plane.status()?.instance;
    world.nginx.daemon.kill('SIGHUP');
    await eventually(async () => (await world.nginx.reloads()) === 1);
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('a');
    await world.plane.apply(table({ hosts, backends: [backend(key, b)] }));
    await eventually(async () => {
      const now = await world.nginx.workerPids();
      return now.length === before.length && now.every((pid) => !before.includes(pid));
    });
    expect(seen(await world.ask({ host: 'www.example' })).who).toBe('b');
    await eventually(() => world.plane.status()?.instance === instance);
  });
});
