import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Occupant } from '../state.ts';
import { askLab, occupantOf } from './client.ts';
import { type ControlTarget, serveControl } from './server.ts';

it('makes a socket that only its owner may open, whatever the umask is, and leaves the umask as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-control-'));
  const target = targetIn(folder, 'lab', () => undefined);
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

function targetIn(stateFolder: string, occupant: Occupant, down: () => void): ControlTarget {
  return { occupant, stateFolder, status: async () => ({}), fault: async () => ({}), heal: async () => [], down };
}

it('ends a demo only for who says that it is meant, and a lab for everybody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-control-'));
  try {
    for (const [occupant, path] of [
      ['demo', '/down?demo'],
      ['lab', '/down'],
      ['lab', '/down?demo'],
    ] as const) {
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const control = await serveControl(join(folder, 'lab.sock'), targetIn(folder, occupant, resolve));
      expect(await occupantOf(folder)).toBe(occupant);
      if (occupant === 'demo')
        await expect(askLab(folder, 'POST', '/down')).rejects.toThrow(
          /\(DemoRunning\)\n {4}fix: leave it with q on its terminal, or .*: tideline lab down --state \S+ --demo$/,
        );
      await askLab(folder, 'POST', path);
      await ended;
      await control.stop();
      expect(await occupantOf(folder)).toBe(undefined);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
