import type { Need } from '../../kube/needs.ts';

/** Documents come from the platform spec alone: nothing of a cluster is read. */
export const fleetNeeds: readonly Need[] = [];
