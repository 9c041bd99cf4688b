import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from './connect.ts';

it('does not wait for a plugin that hangs, nor does a request wait longer than it may', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'connect-'));
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    const command = join(folder, 'plugin');
    await writeFile(command, '#!/bin/sh\nexec sleep 20\n');
    await chmod(command, 0o755);
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1' } };
    const user = { name: 'u', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command } } };
    const context = { name: 'x', context: { cluster: 'c', user: 'u' } };
    const config = { clusters: [cluster], users: [user], contexts: [context], 'current-context': 'x' };
    await writeFile(kubeconfig, JSON.stringify(config));
    const beganMs = performance.now();
    const client = await connect({ kubeconfig });
    expect(client.server).toBe(kubeconfig);
    const asked = client.request({ path: '/version', timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({ reason: 'NoCredentials' });
    expect(performance.now() - beganMs).toBeLessThan(15_000);
    await client.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
