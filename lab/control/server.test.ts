import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ControlTarget, serveControl } from './server.ts';

it('makes a socket that only its owner may open, whatever the umask is, and leaves the umask as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-control-'));
  const target: ControlTarget = { status: async () => ({}), fault: async () => ({}), heal: async () => [], down() {} };
  const before = process.umask(0);
  try {
    const control = await serveControl(join(folder, 'lab.sock'), target);
    expect(statSync(join(folder, 'lab.sock')).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
    await control.stop();
  } finally {
    process.umask(before);
    rmSync(folder, { recursive: true });
  }
});
