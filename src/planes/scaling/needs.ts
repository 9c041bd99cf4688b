import type { Need } from '../../kube/needs.ts';

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
