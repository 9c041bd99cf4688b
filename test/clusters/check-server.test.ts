import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeKubeconfig } from '../../lab/control-plane/kubeconfig.ts';
import { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
import { eventually } from '../support/clusters/control-plane.ts';
import { bad, withHealthyCluster } from '../support/clusters/preflight.ts';
import { startSkewedProxy } from '../support/clusters/skewed-proxy.ts';
import { promised } from '../support/promised.ts';

/** The time that docs/reference/check-cluster.md promises. */
const endsWithinMs = 10_000;

const rig = withHealthyCluster();

describe('the way to the server', () => {
  async function kubeconfig(name: string, change: (text: string) => string): Promise<string> {
    const file = join(rig.folder(), name);
    await writeFile(file, change(await readFile(rig.ops(), 'utf8')));
    return file;
  }

  it('names an authority that did not sign the server, and the fix trusts the right one', async () => {
    const other = await readFile(join(rig.plane().folder, 'pki', 'etcd-ca.crt'));
    const file = await kubeconfig('authority', (content) =>
      content.replace(/certificate-authority-data"?: "?[\w+/=]+/, (found) =>
        found.replace(/[\w+/=]+$/, other.toString('base64')),
      ),
    );
    const result = await rig.paris(file);
    expect(result.bad).toEqual(['failed AuthorityUnknown']);
    expect(result.code).toBe(1);
    await copyFile(rig.plane().authority, join(rig.folder(), 'ca.crt'));
    await rig.paste(bad(result)[0]?.fix, rig.folder());
    expect((await rig.paris(file)).bad).toEqual([]);
  });

  it('names a server that has other names', async () => {
    const file = await kubeconfig('name', (content) => content);
    await rig
      .plane()
      .kubectl([
        '--kubeconfig',
        file,
        'config',
        'set-cluster',
        await clusterName(file),
        '--tls-server-name=wrong.example',
      ]);
    const result = await rig.paris(file);
    expect(result.bad).toEqual(['failed ServerNameMismatch']);
    expect(bad(result)[0]?.found).toContain('not for wrong.example');
    await rig.paste(bad(result)[0]?.fix);
    expect((await rig.paris(file)).bad).toEqual([]);
  });

  it('names a client certificate that has expired, with its date', async () => {
    const file = await rig.plane().kubeconfigFor({ user: 'late', groups: ['tideline:check'] }, { validSeconds: 1 });
    const result = await eventually(async () => {
      const seen = await rig.paris(file);
      // Within the second in which it is valid still, its end is a warning.
      return !seen.bad.includes('warning CertificateEndsSoon') && seen;
    });
    expect(result.bad).toEqual(['failed ClientCertificateExpired']);
    expect(bad(result)[0]?.found).toMatch(/CN=late.* expired \d{4}-\d\d-\d\d \d\d:\d\d UTC, now is /);
  });

  it('tells a stranger (401) from somebody without rights', async () => {
    const stranger = await kubeconfig('stranger', (content) => content);
    await rig.plane().kubectl(['--kubeconfig', stranger, 'config', 'set-credentials', 'stranger', '--token=nonsense']);
    await rig.plane().kubectl(['--kubeconfig', stranger, 'config', 'set-context', '--current', '--user=stranger']);
    expect((await rig.paris(stranger)).bad).toEqual(['failed CredentialsRefused']);
    const nobody = await rig.paris(await rig.plane().kubeconfigFor({ user: 'nobody' }));
    expect(new Set(nobody.bad)).toEqual(new Set(['unknown RightMissing', 'failed RightsMissing']));
    expect(bad(nobody)[0]?.found).toBe(
      'nobody may not get customresourcedefinitions.apiextensions.k8s.io edgepools.tideline.dev',
    );
  });

  it('names a host that does not resolve', async () => {
    const file = await kubeconfig('host', (content) => content.replace(/https:\/\/[\d.]+/, 'https://nowhere.invalid'));
    const result = await rig.paris(file);
    expect(result.bad).toEqual(['failed NameNotResolved']);
    expect(result.tookMs).toBeLessThan(promised(endsWithinMs));
  });

  it('names a server whose certificate has expired, and one that does not speak TLS', async () => {
    const authority = createAuthority('old-ca');
    const host = new URL(rig.plane().url).hostname;
    const old = authority.issue({ commonName: 'old', hosts: [host], validSeconds: 1 });
    const secure = createSecureServer({ cert: old.certificate, key: old.key });
    const plain = createServer();
    try {
      const kubeconfigOf = async (server: Server, name: string) => {
        server.listen(0, host);
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const file = join(rig.folder(), name);
        const credential = { token: 'x' };
        await writeKubeconfig(file, {
          server: `https://${host}:${port}`,
          authority: authority.certificate,
          user: 'x',
          credential,
        });
        return file;
      };
      const expired = await kubeconfigOf(secure, 'expired');
      const result = await eventually(async () => {
        const seen = await rig.paris(expired);
        return seen.bad[0] === 'failed ServerCertificateExpired' && seen;
      });
      expect(bad(result)[0]?.found).toMatch(
        /^the certificate of CN=old expired \d{4}-\d\d-\d\d \d\d:\d\d UTC, now is /,
      );
      expect((await rig.paris(await kubeconfigOf(plain, 'plain'))).bad).toEqual(['failed NotTls']);
    } finally {
      secure.close();
      plain.close();
    }
  });

  async function clusterName(file: string): Promise<string> {
    const config = parse(await readFile(file, 'utf8')) as { clusters: readonly { name: string }[] };
    return config.clusters[0]?.name ?? '';
  }
});

describe('clocks', () => {
  const account = { kind: 'ServiceAccount', name: 'blade', namespace: 'tideline-system' };
  const edge = { metadata: { name: 'blade-by-token' }, subjects: [account] };
  beforeAll(async () => {
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: 'tideline-edge' });
    await rig.plane().apply(
      { apiVersion, kind: 'ClusterRoleBinding', ...edge, roleRef: roleRef('ClusterRole') },
      {
        apiVersion,
        kind: 'RoleBinding',
        ...edge,
        metadata: { ...edge.metadata, namespace: account.namespace },
        roleRef: roleRef('Role'),
      },
    );
  });

  it.each([
    [0, []],
    [1200, []],
    [5000, ['warning ClockSkewed']],
    [-60_000, ['failed ClockWrong']],
  ])('a server that is %d ms ahead', async (skewMs, expected) => {
    const proxy = await startSkewedProxy(rig.plane());
    try {
      proxy.skewMs = skewMs;
      const file = join(rig.folder(), 'skewed');
      const byToken = await rig.plane().kubeconfigForServiceAccount(account.namespace, account.name);
      await writeFile(file, (await readFile(byToken, 'utf8')).replace(/(https:\/\/[\d.]+):6443/, `$1:${proxy.port}`));
      const result = await rig.paris(file, '--as', 'edge');
      expect(result.bad.filter((line) => !line.startsWith('unknown'))).toEqual(expected);
      const clock = result.findings.find(({ check: name }) => name === 'clock');
      if (skewMs === 5000)
        expect(clock?.found).toMatch(/^the server's clock is [45]\.\d s \(± 0\.\d s\) ahead of this machine's$/);
    } finally {
      await proxy.stop();
    }
  });
});

describe('a server that is not well', () => {
  it('is not ready without its etcd', async () => {
    await rig.plane().end('etcd');
    try {
      const result = await eventually(async () => {
        const seen = await rig.paris(rig.ops());
        return seen.bad.length > 0 && seen;
      });
      expect(result.bad).toEqual(['failed ServerNotReady']);
      expect(bad(result)[0]?.found).toContain('etcd');
    } finally {
      await rig.plane().start('etcd');
    }
  });

  it('hangs: the check ends in time all the same', async () => {
    rig.plane().signal('kube-apiserver', 'SIGSTOP');
    try {
      const result = await rig.paris(rig.ops());
      expect(result.bad).toEqual(['failed TlsFailed']);
      console.log(`the check of a server that hangs: ${Math.round(result.tookMs)} ms`);
      expect(result.tookMs).toBeLessThan(promised(endsWithinMs));
    } finally {
      rig.plane().signal('kube-apiserver', 'SIGCONT');
    }
  });

  it('is stopped: connections are refused; started again, all is well', async () => {
    await rig.plane().end('kube-apiserver');
    const result = await rig.paris(rig.ops());
    expect(result.bad).toEqual(['failed ConnectionRefused']);
    expect(result.code).toBe(1);
    expect(bad(result)[0]?.found).toMatch(/^127\.0\.1\.\d+:6443 refuses connections/);
    await rig.plane().start('kube-apiserver');
    await eventually(async () => (await rig.paris(rig.ops())).bad.length === 0);
  });
});

it('wrote nothing in all this time', async () => {
  expect((await rig.plane().audit(({ user }) => user === 'ops')).length).toBeGreaterThan(10);
  expect(await rig.writes('ops', 'nobody', 'system:anonymous')).toEqual([]);
});
