import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/kube/api/connect.ts';
import type { KubernetesSourceOptions } from '../../src/kube/watch/source.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';
import { looseDefinition, TestCluster } from '../support/source/cluster.ts';
import { describeClusterSource, type Manifest, node, service } from '../support/source/conformance.ts';
import { prepare } from '../support/source/prepare.ts';
import { type Recorder, record } from '../support/source/recorder.ts';

describe('with a real control plane', () => {
  const plane = withControlPlane();
  beforeAll(async () => {
    await prepare(plane());
  });

  describeClusterSource('a kube-apiserver', () => TestCluster.create(plane()));

  describe('a kube-apiserver', () => {
    let cluster: TestCluster;
    let seen: Recorder;
    afterEach(() => cluster.end());

    const start = async (options: Partial<KubernetesSourceOptions>, ...objects: readonly Manifest[]): Promise<void> => {
      cluster = await TestCluster.create(plane(), options);
      await cluster.apply(...objects);
      seen = record(cluster.source);
      await seen.live();
    };
    const many = (count: number): readonly Manifest[] =>
      Array.from({ length: count }, (_, index) => service(`many-${index}`));
    /** Makes every resourceVersion so far too old: etcd forgets its history, and the apiserver its cache. */
    const forget = async (): Promise<void> => {
      await plane().apply({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'tick' },
        data: { at: `${Date.now()}` },
      });
      await plane().compact();
    };

    it('lists in pages', async () => {
      await start({ timing: { pageSize: 5 } }, ...many(23));
      expect(seen.keys('Service')).toHaveLength(23);
      expect(seen.changes).toHaveLength(1);
      const lists = await plane().audit(
        ({ user, verb, resource }) => user.startsWith('agent-') && verb === 'list' && resource === 'services',
      );
      const pages = lists.filter(({ uri }) => uri.includes('limit=5&') && uri.includes(cluster.label));
      expect(pages.filter(({ uri }) => uri.includes('continue='))).toHaveLength(4);
      expect(pages).toHaveLength(5);
    });

    it('goes on after a cut without listing again, with what changed meanwhile', async () => {
      await start({}, service('web'), service('api'), service('old'));
      const beganMs = Date.now();
      await cluster.gate.cut();
      const cutMs = Date.now();
      await seen.stale('SourceUnreachable');
      // When the source last heard something of the server: a moment before the cut, or what was under way then.
      const { sinceMs } = cluster.source.status() as { readonly sinceMs: number };
      expect(sinceMs).toBeGreaterThan(beganMs - 10_000);
      expect(sinceMs).toBeLessThan(cutMs + 1000);
      await cluster.apply(service('web', 81), service('new'));
      await cluster.remove(service('old'));
      await cluster.gate.restore();
      await seen.live();
      await seen.until('the changes', () => seen.keys('Service').join() === 'video/api,video/new,video/web');
      expect(seen.get('Service', 'video/web')?.spec?.ports?.[0]?.port).toBe(81);
      expect(await cluster.metric('tideline_kube_relists_total', { kind: 'Service' })).toBe(1);
      expect(await cluster.metric('tideline_kube_reconnects_total', { cause: 'broken' })).toBeGreaterThan(0);
    });

    it('asks for watches that end by themselves, and goes on from bookmarks', async () => {
      await start({ timing: { watchSeconds: 2 } }, service('web'));
      await expect
        .poll(() => cluster.metric('tideline_kube_reconnects_total', { kind: 'Service', cause: 'timeout' }), {
          timeout: 60_000,
        })
        .toBeGreaterThan(1);
      expect(await cluster.metric('tideline_kube_relists_total', { kind: 'Service' })).toBe(1);
      expect(seen.statuses.filter(({ phase }) => phase === 'stale')).toEqual([]);
    });

    it('lists again when its version has expired, and swaps at once', async () => {
      await start({}, ...many(8));
      await cluster.gate.cut();
      await cluster.remove(...many(2));
      await cluster.apply(service('new'));
      await forget();
      await cluster.gate.restore();
      await seen.until('the change', () => seen.keys('Service').includes('video/new'));
      await seen.live();
      expect(seen.keys('Service')).toHaveLength(7);
      expect(seen.changes).toHaveLength(2);
      expect(await cluster.metric('tideline_kube_relists_total', { kind: 'Service', cause: 'expired' })).toBe(1);
    });

    it('holds what vanished in a gap until the same cluster says it twice', async () => {
      await start({}, ...many(5));
      await cluster.gate.cut();
      await cluster.remove(...many(4));
      await cluster.apply(service('new'));
      await forget();
      await cluster.gate.restore();
      await seen.stale('SourceImplausible');
      await seen.until('the addition', () => seen.keys('Service').includes('video/new'));
      expect(seen.keys('Service')).toHaveLength(6);
      await seen.live();
      expect(seen.keys('Service')).toEqual(['video/many-4', 'video/new']);
    });

    it('holds a kind that vanished whole in a gap until a person accepts it', async () => {
      await start({}, ...many(3), node('a'));
      await cluster.gate.cut();
      await cluster.remove(...many(3));
      await forget();
      await cluster.gate.restore();
      await seen.stale('SourceImplausible');
      const message = seen.status?.phase === 'stale' ? seen.status.message : '';
      expect(message).toMatch(/^3 of 3 Service objects are missing; write [0-9a-f]{12} into .*accept to accept/);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect(seen.keys('Service')).toHaveLength(3);
      await writeFile(cluster.acceptFile, `${/write ([0-9a-f]{12})/.exec(message)?.[1]}\n`);
      await seen.live();
      expect(seen.keys('Service')).toEqual([]);
    });

    it('takes deletions that a watch reports for meant, however many', async () => {
      await start({}, ...many(6), node('a'));
      await cluster.remove(...many(6));
      await seen.until('all gone', () => seen.keys('Service').length === 0);
      expect(seen.statuses.filter(({ phase }) => phase === 'stale')).toEqual([]);
    });

    it('waits for a CustomResourceDefinition, and reads it from the group that has it', async () => {
      cluster = await TestCluster.create(plane(), { kinds: ['Node', 'IPPool'] });
      await cluster.apply(node('a'));
      seen = record(cluster.source);
      await seen.until(
        'the reason',
        () => seen.status?.phase === 'syncing' && seen.status.reason === 'SourceKindMissing',
      );
      expect(seen.status).toMatchObject({ message: expect.stringContaining('IPPool') });
      await plane().apply(looseDefinition('projectcalico.org', 'v3', 'IPPool', 'ippools'));
      await seen.live();
      const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name: 'main' } };
      await plane().apply({
        ...pool,
        metadata: { ...pool.metadata, labels: { 'tideline-test': cluster.label } },
        spec: { cidr: '10.10.0.0/16' },
      });
      await seen.until('the pool', () => seen.get('IPPool', 'main')?.spec?.cidr === '10.10.0.0/16');
    });

    it('names the right that is missing', async () => {
      const kubeconfig = await plane().kubeconfigFor({ user: 'nobody' });
      cluster = await TestCluster.create(plane(), { kinds: ['Service'], client: await connect({ kubeconfig }) });
      seen = record(cluster.source);
      await seen.until(
        'the reason',
        () => seen.status?.phase === 'syncing' && seen.status.reason === 'SourceForbidden',
      );
      expect(seen.status).toMatchObject({
        message: expect.stringMatching(/User "nobody" cannot list resource "services"/),
      });
    });

    it('speaks as the ServiceAccount of a pod, with a token that is renewed on disk', async () => {
      await plane().apply(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent', namespace: 'video' } },
        ...viewer,
      );
      cluster = await TestCluster.create(plane(), {});
      await writeFile(join(cluster.folder, 'token'), 'not a token');
      await writeFile(
        join(cluster.folder, 'ca.crt'),
        await plane().kubectl(['get', 'cm', 'kube-root-ca.crt', '-n', 'default', '-o', 'jsonpath={.data.ca\\.crt}']),
      );
      const { hostname, port } = new URL(plane().url);
      const client = await connect({ inCluster: { host: hostname, port, folder: cluster.folder } });
      await expect(client.request({ path: '/api/v1/services' })).rejects.toMatchObject({ status: 401 });
      const token = await plane().kubectl(['create', 'token', 'agent', '-n', 'video', '--duration=600s']);
      await writeFile(join(cluster.folder, 'token'), token);
      await expect
        .poll(() => client.request({ path: '/api/v1/services' }), { timeout: 20_000 })
        .toMatchObject({ kind: 'ServiceList' });
      await client.close();
    });

    it('asks the exec plugin of a kubeconfig, and asks it again before its token expires', async () => {
      await plane().apply(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent', namespace: 'video' } },
        ...viewer,
      );
      cluster = await TestCluster.create(plane(), {});
      const token = (await plane().kubectl(['create', 'token', 'agent', '-n', 'video', '--duration=600s'])).trim();
      await writeFile(join(cluster.folder, 'plugin'), pluginScript(token), { mode: 0o755 });
      const authority = Buffer.from(
        await plane().kubectl(['get', 'cm', 'kube-root-ca.crt', '-n', 'default', '-o', 'jsonpath={.data.ca\\.crt}']),
      );
      const kubeconfig = join(cluster.folder, 'kubeconfig');
      await writeFile(kubeconfig, JSON.stringify(pluginConfig(plane().url, authority.toString('base64'))));
      const client = await connect({ kubeconfig, registry: cluster.registry });
      await expect(client.request({ path: '/api/v1/services' })).resolves.toMatchObject({ kind: 'ServiceList' });
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await expect(client.request({ path: '/api/v1/services' })).resolves.toMatchObject({ kind: 'ServiceList' });
      expect(await cluster.metric('tideline_kube_credential_reloads')).toBe(1);
      await client.close();
    });
  });
});

/** A role of the test's own, because a controller fills the built-in role `view` only some time after a start. */
const viewer: readonly Manifest[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'agent-views' },
    rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'agent-views' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'agent-views' },
    subjects: [{ kind: 'ServiceAccount', name: 'agent', namespace: 'video' }],
  },
];

/** A script that prints a token that expires in 12 seconds, of which two are left for use because of the leeway. */
function pluginScript(token: string): string {
  return `#!/bin/sh
test -n "$KUBERNETES_EXEC_INFO" || exit 3
until=$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s","expirationTimestamp":"%s"}}' '${token}' "$until"
`;
}

function pluginConfig(server: string, authority: string): object {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', interactiveMode: 'Never' };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'u', user: { exec } }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
  };
}
