import type { FleetStep } from './step.ts';
import { clusterMade, podsReached } from './steps/create.ts';
import { edgeServes } from './steps/edge.ts';
import { workerAdded } from './steps/workers.ts';

/** The steps of the fleet's scenario, in order; each begins with what the one before left. */
export const fleetScenario: readonly FleetStep[] = [clusterMade, podsReached, edgeServes, workerAdded];
