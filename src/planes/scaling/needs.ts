import { askRightsOfOthers, getNamed, knowIdentity, type Need } from '../../kube/needs.ts';
import { systemNamespace } from '../../model/contract.ts';

const why = 'how many replicas of a ScalingTarget are Ready';

/** What the commands read of clusters that have targets. Who runs them brings a kubeconfig; no agent has these rights. */
export const scalingNeeds: readonly Need[] = [
  { of: { apiGroup: 'apps', resource: 'deployments' }, verbs: ['get'], why },
  { of: { apiGroup: 'apps', resource: 'statefulsets' }, verbs: ['get'], why },
  {
    of: { apiGroup: 'autoscaling', resource: 'horizontalpodautoscalers' },
    verbs: ['get', 'patch'],
    why: 'what an autoscaler scales, its bounds, and its least replicas, which `apply` sets',
  },
];

const reads = 'what a ScalingTarget has, and whose numbers describe which object';

/** What the agent needs of the cluster whose autoscalers it serves. */
export const scalingAgentNeeds: readonly Need[] = [
  knowIdentity,
  { of: { apiGroup: 'apps', resource: 'deployments' }, verbs: ['get'], why: reads },
  { of: { apiGroup: 'apps', resource: 'statefulsets' }, verbs: ['get'], why: reads },
  { of: { apiGroup: 'autoscaling', resource: 'horizontalpodautoscalers' }, verbs: ['get'], why: reads },
  getNamed(
    { apiGroup: '', resource: 'configmaps' },
    ['extension-apiserver-authentication'],
    'whom the cluster believes: its own proxy, and the authorities of clients',
  ),
  {
    of: { apiGroup: 'authentication.k8s.io', resource: 'tokenreviews' },
    verbs: ['create'],
    why: 'whose token it is by which somebody asks for metrics',
  },
  askRightsOfOthers('what may be read by who asks for metrics'),
  {
    of: { apiGroup: 'discovery.k8s.io', resource: 'endpointslices' },
    verbs: ['list', 'create', 'patch'],
    namespace: systemNamespace,
    why: 'where the aggregator reaches the servers of the metrics APIs',
  },
];
