import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../lab/control-plane/control-plane.ts';
import { Administrator, startAdministeredControlPlane } from '../support/systemd/administrator.ts';
import { until } from '../support/systemd/rack.ts';

let plane: ControlPlane;
let administrator: Administrator;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deploy-'));
  plane = await startAdministeredControlPlane();
  administrator = new Administrator(plane, folder);
});
afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Resource = { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string } };

/** The objects of an overlay, as kubectl renders it. */
async function rendered(overlay: string): Promise<readonly Resource[]> {
  const text = await administrator.sh(`kubectl kustomize ${overlay}`);
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}

describe('deploy', () => {
  it('is accepted by the API server as a whole, before anything is there', async () => {
    // The namespace is created first, because objects in it need it.
    await plane.kubectl(['create', 'namespace', 'tideline-system']);
    await administrator.sh('kubectl apply --server-side --force-conflicts --dry-run=server -k /opt/tideline/deploy');
    expect(await plane.kubectl(['get', 'crd', '-o', 'name'])).not.toContain('tideline.dev');
  });

  it('is installed by the documented command, and a second time changes nothing', async () => {
    await administrator.run('cluster.md', 'Install');
    const versions = async (): Promise<readonly string[]> => {
      const objects = await rendered('/opt/tideline/deploy');
      return Promise.all(
        objects.map(({ kind, metadata: { name, namespace } }) =>
          plane.kubectl([
            'get',
            kind,
            name,
            ...(namespace === undefined ? [] : ['-n', namespace]),
            '-o',
            'jsonpath={.kind}/{.metadata.name}/{.metadata.generation}/{.metadata.labels}{.rules}{.spec}',
          ]),
        ),
      );
    };
    const before = await versions();
    expect(before.length).toBeGreaterThan(12);
    expect(await plane.kubectl(['get', 'crd', '-o', 'name'])).toContain('tideline.dev');
    const said = await administrator.sh('kubectl diff --server-side -k /opt/tideline/deploy');
    await administrator.run('cluster.md', 'Install');
    expect([await versions(), said]).toEqual([before, '']);
  });

  it.each([
    ['calico-v3', ['', 'projectcalico.org', '', 'tideline.dev']],
    ['pod-cidrs', ['', '', 'tideline.dev']],
  ])('has the component %s for other clusters', async (component, groups) => {
    const overlay = join(folder, component);
    await administrator.sh(`mkdir -p ${overlay}; cp -r /opt/tideline/deploy ${folder}/deploy 2>/dev/null || true`);
    await writeFile(
      join(overlay, 'kustomization.yaml'),
      `resources: [../deploy]\ncomponents: [../deploy/components/${component}]\n`,
    );
    const role = (await rendered(overlay)).find(
      ({ kind, metadata: { name } }) => kind === 'ClusterRole' && name === 'tideline-network',
    ) as unknown as { readonly rules: readonly { readonly apiGroups: readonly string[] }[] };
    expect(role.rules.flatMap(({ apiGroups }) => apiGroups)).toEqual(groups);
  });
});

describe('a kubeconfig for a server', () => {
  it('is made by the documented commands', async () => {
    await administrator.run('cluster.md', 'A kubeconfig for a server');
    const whoami = async (name: string): Promise<readonly string[]> => {
      const answer = await administrator.sh(`kubectl --kubeconfig ${name}.kubeconfig auth whoami -o json`);
      const { username, groups } = (JSON.parse(answer) as WhoAmI).status.userInfo;
      return [username, ...groups];
    };
    expect(await whoami('paris-blade-1')).toEqual([
      'tideline:edge:paris-blade-1',
      'tideline:edge',
      'system:authenticated',
    ]);
    expect(await whoami('paris-worker-1')).toContain('tideline:network');
    expect(await whoami('operator')).toContain('tideline:check');
  });

  it('ends after the days that were asked for, and needs no other file', async () => {
    const file = join(folder, 'operator.kubeconfig');
    const { users } = parse(await readFile(file, 'utf8')) as Kubeconfig;
    const pem = Buffer.from(users[0]?.user['client-certificate-data'] ?? '', 'base64');
    const hours = (new X509Certificate(pem).validToDate.getTime() - Date.now()) / 3_600_000;
    expect([hours > 23, hours < 25]).toEqual([true, true]);
    expect(await administrator.sh(`stat -c %a ${file} && grep -c /tmp ${file} || true`)).toBe('600\n0\n');
  });

  it('leaves no request behind, and says what it does not understand', async () => {
    const requests = await plane.audit(({ resource }) => resource === 'certificatesigningrequests');
    expect(requests.filter(({ verb, code }) => verb === 'create' && code === 201).length).toBeGreaterThan(2);
    expect(await plane.kubectl(['get', 'csr', '-o', 'name'])).toBe('');
    await expect(administrator.sh('/opt/tideline/deploy/kubeconfig nobody x')).rejects.toThrow(
      /edge\|network\|network-status\|steering\|scaling\|check\|drain\|approve\|platform NAME/,
    );
    await expect(administrator.sh('/opt/tideline/deploy/kubeconfig edge "a/b"')).rejects.toThrow(
      /not the name of a server/,
    );
    await expect(administrator.sh('/opt/tideline/deploy/kubeconfig edge a x')).rejects.toThrow(/not a number of days/);
  });
});

describe('a kubeconfig from a context that says more, or less', () => {
  const make = '/opt/tideline/deploy/kubeconfig check other 1';
  interface Made {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string | undefined>> }[];
  }
  /** Makes a kubeconfig by a copy of the administrator's that was changed by `kubectl config set-cluster`. */
  const made = async (change: string, environment = ''): Promise<Made['clusters'][number]['cluster']> => {
    const copy = `cp "$KUBECONFIG" changed; chmod u+w changed; export KUBECONFIG=$PWD/changed`;
    const text = await administrator.sh(`${copy}; ${change}; ${environment} ${make} 2>said || { cat said; exit 1; }`);
    return (parse(text) as Made).clusters[0]?.cluster ?? {};
  };
  const set = 'kubectl config set-cluster control-plane >/dev/null';
  const without = (field: string): string => `kubectl config unset clusters.control-plane.${field} >/dev/null`;

  it('keeps tls-server-name, without which the server is not verified', async () => {
    const cluster = await made(`${set} --tls-server-name=kubernetes.default`);
    expect(cluster['tls-server-name']).toBe('kubernetes.default');
    expect(cluster['certificate-authority-data']).toMatch(/^LS0t/);
  });

  it('is refused without an authority, and nothing is signed', async () => {
    await expect(made(without('certificate-authority-data'))).rejects.toThrow(
      /no certificate authority in your context/,
    );
    await expect(
      made(`${without('certificate-authority-data')}; ${set} --insecure-skip-tls-verify=true`),
    ).rejects.toThrow(/does not verify the apiserver/);
    await expect(made(':', 'TIDELINE_API=http://10.1.0.1:8080')).rejects.toThrow(/not an https URL/);
    await writeFile(join(folder, 'empty.crt'), '');
    await expect(made(':', 'TIDELINE_CA=empty.crt')).rejects.toThrow(/no certificate authority in empty\.crt/);
    const signed = await plane.audit(({ verb, resource, user }) => {
      return verb === 'create' && resource === 'certificatesigningrequests' && user === 'kubernetes-admin';
    });
    // Three by the documented commands, and one by the test before.
    expect(signed).toHaveLength(4);
  });

  it('takes the authority that is named', async () => {
    const blind = `${without('certificate-authority-data')}; ${set} --insecure-skip-tls-verify=true`;
    const cluster = await made(blind, `TIDELINE_CA=${plane.authority}`);
    expect(cluster['insecure-skip-tls-verify']).toBeUndefined();
    expect(Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString()).toBe(
      await readFile(plane.authority, 'utf8'),
    );
  });
});

describe('the network agent inside the cluster', () => {
  it('becomes a Pod on every node, as the API server and the controllers see it', async () => {
    await plane.apply({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'paris-worker-1', labels: { 'kubernetes.io/os': 'linux' } },
    });
    const room = { cpu: '8', memory: '32Gi', pods: '110' };
    const status = JSON.stringify({ status: { capacity: room, allocatable: room } });
    await plane.kubectl(['patch', 'node', 'paris-worker-1', '--subresource=status', '--type=merge', '-p', status]);
    await administrator.run('cluster.md', 'The network agent inside the cluster');
    await until('the Pod is on the node', async () => 'nodeName' in ((await podsOf())[0]?.spec ?? {}), events);
    const [pod] = await podsOf();
    expect(pod?.spec).toMatchObject({
      nodeName: 'paris-worker-1',
      hostNetwork: true,
      priority: 2_000_001_000,
      containers: [{ image: 'registry.example/tideline:1.0.0' }],
    });
  });

  it('would not be let in where only restricted Pods are', async () => {
    await plane.kubectl(['label', '--overwrite', 'namespace', 'tideline-system', `${enforce}=restricted`]);
    await plane.kubectl(['-n', 'tideline-system', 'delete', 'pods', '--all', '--force', '--grace-period=0']);
    await until('it is refused', async () => (await events()).includes('violates PodSecurity "restricted'), events);
  });

  it('asks for no more of the Pod Security levels than it says', async () => {
    await plane.kubectl(['label', '--overwrite', 'namespace', 'tideline-system', `${enforce}=baseline`]);
    const { spec } = (await rendered('/opt/tideline/docs/operations/overlay')).find(
      ({ kind }) => kind === 'DaemonSet',
    ) as unknown as { readonly spec: { readonly template: { readonly spec: object } } };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', namespace: 'tideline-system' },
      spec: spec.template.spec,
    };
    const file = join(folder, 'pod.json');
    await writeFile(file, JSON.stringify(pod));
    const said = await plane.kubectl(['create', '--dry-run=server', '-f', file]).then(
      () => 'accepted',
      (error: unknown) => String(error),
    );
    expect(said).toMatch(/violates PodSecurity "baseline/);
    for (const what of ['host namespaces', 'hostPath volumes', 'non-default capabilities', 'hostPort', 'unrestricted'])
      expect([what, said.includes(what)]).toEqual([what, !['hostPort', 'unrestricted'].includes(what)]);
  });
});

const enforce = 'pod-security.kubernetes.io/enforce';
const events = (): Promise<string> => plane.kubectl(['-n', 'tideline-system', 'get', 'events', '-o', 'yaml']);
const podsOf = async (): Promise<readonly { readonly spec: object }[]> =>
  (
    JSON.parse(await plane.kubectl(['-n', 'tideline-system', 'get', 'pods', '-o', 'json'])) as {
      readonly items: readonly { readonly spec: object }[];
    }
  ).items;

interface WhoAmI {
  readonly status: { readonly userInfo: { readonly username: string; readonly groups: readonly string[] } };
}
interface Kubeconfig {
  readonly users: readonly { readonly user: { readonly 'client-certificate-data'?: string } }[];
}
