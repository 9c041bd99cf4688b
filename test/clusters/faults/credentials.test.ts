import { copyFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../lab/control-plane/pki/certificate.ts';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import type { TestCluster } from '../../support/source/cluster.ts';
import { prepare } from '../../support/source/prepare.ts';
import { Trial } from '../../support/source/trial.ts';

describe('credentials that end', () => {
  const plane = withControlPlane();
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
    await plane().apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent', namespace: 'video' } },
      reader,
    );
  });
  afterEach(() => trial.end());

  /** Ends all connections, because a connection is not authenticated again while it lasts. */
  const reconnect = async (): Promise<void> => {
    await trial.cluster.gate.cut();
    await trial.cluster.gate.restore();
  };
  /** Makes a token that is bound to a Secret: by deleting the Secret, a test chooses the moment at which the token expires. */
  const freshToken = async (secret: string): Promise<string> => {
    await plane().apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: 'video' } });
    const bound = ['--bound-object-kind=Secret', `--bound-object-name=${secret}`];
    return (await plane().kubectl(['create', 'token', 'agent', '-n', 'video', ...bound])).trim();
  };

  it('are a token: a new one on disk is taken', async () => {
    let file = '';
    const put = async (token: string): Promise<void> => {
      await writeFile(`${file}.new`, token);
      await rename(`${file}.new`, file);
    };
    trial = await Trial.begin(plane(), {}, async (cluster) => {
      file = join(cluster.folder, 'token');
      await put(await freshToken('first'));
      await writeFile(cluster.kubeconfig, await byToken(cluster, file));
      await sleep(1500);
    });
    await trial.endure(
      async () => {
        await plane().kubectl(['delete', 'secret', 'first', '-n', 'video']);
        // The apiserver caches a successful authentication for ten seconds.
        await sleep(11_000);
        await reconnect();
        await trial.judge.stale('SourceUnauthorized', 60_000);
        await put(await freshToken('second'));
      },
      { stale: ['SourceUnauthorized'], lateMs: 30_000 },
    );
    const users = await plane().audit(({ user, code }) => user === 'system:serviceaccount:video:agent' && code === 200);
    expect(users.length).toBeGreaterThan(0);
  });

  it('are a client certificate: a new kubeconfig is taken', async () => {
    trial = await Trial.begin(plane(), { timing: { watchSeconds: 1 } }, async (cluster) => {
      const identity = { user: 'short', groups: ['system:masters'] };
      const short = await plane().kubeconfigFor(identity, { server: cluster.gate.url, validSeconds: 15 });
      await copyFile(short, cluster.kubeconfig);
      await sleep(1500);
    });
    await trial.endure(
      async () => {
        await trial.judge.stale('SourceUnauthorized', 60_000);
        const fresh = await plane().kubeconfigFor(
          { user: 'short', groups: ['system:masters'] },
          { server: trial.cluster.gate.url },
        );
        await copyFile(fresh, trial.cluster.kubeconfig);
      },
      { stale: ['SourceUnauthorized'], lateMs: 40_000 },
    );
  });

  it('are an authority that was rotated: nothing is believed until the kubeconfig names the new one', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(
      async () => {
        await plane().rotateAuthority({ keepKubeconfigs: true });
        await plane().end('kube-controller-manager');
        await plane().end('kube-scheduler');
        await trial.judge.stale('SourceUntrusted', 60_000);
        const { state } = trial.judge;
        await sleep(3000);
        expect(trial.judge.state).toBe(state);
        expect(trial.judge.status).toMatchObject({ phase: 'stale', reason: 'SourceUntrusted' });
        await plane().rewriteKubeconfigs();
      },
      { stale: ['SourceUntrusted'] },
    );
  });

  it('are an authority and all kubeconfigs at once: the agent comes back by itself', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(async () => {
      await plane().rotateAuthority();
      await plane().end('kube-controller-manager');
      await plane().end('kube-scheduler');
    });
  });

  it('are asked for by a stranger in the place of the apiserver: it learns nothing', async () => {
    trial = await Trial.begin(plane());
    const { gate } = trial.cluster;
    const { hostname } = new URL(gate.url);
    const stranger = createAuthority('stranger').issue({ commonName: 'kube-apiserver', hosts: [hostname] });
    const heard: (string | undefined)[] = [];
    let attempts = 0;
    const impostor = createServer({ cert: stranger.certificate, key: stranger.key }, (request, response) => {
      heard.push(request.url);
      response.end('{}');
    });
    impostor.on('connection', () => {
      attempts += 1;
    });
    await trial.endure(
      async () => {
        await gate.cut();
        await new Promise<void>((resolve) => impostor.listen(gate.port, hostname, resolve));
        await trial.judge.stale('SourceUntrusted', 60_000);
        await expect.poll(() => attempts, { timeout: 30_000 }).toBeGreaterThan(10);
        impostor.closeAllConnections();
        await new Promise((resolve) => impostor.close(resolve));
        await gate.restore();
      },
      { stale: ['SourceUntrusted'] },
    );
    expect(heard).toEqual([]);
  });

  async function byToken(cluster: TestCluster, tokenFile: string): Promise<string> {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: cluster.gate.url, 'certificate-authority': plane().authority } }],
      users: [{ name: 'u', user: { tokenFile } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    });
  }
});

const reader = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'agent-reads' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', name: 'agent', namespace: 'video' }],
};
