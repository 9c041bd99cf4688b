import type { KubeClient } from '../../../kube/api/client.ts';
import type { ServerRole } from '../../../model/spec/kinds/server.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { ServerDocument } from '../compile/document.ts';

/** What gates and drains know beside what servers say. */
export interface FleetWorld {
  /** The documents that the servers are to have, by server. */
  readonly documents: ReadonlyMap<string, ServerDocument>;
  readonly pools: readonly EdgePool[];
  /** The API of a cluster. Rejects when there is no way to it. */
  readonly api: (cluster: string) => Promise<Pick<KubeClient, 'request'>>;
  readonly clock: Clock;
}

/** The servers of a cluster that have a role, by name. */
export function serversOf({ documents }: FleetWorld, cluster: string, role: ServerRole): readonly string[] {
  return [...documents.values()]
    .filter(({ server }) => server.cluster === cluster && server.roles.includes(role))
    .map(({ server }) => server.id)
    .toSorted();
}

/** Of these servers the ones that have a role. */
export function having({ documents }: FleetWorld, servers: readonly string[], role: ServerRole): readonly string[] {
  return servers.filter((server) => documents.get(server)?.server.roles.includes(role) === true);
}
