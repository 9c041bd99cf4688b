import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Deadline } from './deadline.ts';

const stall = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it('ends a wait without an answer after its time, and after a renewal later', async () => {
  const expired = vi.fn();
  const startedMs = performance.now();
  const deadline = new Deadline(80, expired);
  setTimeout(() => deadline.renew(), 40);
  await vi.waitFor(() => expect(expired).toHaveBeenCalledOnce());
  expect(performance.now() - startedMs).toBeGreaterThan(90);
});

it('never ends a wait that was cancelled', async () => {
  const expired = vi.fn();
  new Deadline(20, expired).cancel();
  await pause(60);
  expect(expired).not.toHaveBeenCalled();
});

it('reads an answer that came while the thread stood still for longer than the time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deadline-'));
  const path = join(folder, 'socket');
  const server = createServer((socket) => void socket.end('answer')).listen(path);
  await once(server, 'listening');
  const expired = vi.fn();
  const socket = connect(path);
  await once(socket, 'connect');
  const deadline = new Deadline(200, expired);
  setImmediate(() => stall(500));
  await once(socket, 'data');
  deadline.cancel();
  expect(expired).not.toHaveBeenCalled();
  server.close();
  await rm(folder, { recursive: true });
});
