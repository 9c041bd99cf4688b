import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import type { ControlPlaneOptions } from '../../../lab/control-plane/options.ts';
import { startControlPlane } from '../../../lab/control-plane/start.ts';
import { eventuallyWith } from '../eventually.ts';
import { binaries } from './binaries.ts';

let addresses = 0;

/** Starts a control plane on the next address 127.0.1.N of this process. The caller stops it. */
export async function startTestControlPlane(options: Partial<ControlPlaneOptions> = {}): Promise<ControlPlane> {
  addresses += 1;
  const address = `127.0.1.${addresses}`;
  const programs = options.binaries ?? (await binaries());
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tideline-control-plane-')));
  return startControlPlane({ address, ...options, binaries: programs, folder });
}

/** One control plane for all tests of a file, which starts before the first test and stops after the last. */
export function withControlPlane(options: Partial<ControlPlaneOptions> = {}): () => ControlPlane {
  let plane: ControlPlane | undefined;
  beforeAll(async () => {
    plane = await startTestControlPlane(options);
  });
  afterAll(async () => {
    await plane?.stop();
  });
  return () => {
    if (plane === undefined) throw new Error('the control plane is there only inside tests and hooks');
    return plane;
  };
}

/** Waits with few attempts, because most of them start a kubectl, which takes a fifth of a second of a processor. */
export const eventually = eventuallyWith({ timeoutMs: 60_000, everyMs: 250 });
