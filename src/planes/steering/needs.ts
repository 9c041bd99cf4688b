import type { Need } from '../../kube/needs.ts';

/** Steering needs nothing of any cluster: it reads the platform spec and writes DNS. */
export const steeringNeeds: readonly Need[] = [];
