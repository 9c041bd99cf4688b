import { electLeader, follow, knowIdentity, type Need, writeEvents, writeStatus } from '../../kube/needs.ts';

/** The commands need nothing of any cluster; the agent needs one of them for its Lease, and obeys the Drains there. */
export const steeringNeeds: readonly Need[] = [
  knowIdentity,
  follow('Drain', 'Drains of this cluster', { mayLack: true }),
  writeStatus(
    { kind: 'TrafficPolicy', subresource: 'status' },
    'whether a policy is in force, and which generation of each zone',
  ),
  writeStatus({ kind: 'Drain', subresource: 'status' }, 'whether DNS follows a Drain'),
  writeStatus(
    { kind: 'TrafficOverlay', subresource: 'status' },
    'whether a proposal is in force, or for whom it waits',
  ),
  writeStatus({ kind: 'TrafficVerdict', subresource: 'status' }, 'whether a word about a proposal counts'),
  writeEvents('Events on proposals: for whom they wait, what was said of them, whose owner is silent'),
  electLeader('one writer among several agents'),
];
