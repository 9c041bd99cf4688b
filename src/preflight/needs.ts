import type { CalicoGroup } from '../kube/calico.ts';
import { askRightsOfOthers, getNamed, list, type Need } from '../kube/needs.ts';
import { apiGroup, systemNamespace } from '../model/contract.ts';

/** The CustomResourceDefinitions that a cluster has: of the kinds that agents read from its API. */
export const ownCrds = ['edgepools', 'drains'].map((plural) => `${plural}.${apiGroup}`);

/** The group of the kubeconfigs that `deploy/kubeconfig check` makes: of people who look, and not of an agent. */
export const checkGroup = 'tideline:check';

/** The plural of Calico's configuration of its IPAM, which has another name in each of its two groups. */
export const ipamConfigs: Readonly<Record<CalicoGroup, string>> = {
  'crd.projectcalico.org': 'ipamconfigs',
  'projectcalico.org': 'ipamconfigurations',
};

/** The ClusterRole that a Fleet brings to its cluster when Felix runs on every worker, and removes when it no longer does. */
export const felixRole = 'tideline:calico-felix';

const policies = 'are NetworkPolicies kept';
const ipam = 'IPAM, pools and BGP of Calico';

/** What `tideline check --cluster` itself needs of a cluster. The needs of the agents, which it checks, are not among these. */
export const preflightNeeds: readonly Need[] = [
  getNamed(
    { apiGroup: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    ownCrds,
    'are the CRDs those of this version',
  ),
  getNamed({ apiGroup: '', resource: 'namespaces' }, [systemNamespace], 'is it there'),
  askRightsOfOthers('may the agents do what they do'),
  list({ kind: 'Node' }, 'addresses and pod prefixes of nodes'),
  list({ kind: 'IngressClass' }, 'is our class there'),
  list({ kind: 'Service' }, 'in a cluster of GKE: what the load balancer may reach'),
  list({ apiGroup: 'networking.k8s.io', resource: 'networkpolicies' }, policies),
  list({ apiGroup: 'apps', resource: 'daemonsets' }, policies),
  getNamed({ apiGroup: 'rbac.authorization.k8s.io', resource: 'clusterroles' }, [felixRole], policies),
  list({ kind: 'BlockAffinity' }, ipam),
  list({ kind: 'IPPool' }, ipam),
  list({ calico: 'clusterinformations' }, ipam),
  list({ calico: ipamConfigs }, ipam),
  list({ calico: 'bgpconfigurations' }, ipam),
  list({ calico: 'bgppeers' }, ipam),
];
