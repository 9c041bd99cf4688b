import { appendFile, chmod, readFile, stat, truncate } from 'node:fs/promises';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { promised } from '../../support/promised.ts';
import { backend, eventually, host, seen, table, World } from './world.ts';

let world: World;
const key = 'n/s/80';
const size = 2000;

async function serving(overrides: Partial<NginxSettings> = {}): Promise<void> {
  world = await World.create(overrides, await readFile(new URL('./faults/hold.lua', import.meta.url), 'utf8'));
  await chmod(world.folder, 0o711);
  const names = ['www.example', ...Array.from({ length: size }, (_, n) => `h${n}.example`)];
  const hosts = names.map((name) => host(name, { 'prefix /': key }));
  await world.plane.apply(table({ hosts, backends: [backend(key, await world.pod('a', 1))] }));
}
afterEach(() => world.destroy());

/** Keeps a worker inside calls of a zone; resolves with its pid. */
function holding(): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: world.nginx.controlSocket, path: '/test/hold' }, (response) => {
      response.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
      response.on('error', () => undefined);
    });
    call.on('error', reject);
    call.end();
  });
}

/**
 * Kills workers inside calls of a zone until nginx reports that one held the lock, which is nearly always the first;
 * resolves with its pid.
 */
async function killInside(): Promise<number> {
  for (;;) {
    const before = await world.nginx.workerPids();
    const victim = await holding();
    process.kill(victim, 'SIGKILL');
    const ended = `process ${victim} exited on signal 9`;
    await eventually(
      async () => {
        if (!(await world.errorLog()).includes(ended)) return false;
        const now = await world.nginx.workerPids();
        return now.length === 0 || now.some((pid) => !before.includes(pid));
      },
      { timeoutMs: 30_000 },
    );
    if ((await world.errorLog()).includes(`"tideline_hosts" was locked by ${victim}`)) return victim;
  }
}

async function masterEnded(): Promise<boolean> {
  return await Promise.race([
    world.nginx.daemon.exited.then(() => true),
    new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(false), 20_000).unref();
    }),
  ]);
}

/** Starts nginx again and expects that it gets everything from the driver and serves as before. */
async function startAgain(): Promise<void> {
  const before = world.plane.status()?.instance;
  await world.startNginx();
  await eventually(
    () => {
      const status = world.plane.status();
      return status !== undefined && status.instance !== before && status.hosts === size + 1;
    },
    { timeoutMs: 30_000 },
  );
  for (const name of ['www.example', 'h0.example', `h${size - 1}.example`])
    expect(seen(await world.ask({ host: name })).who).toBe('a');
}

/** Kills an idle worker and expects that the master starts another one and stays, because no memory is torn. */
async function killIdleWorker(): Promise<void> {
  const [victim, ...others] = await world.nginx.workerPids();
  process.kill(victim as number, 'SIGKILL');
  await eventually(async () => {
    const now = await world.nginx.workerPids();
    return now.length === 2 && now.some((pid) => pid !== victim && !others.includes(pid));
  });
  for (let n = 0; n < 20; n += 1)
    expect((await world.ask({ path: '/.well-known/tideline/health/video' })).status).toBe(200);
}

describe('a worker killed inside a call of shared memory', () => {
  it('ends nginx; the next one gets everything pushed, and is not ended by what the log says of others', async () => {
    await serving();
    await killIdleWorker();
    const victim = await killInside();
    expect(await masterEnded()).toBe(true);
    expect(await world.errorLog()).toMatch(
      new RegExp(`\\[emerg\\].*SharedMemoryTorn: worker ${victim} died while it held tideline_hosts`),
    );
    // Pids are used again: whichever pid the next master gets, an alert says that an earlier master with that pid had
    // torn memory.
    const old = Array.from(
      { length: 500 },
      (_, n) =>
        `2026/11/23 02:34:10 [alert] ${victim + n}#${victim + n}: shared memory zone "tideline_hosts" was locked by 239`,
    );
    await appendFile(world.alertsFile, `${old.join('\n')}\n`);
    await startAgain();
    expect(world.nginx.masterPid).toBeGreaterThan(victim);
    expect(world.nginx.masterPid).toBeLessThan(victim + 500);
    await killIdleWorker();
  });

  it('ends nginx after a reload and when its log was begun anew, too', async () => {
    await serving();
    const before = await world.nginx.workerPids();
    world.nginx.daemon.kill('SIGHUP');
    await eventually(async () => {
      const now = await world.nginx.workerPids();
      return now.length === 2 && now.every((pid) => !before.includes(pid));
    });
    expect(await world.nginx.reloads()).toBe(1);
    await truncate(world.alertsFile);
    await killInside();
    expect(await masterEnded()).toBe(true);
    await startAgain();
    expect(await world.nginx.reloads()).toBe(0);
  });

  it('is found among the alerts of an overloaded nginx, which take no more than a megabyte', async () => {
    await serving();
    const flood = '2026/11/23 02:34:10 [alert] 7#7: 8192 worker_connections are not enough\n'.repeat(60_000);
    for (let n = 1; n <= 3; n += 1) {
      await appendFile(world.alertsFile, flood);
      await eventually(async () => {
        await world.ask({ path: '/.well-known/tideline/health/video' });
        const { size: length, blocks } = await stat(world.alertsFile);
        expect(length).toBeGreaterThanOrEqual(n * flood.length);
        return blocks * 512 < 1.2 * 2 ** 20;
      });
    }
    await killInside();
    expect(await masterEnded()).toBe(true);
    await startAgain();
  });

  it('makes the blade unfit where workers may not end nginx, and the log says what to do', async () => {
    await serving({ user: 'daemon' });
    await killInside();
    const paths = ['/.well-known/tideline/blade', '/.well-known/tideline/health/video'];
    // Each worker finds the alert within a second, as the README of the driver promises.
    for (const path of paths) {
      const torn = async (): Promise<boolean> => {
        const replies = await Promise.all(Array.from({ length: 16 }, () => world.askItself(path)));
        return replies.every(({ status, body }) => status === 503 && JSON.parse(body).reason === 'SharedMemoryTorn');
      };
      await eventually(torn, { timeoutMs: promised(1000) });
    }
    expect(await world.errorLog()).toMatch(/\[emerg\].*SharedMemoryTorn: .*restart nginx/);
    expect((await world.ask({ host: 'www.example' })).status).toBe(200);
    await world.nginx.kill();
    await startAgain();
    expect((await world.askItself(paths[0] as string)).status).toBe(200);
  });
});
