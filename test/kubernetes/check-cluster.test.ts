import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Finding } from '../../src/kube/preflight/finding.ts';
import { findBinaries } from '../../src/lab/kubernetes/binaries.ts';
import { eventually, withControlPlane } from '../support/kubernetes/control-plane.ts';
import { type CheckResult, check, paste } from '../support/kubernetes/preflight.ts';
import { startSkewedProxy } from '../support/kubernetes/skewed-proxy.ts';

const plane = withControlPlane();
let kubectl: string;
let folder: string;
/** Holds the rights of both agents and of the check, and no more. */
let ops: string;
const platform = 'examples/hybrid';

beforeAll(async () => {
  const binaries = await findBinaries(process.env);
  kubectl = binaries.kubectl;
  folder = await mkdtemp(join(tmpdir(), 'tideline-check-'));
  await plane().kubectl(['apply', '--server-side', '-k', 'deploy']);
  for (const file of await readdir(binaries.calicoCrds))
    if (file.startsWith('crd.projectcalico.org_'))
      await plane().kubectl(['apply', '--server-side', '-f', join(binaries.calicoCrds, file)]);
  await plane().kubectl(['wait', '--for=condition=Established', '--timeout=120s', 'crd', '--all']);
  await plane().apply(...healthyObjects());
  await patch(
    'node/paris-worker-1',
    { status: { addresses: [{ type: 'InternalIP', address: '10.1.0.11' }] } },
    'status',
  );
  ops = await plane().kubeconfigFor({ user: 'ops', groups: ['tideline:edge', 'tideline:network', 'tideline:check'] });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function healthyObjects(): readonly object[] {
  const calico = (kind: string, name: string, spec: object) => ({
    apiVersion: 'crd.projectcalico.org/v1',
    kind,
    metadata: { name },
    spec,
  });
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'paris-worker-1' } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'tideline' },
      spec: { controller: 'tideline.dev/edge' },
    },
    calico('IPPool', 'pods', { cidr: '10.10.0.0/16', ipipMode: 'Never', vxlanMode: 'Never', nodeSelector: 'all()' }),
    calico('ClusterInformation', 'default', { datastoreReady: true }),
    calico('IPAMConfig', 'default', { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 20 }),
    calico('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
    calico('BlockAffinity', 'paris-worker-1-10-10-0-0-26', {
      cidr: '10.10.0.0/26',
      node: 'paris-worker-1',
      state: 'confirmed',
      deleted: 'false',
    }),
  ];
}

function patch(object: string, content: object, subresource?: string): Promise<string> {
  const sub = subresource === undefined ? [] : [`--subresource=${subresource}`];
  return plane().kubectl(['patch', object, ...sub, '--type=merge', '-p', JSON.stringify(content)]);
}

const paris = (kubeconfig: string, ...more: readonly string[]): Promise<CheckResult> =>
  check('--cluster', 'paris', '--kubeconfig', kubeconfig, ...more, platform);

const bad = ({ findings }: CheckResult): readonly Finding[] => findings.filter(({ state }) => state !== 'ok');

/** Breaks something, expects exactly this finding, pastes its fix, expects that all is well. */
async function faultAndFix(fault: () => Promise<unknown>, expected: string, found: RegExp): Promise<void> {
  await fault();
  const broken = await eventually(async () => {
    const result = await paris(ops);
    return result.bad.length > 0 && result;
  });
  expect(broken.bad).toEqual([expected]);
  expect(broken.code).toBe(expected.startsWith('failed') ? 1 : 0);
  const [finding] = bad(broken);
  expect(finding?.found).toMatch(found);
  await paste(plane(), kubectl, finding?.fix);
  await eventually(async () => (await paris(ops)).bad.length === 0);
}

describe('a healthy cluster', () => {
  it('is all ok, and nothing was written', async () => {
    const result = await paris(ops);
    expect(bad(result)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.findings.length).toBeGreaterThan(15);
    const requests = await plane().audit(({ user }) => user === 'ops');
    expect(requests.length).toBeGreaterThan(10);
    expect(
      requests.filter(({ verb, resource }) => !isRead(verb) && !(verb === 'create' && isReview(resource))),
    ).toEqual([]);
  });

  it('is asked by few requests', async () => {
    const before = (await plane().audit(({ user }) => user === 'ops' || user === 'system:anonymous')).length;
    await paris(ops);
    const requests = (await plane().audit(({ user }) => user === 'ops' || user === 'system:anonymous')).length - before;
    expect(requests).toBeLessThan(25);
  });

  it('is explained to people in lines', async () => {
    const { stdout } = await text('--cluster', 'paris', '--kubeconfig', ops, platform);
    expect(stdout).toMatch(/^cluster paris: https:\/\/127\.0\.1\.\d+:6443 as ops \(tideline:edge/);
    expect(stdout).toMatch(/\n\d+ ok\n$/);
  });
});

const isRead = (verb: string): boolean => verb === 'get' || verb === 'list';
const isReview = (resource: string): boolean => /^selfsubject(access|rules)?reviews$/.test(resource);

async function text(...args: readonly string[]): Promise<{ readonly stdout: string }> {
  const program = `${process.execPath} src/cli/main.ts check ${args.join(' ')}`;
  return { stdout: await paste(plane(), kubectl, program) };
}

describe('the way to the server', () => {
  async function kubeconfig(name: string, change: (text: string) => string): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, change(await readFile(ops, 'utf8')));
    return file;
  }

  it('names an authority that did not sign the server, and the fix trusts the right one', async () => {
    const other = await readFile(join(plane().folder, 'pki', 'etcd-ca.crt'));
    const file = await kubeconfig('authority', (content) =>
      content.replace(/certificate-authority-data"?: "?[\w+/=]+/, (found) =>
        found.replace(/[\w+/=]+$/, other.toString('base64')),
      ),
    );
    const result = await paris(file);
    expect(result.bad).toEqual(['failed AuthorityUnknown']);
    expect(result.code).toBe(1);
    await copyFile(plane().authority, join(folder, 'ca.crt'));
    await paste(plane(), kubectl, bad(result)[0]?.fix, folder);
    expect((await paris(file)).bad).toEqual([]);
  });

  it('names a server that has other names', async () => {
    const file = await kubeconfig('name', (content) => content);
    await plane().kubectl([
      '--kubeconfig',
      file,
      'config',
      'set-cluster',
      await clusterName(file),
      '--tls-server-name=wrong.example',
    ]);
    const result = await paris(file);
    expect(result.bad).toEqual(['failed ServerNameMismatch']);
    expect(bad(result)[0]?.found).toContain('not for wrong.example');
    await paste(plane(), kubectl, bad(result)[0]?.fix);
    expect((await paris(file)).bad).toEqual([]);
  });

  it('names a client certificate that has expired, with its date', async () => {
    const file = await plane().kubeconfigFor({ user: 'late', groups: ['tideline:check'] }, { validSeconds: 1 });
    const result = await eventually(async () => {
      const seen = await paris(file);
      return seen.bad.length === 1 && seen;
    });
    expect(result.bad).toEqual(['failed ClientCertificateExpired']);
    expect(bad(result)[0]?.found).toMatch(/CN=late.* expired \d{4}-\d\d-\d\d \d\d:\d\d UTC, now is /);
  });

  it('tells a stranger (401) from somebody without rights', async () => {
    const stranger = await kubeconfig('stranger', (content) => content);
    await plane().kubectl(['--kubeconfig', stranger, 'config', 'set-credentials', 'stranger', '--token=nonsense']);
    await plane().kubectl(['--kubeconfig', stranger, 'config', 'set-context', '--current', '--user=stranger']);
    expect((await paris(stranger)).bad).toEqual(['failed CredentialsRefused']);
    const nobody = await paris(await plane().kubeconfigFor({ user: 'nobody' }));
    expect(new Set(nobody.bad)).toEqual(new Set(['unknown RightMissing', 'failed RightsMissing']));
    expect(bad(nobody)[0]?.found).toBe(
      'nobody may not get customresourcedefinitions.apiextensions.k8s.io clusters.tideline.dev',
    );
  });

  it('names a host that does not resolve', async () => {
    const file = await kubeconfig('host', (content) => content.replace(/https:\/\/[\d.]+/, 'https://nowhere.invalid'));
    const result = await paris(file);
    expect(result.bad).toEqual(['failed NameNotResolved']);
    expect(result.tookMs).toBeLessThan(30_000);
  });

  async function clusterName(file: string): Promise<string> {
    const config = parse(await readFile(file, 'utf8')) as { clusters: readonly { name: string }[] };
    return config.clusters[0]?.name ?? '';
  }
});

describe('what is installed', () => {
  it('names a CRD that is missing', () =>
    faultAndFix(
      () => plane().kubectl(['delete', 'crd', 'drains.tideline.dev']),
      'failed CrdMissing',
      /^drains\.tideline\.dev is not installed$/,
    ));

  it('names the field that an old CRD lacks', () =>
    faultAndFix(
      () => changeCrd((spec) => delete (spec.properties as Record<string, unknown>)['limits']),
      'failed CrdOlder',
      /^sites\.tideline\.dev is older .* spec\.limits$/,
    ));

  it('names the field that a newer CRD has', () =>
    faultAndFix(
      () => changeCrd((spec) => Object.assign(spec.properties, { colour: { type: 'string' } })),
      'warning CrdNewer',
      /spec\.colour$/,
    ));

  it('names the field of a CRD that has other rules', () =>
    faultAndFix(
      () =>
        changeCrd((spec) => Object.assign(spec.properties['type'] ?? {}, { enum: ['datacentre', 'cloud', 'ship'] })),
      'failed CrdDiffers',
      /differs in spec\.type$/,
    ));

  async function changeCrd(change: (spec: { properties: Record<string, object> }) => unknown): Promise<void> {
    const crd = parse(await readFile('deploy/crds/sites.yaml', 'utf8'));
    change(crd.spec.versions[0].schema.openAPIV3Schema.properties.spec);
    const file = join(folder, 'sites.json');
    await writeFile(file, JSON.stringify(crd));
    await plane().kubectl(['replace', '-f', file]);
  }

  it('names the IngressClass that is missing, that of another, and another default', async () => {
    await faultAndFix(
      () => plane().kubectl(['delete', 'ingressclass', 'tideline']),
      'failed ClassMissing',
      /^there is no IngressClass tideline$/,
    );
    const other = (name: string, annotations = {}) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name, annotations },
      spec: { controller: 'k8s.io/ingress-nginx' },
    });
    await faultAndFix(
      async () => {
        await plane().kubectl(['delete', 'ingressclass', 'tideline']);
        await plane().apply(other('tideline'));
      },
      'failed ClassOfOther',
      /is of k8s\.io\/ingress-nginx$/,
    );
    await faultAndFix(
      () => plane().apply(other('nginx', { 'ingressclass.kubernetes.io/is-default-class': 'true' })),
      'warning OtherDefaultClass',
      /^nginx of k8s\.io\/ingress-nginx is the default/,
    );
  });
});

describe('rights', () => {
  it('names a right that was removed, and what it is for', () =>
    faultAndFix(
      () =>
        plane().kubectl([
          'patch',
          'clusterrole',
          'tideline-edge',
          '--type=json',
          '-p',
          '[{"op":"remove","path":"/rules/0"}]',
        ]),
      'failed RightsMissing',
      /^ops may not list services, watch services$/,
    ));

  it('names a right in one namespace, which the same right elsewhere does not replace', () =>
    faultAndFix(
      () =>
        plane().kubectl([
          'patch',
          'role',
          'tideline-edge',
          '-n',
          'tideline-system',
          '--type=json',
          '-p',
          '[{"op":"remove","path":"/rules/0"}]',
        ]),
      'failed RightsMissing',
      /create leases\.coordination\.k8s\.io in tideline-system/,
    ));

  it('names rights that are too many', async () => {
    await plane().kubectl(['create', 'clusterrole', 'vandal', '--verb=delete,get', '--resource=pods,secrets']);
    await plane().kubectl(['create', 'clusterrolebinding', 'vandal', '--clusterrole=vandal', '--user=ops']);
    const result = await eventually(async () => {
      const seen = await paris(ops);
      return seen.bad.length > 0 && seen;
    });
    expect(result.bad).toEqual(['warning RightsTooWide']);
    expect(result.code).toBe(0);
    const [finding] = bad(result);
    expect(finding?.found).toBe('ops may also delete pods, delete secrets, get pods');
    expect(await paste(plane(), kubectl, finding?.fix)).toContain('vandal');
    await plane().kubectl(['delete', 'clusterrolebinding', 'vandal']);
  });

  it('says which right it lacks itself, and the fix grants it', async () => {
    const blade = await plane().kubeconfigFor({ user: 'tideline:edge:paris-blade-1', groups: ['tideline:edge'] });
    const result = await paris(blade, '--as', 'edge');
    expect(result.bad).toEqual(['unknown RightMissing', 'unknown RightMissing']);
    expect(result.code).toBe(0);
    await paste(plane(), kubectl, bad(result)[0]?.fix);
    await eventually(async () => (await paris(blade, '--as', 'edge')).bad.length === 0);
  });
});

describe('Calico and nodes', () => {
  const pool = (spec: object) => () => patch('ippools.crd.projectcalico.org/pods', { spec });

  it('names a pool with IPIP', () =>
    faultAndFix(pool({ ipipMode: 'Always' }), 'failed PoolEncapsulated', /ipipMode Always$/));
  it('names a pool with VXLAN', () =>
    faultAndFix(pool({ vxlanMode: 'CrossSubnet' }), 'failed PoolEncapsulated', /vxlanMode CrossSubnet$/));
  it('names a pool that hides its pods', () =>
    faultAndFix(pool({ natOutgoing: true }), 'warning PoolNatOutgoing', /natOutgoing/));
  it('names a pool that is not announced', () =>
    faultAndFix(pool({ disableBGPExport: true }), 'warning PoolNotExported', /disableBGPExport/));

  it('names a pool outside the sites, and the prefix to add', async () => {
    await patch('ippools.crd.projectcalico.org/pods', { spec: { cidr: '10.99.0.0/16' } });
    const result = await paris(ops);
    expect(result.bad).toEqual(['failed PoolOutsideSites']);
    expect(bad(result)[0]?.fix).toBe('in the platform spec, add 10.99.0.0/16 to spec.prefixes.pods of Site/paris');
    await patch('ippools.crd.projectcalico.org/pods', { spec: { cidr: '10.10.0.0/16' } });
  });

  it('names pools that are gone', () =>
    faultAndFix(
      () => plane().kubectl(['delete', 'ippools.crd.projectcalico.org', 'pods']),
      'failed PoolsMissing',
      /no enabled IPPool/,
    ));

  it("names Calico's own mesh", () =>
    faultAndFix(
      () => patch('bgpconfigurations.crd.projectcalico.org/default', { spec: { nodeToNodeMeshEnabled: true } }),
      'warning CalicoMeshOn',
      /mesh is on/,
    ));

  it('names a locked datastore', () =>
    faultAndFix(
      () => patch('clusterinformations.crd.projectcalico.org/default', { spec: { datastoreReady: false } }),
      'failed DatastoreNotReady',
      /locked/,
    ));

  it('names an IPAM that claims no blocks', () =>
    faultAndFix(
      () => patch('ipamconfigs.crd.projectcalico.org/default', { spec: { autoAllocateBlocks: false } }),
      'warning BlocksNotAutomatic',
      /autoAllocateBlocks/,
    ));

  it('names nodes that have no podCIDR, when pods are announced by it', async () => {
    const result = await paris(ops, '--as', 'network', '--pods-from', 'podCIDRs');
    expect(bad(result).map(({ reason, found }) => `${reason}: ${found}`)).toContain(
      'NodeWithoutPodCidr: paris-worker-1 has no podCIDR',
    );
  });
});

describe('clocks', () => {
  it.each([
    [0, []],
    [1200, []],
    [5000, ['warning ClockSkewed']],
    [-60_000, ['failed ClockWrong']],
  ])('a server that is %d ms ahead', async (skewMs, expected) => {
    const proxy = await startSkewedProxy(plane());
    try {
      proxy.skewMs = skewMs;
      const file = join(folder, 'skewed');
      const account = await plane().kubeconfigForServiceAccount('tideline-system', 'tideline-edge');
      await writeFile(file, (await readFile(account, 'utf8')).replace(/(https:\/\/[\d.]+):6443/, `$1:${proxy.port}`));
      const result = await paris(file, '--as', 'edge');
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
    await plane().end('etcd');
    try {
      const result = await eventually(async () => {
        const seen = await paris(ops);
        return seen.bad.length > 0 && seen;
      });
      expect(result.bad).toEqual(['failed ServerNotReady']);
      expect(bad(result)[0]?.found).toContain('etcd');
    } finally {
      await plane().start('etcd');
    }
  });

  it('hangs: the check ends in less than 10 s all the same', async () => {
    plane().signal('kube-apiserver', 'SIGSTOP');
    try {
      const result = await paris(ops);
      expect(result.bad).toEqual(['failed TlsFailed']);
      expect(result.tookMs).toBeLessThan(30_000);
    } finally {
      plane().signal('kube-apiserver', 'SIGCONT');
    }
  });

  it('is stopped: connections are refused; started again, all is well', async () => {
    await plane().end('kube-apiserver');
    const result = await paris(ops);
    expect(result.bad).toEqual(['failed ConnectionRefused']);
    expect(result.code).toBe(1);
    expect(bad(result)[0]?.found).toMatch(/^127\.0\.1\.\d+:6443 refuses connections/);
    await plane().start('kube-apiserver');
    await eventually(async () => (await paris(ops)).bad.length === 0);
  });
});

it('wrote nothing in all this time', async () => {
  const ours = await plane().audit(({ user }) => user === 'ops' || user === 'nobody' || user === 'system:anonymous');
  const writes = ours.filter(({ verb, resource }) => !isRead(verb) && !(verb === 'create' && isReview(resource)));
  expect(writes).toEqual([]);
});
