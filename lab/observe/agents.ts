import { agentPaths, agentPorts } from '../../src/model/contract.ts';
import type { AgentStatus } from '../../src/model/status.ts';
import { withoutUndefined } from '../../src/model/values.ts';
import { fetchJson } from './fetch.ts';
import type { ViewPort } from './port.ts';

export interface AgentView {
  readonly server: string;
  readonly kind: 'network' | 'edge';
  readonly url: string;
  /** The agent's own /status; absent when it does not answer. */
  readonly status?: AgentStatus;
}

/** Asks every agent for its /status, over the network from the operator's machine. */
export function agentViews(lab: Pick<ViewPort, 'world' | 'agentAccess'>): Promise<readonly AgentView[]> {
  const agents = lab.world.datacentres.flatMap(({ workers, blades }) => [
    ...workers.map((s) => ({ server: s.name, kind: 'network' as const, at: `${s.address}:${agentPorts.network}` })),
    ...blades.map((s) => ({ server: s.name, kind: 'edge' as const, at: `${s.address}:${agentPorts.edge}` })),
  ]);
  return Promise.all(
    agents.map(async ({ server, kind, at }) => {
      const url = `${lab.agentAccess === undefined ? 'http' : 'https'}://${at}${agentPaths.status}`;
      const status = await fetchJson<AgentStatus>(url, lab.agentAccess).catch(() => undefined);
      return { server, kind, url, ...withoutUndefined({ status }) };
    }),
  );
}
