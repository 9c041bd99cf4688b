import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Processes } from './lock.ts';

const mostBytes = 4096;

/** Processes of this machine, told apart by when they were started. */
export const processesHere: Processes = {
  here: { host: hostname(), pid: process.pid },
  async identityOf(pid) {
    try {
      const boot = await textOf('/proc/sys/kernel/random/boot_id');
      const stat = await textOf(`/proc/${pid}/stat`);
      // The name of the program stands in parentheses and may contain any character. After it come the state and, as the 20th field, the start.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : `${boot.trim()} ${fields[19] ?? ''}`;
    } catch {
      return undefined;
    }
  },
};

/** Files of /proc have no size, so that they are read until their end. */
async function textOf(path: string): Promise<string> {
  const handle = await open(path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}
