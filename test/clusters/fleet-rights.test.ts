import { beforeAll, describe, expect, it } from 'vitest';
import { shippedObjects } from '../../src/cli/fleet/shipped-objects.ts';
import type { KubeClient } from '../../src/kube/api/client.ts';
import { connect } from '../../src/kube/api/connect.ts';
import { type CompiledFleet, compileFleet } from '../../src/planes/fleet/compile/compile.ts';
import { runObjects } from '../../src/planes/fleet/run/objects.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';
import { fleetPlatform } from '../support/fleet.ts';

/**
 * What the certificates that `fleet sign` plans may do in a cluster that holds the objects of its Fleet and nothing else. Each is asked with its
 * own certificate, and the API server, with authorization Node,RBAC, answers for itself.
 */
const plane = withControlPlane();
let fleet: CompiledFleet;

beforeAll(async () => {
  fleet = compileFleet(fleetPlatform(), {}, await shippedObjects('deploy'));
  const client = await connect({ kubeconfig: plane().kubeconfig });
  const { signal } = new AbortController();
  const objects = fleet.objects.get('site0') ?? [];
  expect(await runObjects({ client, objects, signal, say: () => {} })).toEqual([]);
  await client.close();
  await plane().apply(
    ...['site0-worker0000', 'site0-worker0001'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
  );
}, 120_000);

/** `verb resource[/subresource] [name]`, where a resource has its group in front, as `crd.projectcalico.org:ippools`. */
type Wish = string;

interface Holder {
  readonly server: string;
  /** Path of the certificate on this server. */
  readonly path: string;
  readonly may: readonly Wish[];
  readonly mayNot: readonly Wish[];
}

const calico = 'crd.projectcalico.org';
const rbac = 'rbac.authorization.k8s.io';

/** What none of them may do, whatever else it is for. */
const nobody: readonly Wish[] = [
  `create ${rbac}:clusterrolebindings`,
  `bind ${rbac}:clusterroles cluster-admin`,
  `escalate ${rbac}:clusterroles`,
  'impersonate users system:admin',
  'impersonate groups system:masters',
  'get secrets of-somebody',
  'delete namespaces kube-system',
  'create certificates.k8s.io:certificatesigningrequests/approval',
];

const holders: readonly Holder[] = [
  {
    server: 'site0-control0',
    path: '/etc/kubernetes/kube-apiserver/kubelet-client.crt',
    may: [
      'get nodes/proxy',
      'create nodes/proxy',
      'get nodes/metrics',
      'get nodes/stats',
      'get nodes/log',
      'get nodes/healthz',
    ],
    mayNot: [
      'list nodes',
      'delete nodes/proxy',
      'update nodes/status',
      'get pods',
      'create pods',
      'list secrets',
      'get configmaps',
    ],
  },
  {
    server: 'site0-control0',
    path: '/etc/kubernetes/kube-scheduler/client.crt',
    may: ['list nodes', 'list pods', 'create pods/binding', 'update coordination.k8s.io:leases kube-scheduler'],
    mayNot: ['list secrets', 'create pods', 'delete nodes', 'get nodes/proxy'],
  },
  {
    server: 'site0-worker0000',
    path: '/etc/kubernetes/kubelet/client.crt',
    may: [
      'create nodes',
      'update nodes/status site0-worker0000',
      'create pods',
      'list services',
      'create authorization.k8s.io:subjectaccessreviews',
    ],
    mayNot: ['delete nodes site0-worker0000', 'list secrets', 'get nodes/proxy', `list ${calico}:ippools`],
  },
  {
    server: 'site0-worker0000',
    path: '/etc/kubernetes/kube-proxy/client.crt',
    may: ['list nodes', 'watch services', 'watch discovery.k8s.io:endpointslices', 'create events.k8s.io:events'],
    mayNot: [
      'list secrets',
      'list pods',
      'update nodes/status',
      'update services',
      'get configmaps',
      'get nodes/proxy',
    ],
  },
  {
    server: 'site0-worker0000',
    path: '/etc/cni/pki/client.crt',
    may: [
      'get pods',
      'patch pods/status',
      'get nodes',
      `get ${calico}:clusterinformations default`,
      `list ${calico}:ippools`,
      `create ${calico}:blockaffinities`,
      `update ${calico}:ipamblocks`,
      `delete ${calico}:ipamhandles`,
    ],
    mayNot: [
      'list pods',
      'create pods',
      'patch pods',
      'list secrets',
      'patch nodes',
      'update nodes/status',
      `create ${calico}:ippools`,
      `update ${calico}:ippools`,
      `update ${calico}:clusterinformations`,
      `delete ${calico}:ipamconfigs`,
      'get nodes/proxy',
    ],
  },
  {
    server: 'site0-worker0000',
    path: '/etc/tideline/pki/client.crt',
    may: [
      'watch nodes',
      'watch pods',
      `watch ${calico}:ipamblocks`,
      'watch tideline.dev:drains',
      'get namespaces kube-system',
    ],
    mayNot: [
      'list secrets',
      'create pods',
      `update ${calico}:ipamblocks`,
      'patch nodes',
      'get namespaces default',
      'get nodes/proxy',
    ],
  },
  {
    server: 'site0-blade000',
    path: '/etc/tideline/pki/client.crt',
    may: [
      'watch services',
      'watch discovery.k8s.io:endpointslices',
      'watch networking.k8s.io:ingresses',
      'patch networking.k8s.io:ingresses/status',
    ],
    mayNot: [
      'list pods',
      'create pods',
      'patch networking.k8s.io:ingresses',
      'patch nodes',
      'list configmaps',
      'get nodes/proxy',
    ],
  },
];

describe.each(holders)('$server $path', ({ server, path, may, mayNot }) => {
  it('may do what it is for, and no more', async () => {
    const planned = fleet.pkiPlan[server]?.find((one) => one.path === path);
    expect(planned?.usages).toContain('client');
    const groups = planned?.organization === undefined ? [] : [planned.organization];
    const kubeconfig = await plane().kubeconfigFor({ user: planned?.commonName ?? '', groups });
    const client = await connect({ kubeconfig });
    try {
      const refused = await only(may, async (wish) => !(await allowed(client, wish)));
      const granted = await only([...mayNot, ...nobody], async (wish) => allowed(client, wish));
      expect({ refused, granted }).toEqual({ refused: [], granted: [] });
    } finally {
      await client.close();
    }
  });
});

it('there is no client certificate of the cluster beside these, that of the controller-manager and that of Felix', () => {
  const planned = Object.entries(fleet.pkiPlan).flatMap(([server, some]) =>
    some
      .filter(({ usages, authority }) => usages.includes('client') && authority === 'site0/kubernetes')
      .map(({ path }) => `${server.replace(/\d+$/, '')} ${path}`),
  );
  const judged = holders.map(({ server, path }) => `${server.replace(/\d+$/, '')} ${path}`);
  const manager = 'site0-control /etc/kubernetes/kube-controller-manager/client.crt';
  // Its rights are held by felix.test.ts, against what the real one asks for.
  const felix = 'site0-worker /etc/calico/pki/client.crt';
  expect([...new Set(planned)].toSorted()).toEqual([...judged, manager, felix].toSorted());
});

async function only(wishes: readonly Wish[], is: (wish: Wish) => Promise<boolean>): Promise<readonly Wish[]> {
  const found = await Promise.all(wishes.map(is));
  return wishes.filter((_, index) => found[index]);
}

async function allowed(client: KubeClient, wish: Wish): Promise<boolean> {
  const [verb = '', what = '', name] = wish.split(' ');
  const [group = '', whole = ''] = what.includes(':') ? what.split(':') : ['', what];
  const [resource = '', subresource] = whole.split('/');
  const asked = await client.request<{ readonly status: { readonly allowed: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, subresource, name } },
    },
  });
  return asked.status.allowed;
}
