import { electLeader, follow, knowIdentity, type Need } from '../../kube/needs.ts';

/** The commands need nothing of any cluster; the agent needs one of them for its Lease, and obeys the Drains there. */
export const steeringNeeds: readonly Need[] = [
  knowIdentity,
  follow('Drain', 'Drains of this cluster', { mayLack: true }),
  electLeader('one writer among several agents'),
];
