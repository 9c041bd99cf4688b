import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataPlaneStatus, Endpoint, RoutingTable } from '../../../src/planes/edge/table.ts';
import { backend, eventually, host, table, World } from './world.ts';

let world: World;
let endpoints: readonly Endpoint[];
let turn = 0;
const file = (name: string): string => join(world.folder, name);

beforeAll(async () => {
  world = await World.create({}, await readFile(new URL('./faults/die.lua', import.meta.url), 'utf8'));
  endpoints = await Promise.all([world.pod('a', 1), world.pod('b', 2)]);
});
afterAll(() => world.destroy());

/** Two tables that share one host and nothing else: a mixture of them cannot answer as either. */
function tableOf(which: number, size: number): RoutingTable {
  const key = `n/s${which}/80`;
  const names = ['www.example', ...Array.from({ length: size }, (_, n) => `h${n}-${which}.example`)];
  return table({
    hosts: names.map((name) => host(name, { 'prefix /': key })),
    backends: [backend(key, endpoints[which] as Endpoint)],
  });
}

const whole = (which: number): string => (which === 0 ? 'a 200 404' : 'b 404 200');

/** What new connections get: the pod behind the common host, and the status of the last host of either table. */
async function served(size: number): Promise<readonly string[]> {
  const answers = new Set<string>();
  for (let n = 0; n < 8; n += 1) {
    const replies = await Promise.all(
      ['www.example', `h${size - 1}-0.example`, `h${size - 1}-1.example`].map((name) => world.ask({ host: name })),
    );
    answers.add([replies[0]?.headers['x-pod'], replies[1]?.status, replies[2]?.status].join(' '));
  }
  return [...answers];
}

/**
 * Pushes the other table; the worker that takes it dies before its `points[0]`-th write, the worker that takes over
 * before its `points[1]`-th. Resolves with the number of workers that died; it is lower when there were fewer writes.
 */
async function pushAndDie(size: number, ...points: readonly number[]): Promise<number> {
  const [before, after] = [turn % 2, (turn + 1) % 2];
  turn += 1;
  const what = `before write ${points.join(', then ')}`;
  let done = false;
  let died = 0;
  let workers = await world.nginx.workerPids();
  await writeFile(file('die-at'), String(points[0]));
  const pending = world.plane.apply(tableOf(after, size)).finally(() => {
    done = true;
  });
  while (died < points.length) {
    await eventually(() => done || existsSync(file('held')), { timeoutMs: 30_000 });
    if (done) break;
    died += 1;
    workers = await replaced(workers);
    const answers = await served(size);
    expect(answers, what).toHaveLength(1);
    expect([whole(before), whole(after)], what).toContain(answers[0]);
    const next = points[died];
    if (next !== undefined) await writeFile(file('die-at'), String(next));
    await rm(file('held'));
  }
  await pending;
  expect(await served(size), what).toEqual([whole(after)]);
  const { hosts, backends } = (await world.control('GET', '/v1/status')).body as DataPlaneStatus;
  expect({ hosts, backends }, what).toEqual({ hosts: size + 1, backends: 1 });
  return died;
}

/** Waits until one of the workers was replaced; resolves with the present workers. */
async function replaced(workers: readonly number[]): Promise<readonly number[]> {
  let now: readonly number[] = [];
  await eventually(
    async () => {
      now = await world.nginx.workerPids();
      return now.length === 2 && now.some((pid) => !workers.includes(pid));
    },
    { timeoutMs: 30_000 },
  );
  return now;
}

async function writesOf(size: number): Promise<number> {
  expect(await pushAndDie(size, 1e9)).toBe(0);
  return Number(await readFile(file('count'), 'utf8'));
}

/** The first and last writes, where a transaction is opened and closed, and some in between. */
function pointsOf(writes: number, some: number): readonly number[] {
  const between = Array.from({ length: some }, (_, n) => Math.round((writes * (n + 0.5)) / some));
  const edges = Array.from({ length: 6 }, (_, n) => [n + 1, writes - n]).flat();
  return [...new Set([...edges, ...between])].filter((at) => at >= 1 && at <= writes).toSorted((x, y) => x - y);
}

describe('a worker killed in the middle of a change leaves no half of it', () => {
  const newDriver = async (): Promise<void> => {
    await world.plane.stop();
    world.startDriver();
  };

  it('in one part, at any write', async () => {
    await world.plane.apply(tableOf(0, 2));
    const writes = await writesOf(2);
    expect(writes).toBeGreaterThan(20);
    for (let at = 1; at <= writes; at += 1) expect(await pushAndDie(2, at)).toBe(1);
  });

  it('in several parts', async () => {
    await world.plane.apply(tableOf(turn % 2, 400));
    const writes = await writesOf(400);
    for (const at of pointsOf(writes, 10)) expect(await pushAndDie(400, at)).toBe(1);
  });

  it('of everything', async () => {
    await newDriver();
    const writes = await writesOf(400);
    for (const at of pointsOf(writes, 10)) {
      await newDriver();
      expect(await pushAndDie(400, at)).toBe(1);
    }
  });

  it('nor when the worker that tidies up after it is killed as well', async () => {
    await world.plane.apply(tableOf(turn % 2, 30));
    const writes = await writesOf(30);
    for (const at of pointsOf(writes, 3).slice(3, -3)) {
      for (const again of [2, 5, 20]) expect(await pushAndDie(30, at, again)).toBe(2);
    }
  });

  it('and nginx itself stays', async () => {
    expect(await world.nginx.reloads()).toBe(0);
    const log = await world.errorLog();
    expect(log).toContain('exited on signal 9');
    expect(log).not.toContain('SharedMemoryTorn');
  });
});
