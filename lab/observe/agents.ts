import { get } from 'node:http';
import { agentPaths, agentPorts } from '../../src/model/contract.ts';
import type { AgentStatus } from '../../src/model/status.ts';
import { withoutUndefined } from '../../src/model/values.ts';
import type { ViewPort } from './port.ts';

export interface AgentView {
  readonly server: string;
  readonly kind: 'network' | 'edge';
  readonly url: string;
  /** The agent's own /status; absent when it does not answer. */
  readonly status?: AgentStatus;
}

/** Asks every agent for its /status, over the network from the operator's machine. */
export function agentViews(lab: Pick<ViewPort, 'world'>): Promise<readonly AgentView[]> {
  const agents = lab.world.datacentres.flatMap(({ workers, blades }) => [
    ...workers.map((s) => ({ server: s.name, kind: 'network' as const, at: `${s.address}:${agentPorts.network}` })),
    ...blades.map((s) => ({ server: s.name, kind: 'edge' as const, at: `${s.address}:${agentPorts.edge}` })),
  ]);
  return Promise.all(
    agents.map(async ({ server, kind, at }) => {
      const url = `http://${at}${agentPaths.status}`;
      const status = await fetchStatus(url).catch(() => undefined);
      return { server, kind, url, ...withoutUndefined({ status }) };
    }),
  );
}

/** Fetches a status. It needs no validation, because the lab runs only agents of this version. */
function fetchStatus(url: string): Promise<AgentStatus> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: 1500, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        try {
          resolve(JSON.parse(body) as AgentStatus);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error('Timeout')));
    request.on('error', reject);
  });
}
