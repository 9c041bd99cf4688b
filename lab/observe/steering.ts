import { agentPaths } from '../../src/model/contract.ts';
import type { SteeringStatus } from '../../src/model/steering-status.ts';
import { withoutUndefined } from '../../src/model/values.ts';
import { fetchJson } from './fetch.ts';
import type { ViewPort } from './port.ts';

export interface SteeringView {
  readonly url: string;
  /** The agent's own /status; absent when it does not answer. */
  readonly status?: SteeringStatus;
}

/** Asks the steering agent for its /status; undefined when the lab has none. */
export async function steeringView({ steering }: Pick<ViewPort, 'steering'>): Promise<SteeringView | undefined> {
  if (steering === undefined) return undefined;
  const url = `http://${steering}${agentPaths.status}`;
  const status = await fetchJson<SteeringStatus>(url).catch(() => undefined);
  return { url, ...withoutUndefined({ status }) };
}

/** The lines of it, for people: its mode, and what each zone is (pure). */
export function steeringLines(view: SteeringView | undefined): readonly string[] {
  if (view === undefined) return [];
  const { status } = view;
  if (status === undefined) return ['steering agent', '  no answer'];
  return [
    `steering agent, ${status.mode}`,
    ...status.zones.map(({ provider, zone, state, generation, conditions }) => {
      const reasons = [...new Set(conditions.map(({ reason }) => reason))].join(', ');
      const number = generation === undefined ? '' : `, generation ${generation}`;
      return `  ${provider.padEnd(9)} ${zone}  ${state}${number}${reasons === '' ? '' : `: ${reasons}`}`;
    }),
  ];
}
