import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';

it('the child of the contract tests outlives a client that goes just as ExaBGP speaks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-child-'));
  const path = join(folder, 'c.sock');
  const child = spawn(process.execPath, [fileURLToPath(new URL('child.ts', import.meta.url)), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const client = (): Promise<Socket> =>
    eventually(
      'the child listens',
      async () => {
        const socket = createConnection(path);
        await once(socket, 'connect');
        return socket;
      },
      { timeoutMs: 30_000, everyMs: 20 },
    );
  /** Sends a line as a client, and waits until it comes out of the child: the child has taken the connection. */
  const passes = async (socket: Socket): Promise<void> => {
    socket.write('command\n');
    await once(child.stdout, 'data');
  };
  const leaveWhileItSpeaks = async (): Promise<void> => {
    const leaving = await client();
    await passes(leaving);
    // Both happen while the child does not run.
    child.kill('SIGSTOP');
    const stopped = async (): Promise<boolean> => / T /.test(await readFile(`/proc/${child.pid}/stat`, 'utf8'));
    await eventually('the child is stopped', stopped, { timeoutMs: 30_000, everyMs: 10 });
    await new Promise((resolve) => child.stdin.write('a session is down\n', resolve));
    leaving.destroy();
    await once(leaving, 'close');
    child.kill('SIGCONT');
  };
  try {
    // The kernel may tell the child of both in either order, so that it takes several tries to see the bad one.
    for (let round = 0; round < 8; round += 1) await leaveWhileItSpeaks();
    const staying = await client();
    await passes(staying);
    const heard = once(staying, 'data');
    child.stdin.write('done\n');
    expect(String((await heard)[0])).toContain('done');
    expect(child.exitCode).toBeNull();
    staying.destroy();
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
