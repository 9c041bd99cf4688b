import { apiGroup, systemNamespace } from '../model/contract.ts';
import type { CalicoGroup } from './calico.ts';

/** Who talks to a kube-apiserver: the agents, and the preflight of a person or a pipeline. */
export type Party = 'edge' | 'network' | 'check';

/** One thing that a party does there. Stated here once: deploy/rbac grants exactly this, the preflight checks exactly this. */
export interface Right {
  readonly apiGroup: string;
  /** Plural; a subresource after a slash. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Only in this namespace; absent: everywhere. */
  readonly namespace?: string;
  /** Only objects of these names. */
  readonly names?: readonly string[];
  /** What for, as part of a sentence. */
  readonly why: string;
}

/** The CustomResourceDefinitions of the platform spec. */
export const ownCrds = ['sites', 'clusters', 'edgepools', 'trafficpolicies', 'drains'].map(
  (plural) => `${plural}.${apiGroup}`,
);

const follow = ['list', 'watch'];

/** The rights of a party in a cluster that serves Calico by this group; undefined: pods from podCIDRs, Calico is not asked. */
export function rightsOf(party: Party, calico: CalicoGroup | undefined): readonly Right[] {
  const own = plain[party];
  if (calico === undefined) return own;
  const configs = calico === 'projectcalico.org' ? 'ipamconfigurations' : 'ipamconfigs';
  const resources: { readonly [P in Party]: readonly string[] } = {
    edge: [],
    network: ['blockaffinities', 'ipamblocks', 'ippools'],
    check: ['blockaffinities', 'ippools', 'clusterinformations', configs, 'bgpconfigurations', 'bgppeers'],
  };
  const verbs = party === 'check' ? ['list'] : follow;
  const why = party === 'check' ? 'IPAM, pools and BGP of Calico' : 'the blocks of this node and their pools';
  return [...own, ...resources[party].map((resource) => ({ apiGroup: calico, resource, verbs, why }))];
}

const plain: { readonly [P in Party]: readonly Right[] } = {
  edge: [
    { apiGroup: '', resource: 'services', verbs: follow, why: 'backends of Ingresses' },
    {
      apiGroup: '',
      resource: 'secrets',
      verbs: follow,
      why: 'certificates (only type kubernetes.io/tls is asked for)',
    },
    { apiGroup: 'discovery.k8s.io', resource: 'endpointslices', verbs: follow, why: 'addresses of pods' },
    { apiGroup: 'networking.k8s.io', resource: 'ingresses', verbs: follow, why: 'routes' },
    { apiGroup: 'networking.k8s.io', resource: 'ingressclasses', verbs: follow, why: 'which Ingresses are ours' },
    {
      apiGroup: 'networking.k8s.io',
      resource: 'ingresses/status',
      verbs: ['patch'],
      why: 'the addresses of Ingresses',
    },
    { apiGroup, resource: 'edgepools/status', verbs: ['patch'], why: 'conditions of the pool' },
    { apiGroup: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'], why: 'Events on refused Ingresses' },
    {
      apiGroup: 'coordination.k8s.io',
      resource: 'leases',
      verbs: ['get', 'create', 'update'],
      namespace: systemNamespace,
      why: 'one writer among several agents',
    },
  ],
  network: [{ apiGroup: '', resource: 'nodes', verbs: follow, why: "the server's own address" }],
  check: [
    {
      apiGroup: 'apiextensions.k8s.io',
      resource: 'customresourcedefinitions',
      verbs: ['get'],
      names: ownCrds,
      why: 'are the CRDs those of this version',
    },
    { apiGroup: '', resource: 'namespaces', verbs: ['get'], names: [systemNamespace], why: 'is it there' },
    { apiGroup: '', resource: 'nodes', verbs: ['list'], why: 'addresses and pod prefixes of nodes' },
    { apiGroup: 'networking.k8s.io', resource: 'ingressclasses', verbs: ['list'], why: 'is our class there' },
  ],
};

/** `verb resource.group`, as `kubectl auth can-i` and error messages write it. */
export function rightText(verb: string, right: Pick<Right, 'apiGroup' | 'resource'>): string {
  const [resource = '', subresource] = right.resource.split('/');
  const group = right.apiGroup === '' ? '' : `.${right.apiGroup}`;
  return `${verb} ${resource}${group}${subresource === undefined ? '' : `/${subresource}`}`;
}
