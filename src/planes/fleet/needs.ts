import type { Need } from '../../kube/needs.ts';

const apps = (resource: string) => ({ apiGroup: 'apps', resource });
const why = 'whether what ran on a worker before it was drained runs again';

/** What a run needs of a cluster whose servers it drains and judges. Documents come from the platform spec alone, and need nothing. */
export const fleetNeeds: readonly Need[] = [
  {
    of: { kind: 'Node' },
    verbs: ['get', 'patch', 'delete'],
    why: 'whether workers are Ready; no new pods come to one that is drained; the Node of one that leaves is deleted',
  },
  { of: { kind: 'Pod' }, verbs: ['list'], why: 'what runs on a worker' },
  {
    of: { kind: 'Pod', subresource: 'eviction' },
    verbs: ['create'],
    why: 'evictions, which respect PodDisruptionBudgets',
  },
  {
    of: { kind: 'Drain' },
    verbs: ['get', 'create', 'patch', 'delete'],
    why: 'Drains of blades and workers before they are touched',
  },
  { of: apps('replicasets'), verbs: ['get'], why },
  { of: apps('statefulsets'), verbs: ['get'], why },
  { of: apps('daemonsets'), verbs: ['get'], why },
  { of: { apiGroup: '', resource: 'replicationcontrollers' }, verbs: ['get'], why },
];
