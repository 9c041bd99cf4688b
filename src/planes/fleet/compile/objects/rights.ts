import { type FleetContext, hasFelix } from '../context.ts';
import type { Manifest } from './manifest.ts';

/**
 * Rights of the certificates that are planned (`compile/certificates.ts`). Those of the scheduler, the controllers and kube-proxy
 * come with Kubernetes, kubelets are judged by the Node authorizer, and the rights of Tideline's agents stand in `deploy/rbac`.
 */
export function rightsOf(context: FleetContext): readonly Manifest[] {
  const { fleet } = context;
  return [
    ...ofGroup('tideline:kubelet-api', kubeletApi),
    ...('calico' in fleet.ipam ? ofGroup('tideline:calico-cni', calicoCni) : []),
    ...(hasFelix(context) ? ofGroup('tideline:calico-felix', calicoFelix) : []),
  ];
}

type Rule = Readonly<Record<'apiGroups' | 'resources' | 'verbs', readonly string[]>>;

/**
 * What the API server does at kubelets for its users: logs, exec, attach and port-forward (a kubelet asks for `nodes/proxy` with the verb of
 * the HTTP method), and what can be read through the proxy of a Node.
 */
const kubeletApi: readonly Rule[] = [
  { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get', 'create'] },
  {
    apiGroups: [''],
    resources: ['configz', 'healthz', 'log', 'metrics', 'pods', 'stats'].map((path) => `nodes/${path}`),
    verbs: ['get'],
  },
];

const calico = 'crd.projectcalico.org';

/** What the plugin asks when a pod comes and goes. It reads pools and settings, and keeps the book of blocks and addresses. */
const calicoCni: readonly Rule[] = [
  { apiGroups: [''], resources: ['namespaces', 'nodes', 'pods'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  { apiGroups: [calico], resources: ['clusterinformations', 'ipamconfigs'], verbs: ['get'] },
  { apiGroups: [calico], resources: ['ippools', 'ipreservations'], verbs: ['list'] },
  {
    apiGroups: [calico],
    resources: ['blockaffinities', 'ipamblocks'],
    verbs: ['get', 'list', 'create', 'update', 'delete'],
  },
  { apiGroups: [calico], resources: ['ipamhandles'], verbs: ['get', 'create', 'update', 'delete'] },
];

/** Felix reads policies and what they select by, and writes nothing. */
const calicoFelix: readonly Rule[] = [
  {
    apiGroups: [''],
    resources: ['namespaces', 'nodes', 'pods', 'serviceaccounts', 'services'],
    verbs: ['list', 'watch'],
  },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['policy.networking.k8s.io'],
    resources: ['adminnetworkpolicies', 'baselineadminnetworkpolicies'],
    verbs: ['list', 'watch'],
  },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
  { apiGroups: [calico], resources: ['clusterinformations', 'felixconfigurations'], verbs: ['get'] },
  {
    apiGroups: [calico],
    resources: [
      'bgpconfigurations',
      'bgppeers',
      'clusterinformations',
      'felixconfigurations',
      'globalnetworkpolicies',
      'globalnetworksets',
      'hostendpoints',
      'ipamblocks',
      'ippools',
      'networkpolicies',
      'networksets',
      'stagedglobalnetworkpolicies',
      'stagedkubernetesnetworkpolicies',
      'stagednetworkpolicies',
      'tiers',
    ],
    verbs: ['list', 'watch'],
  },
];

/** A ClusterRole for all who have the group in their certificate. */
function ofGroup(group: string, rules: readonly Rule[]): readonly Manifest[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const apiGroup = 'rbac.authorization.k8s.io';
  const metadata = { name: group };
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: group },
      subjects: [{ apiGroup, kind: 'Group', name: group }],
    },
  ];
}
