import type { Need } from '../kube/needs.ts';
import { edgeNeeds } from '../planes/edge/needs.ts';
import { networkNeeds, type PodsFrom } from '../planes/network/needs.ts';
import { scalingAgentNeeds } from '../planes/scaling/needs.ts';
import { steeringNeeds } from '../planes/steering/needs.ts';

/**
 * The agents for which a cluster is checked, each with what its plane needs there. A plane whose agent reads a cluster has
 * a line here, and `rights-<agent>` among the checks of reasons.ts.
 */
const needs = {
  edge: () => edgeNeeds,
  network: (podsFrom) => networkNeeds({ podsFrom }),
  steering: () => steeringNeeds,
  scaling: () => scalingAgentNeeds,
} satisfies Readonly<Record<string, (podsFrom: PodsFrom) => readonly Need[]>>;

export type Agent = keyof typeof needs;

// Object.keys gives string[]; the record's keys are exactly the agents.
export const agents = Object.keys(needs) as readonly Agent[];

/** Those that every cluster has; only the cluster whose API holds the Lease of the steering agents has these, and those whose autoscalers are served. */
export const usualAgents: readonly Agent[] = ['edge', 'network'];

export function needsOf(agent: Agent, podsFrom: PodsFrom): readonly Need[] {
  return needs[agent](podsFrom);
}
