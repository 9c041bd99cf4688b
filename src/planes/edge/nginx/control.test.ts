import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ControlChannel } from './control.ts';

test('the status of an nginx that an older version started is read, with nothing where it says nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'control-'));
  const socketPath = join(folder, 'nginx.sock');
  const said = {
    instance: 'old',
    generation: 3,
    hosts: 1,
    backends: 1,
    certificates: 0,
    freeBytes: {},
    draining: false,
    activeConnections: 1,
  };
  const server = createServer((_, response) => response.end(JSON.stringify(said))).listen(socketPath);
  const channel = new ControlChannel(socketPath, () => undefined);
  try {
    await once(server, 'listening');
    expect(await channel.status()).toEqual({
      ...said,
      refusedPairs: {},
      refusedHandshakes: 0,
      answered: {},
      tries: {},
      backendTries: {},
      workers: [],
    });
  } finally {
    channel.close();
    server.close();
    await rm(folder, { recursive: true });
  }
});
