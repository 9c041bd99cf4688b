import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlChannel } from './control.ts';

let folder: string;
let server: Server;
let channel: ControlChannel;
let taken: number;
let answer: RequestListener;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-'));
  taken = 0;
  const socketPath = join(folder, 'nginx.sock');
  server = createServer((request, response) => answer(request, response)).listen(socketPath);
  await once(server, 'listening');
  channel = new ControlChannel(socketPath, () => {
    taken += 1;
  });
});
afterEach(async () => {
  channel.close();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** Sends pieces until the reader has gone, and counts their bytes. */
function endless(): () => number {
  let sent = 0;
  answer = (_, response) => {
    const piece = Buffer.alloc(1 << 20, 32);
    const more = (): void => {
      while (!response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
    };
    more();
  };
  return () => sent;
}

it('ends an answer without end, and has read little of it', async () => {
  const sent = endless();
  await expect(channel.status()).rejects.toThrow('an answer of more than 16777216 bytes');
  expect(sent()).toBeLessThan(32 << 20);
});

it('takes no acknowledgement from an answer without end', async () => {
  endless();
  const base = { instance: 'a', generation: 1 };
  await expect(channel.delta(base, '"hosts":{}')).rejects.toThrow('an answer of more than 16777216 bytes');
  expect(taken).toBe(0);
});

it('waits no longer than a second for a status that does not come, or stops in the middle', async () => {
  for (const start of ['', '{"instance":']) {
    answer = (_, response) => void (start === '' || response.write(start));
    await expect(channel.status()).rejects.toThrow('no answer within 1000 ms');
  }
});

it.each([
  ['garbage', 'not JSON'],
  ['a list', '[]'],
  ['a deep value', '['.repeat(100_000)],
  ['fields of another type', '{"instance":1,"generation":"x"}'],
])('refuses %s as a status', async (_, body) => {
  answer = (__, response) => response.end(body);
  await expect(channel.status()).rejects.toThrow();
});

it('is usable again after such an answer', async () => {
  endless();
  await expect(channel.status()).rejects.toThrow();
  answer = (_, response) => response.end('{"generation":4}');
  const base = { instance: 'a', generation: 3 };
  expect(await channel.delta(base, '"hosts":{}')).toEqual({ generation: 4, leftOut: [] });
});
