import { electLeader, follow, knowIdentity, type Need, writeEvents, writeStatus } from '../../kube/needs.ts';
import { apiGroup } from '../../model/contract.ts';

/** What the agent of a blade needs of its cluster. */
export const edgeNeeds: readonly Need[] = [
  knowIdentity,
  follow('Service', 'backends of Ingresses'),
  follow('EndpointSlice', 'addresses of pods'),
  follow('Ingress', 'routes'),
  // Manifest folders rarely carry IngressClass objects: a class without an object is taken for ours.
  follow('IngressClass', 'which Ingresses are ours', { mayLack: true }),
  // Secrets of other types never leave the kube-apiserver.
  follow('Secret', 'certificates (only type kubernetes.io/tls is asked for)', {
    select: { fields: 'type=kubernetes.io/tls' },
    mayLack: true,
  }),
  follow('Drain', 'Drains of this cluster, its blades and workers', { mayLack: true }),
  follow('EdgePool', 'pools of this cluster', { mayLack: true }),
  writeStatus({ kind: 'Ingress', subresource: 'status' }, 'the addresses of Ingresses'),
  writeStatus({ apiGroup, resource: 'edgepools/status' }, 'conditions of the pool'),
  writeStatus({ kind: 'Drain', subresource: 'status' }, 'whether a Drain is in force, and what is left'),
  {
    of: { apiGroup: '', resource: 'nodes' },
    verbs: ['get'],
    why: 'the address of a drained worker, whose agent is asked',
  },
  writeEvents('Events on refused Ingresses'),
  electLeader('one writer among several agents'),
];
