import { agentPorts } from '../../../model/contract.ts';
import { compareText } from '../../../model/values.ts';
import { hostOf, type ServerContext } from './context.ts';

/** A group of targets, as `file_sd_configs` of Prometheus reads them. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whom Prometheus asks, by the job of `deploy/alerts/prometheus.yaml`: the agents of workers and blades, with the label that our rules take, and the
 * node exporters. A job without a target is left out.
 */
export function targetsOf(servers: readonly ServerContext[]): ReadonlyMap<string, readonly TargetGroup[]> {
  const having = (role: 'worker' | 'blade') => servers.filter(({ server }) => server.roles.includes(role));
  const ofCluster = ({ cluster }: ServerContext) => ({ cluster });
  const jobs: readonly (readonly [string, readonly TargetGroup[]])[] = [
    ['tideline-edge', grouped(having('blade'), () => agentPorts.edge, ofCluster)],
    ['tideline-network', grouped(having('worker'), () => agentPorts.network, ofCluster)],
    [
      'node',
      grouped(
        servers.filter(({ fleet }) => fleet.monitoring !== undefined),
        ({ fleet }) => fleet.monitoring?.port ?? 0,
        ({ cluster, id, server }) => ({
          cluster,
          site: server.site,
          rack: server.rack,
          server: id,
          roles: server.roles.toSorted(compareText).join(','),
        }),
      ),
    ],
  ];
  return new Map(jobs.filter(([, groups]) => groups.length > 0));
}

function grouped(
  servers: readonly ServerContext[],
  portOf: (server: ServerContext) => number,
  labelsOf: (server: ServerContext) => TargetGroup['labels'],
): readonly TargetGroup[] {
  const groups = Map.groupBy(servers, (server) => JSON.stringify(labelsOf(server)));
  return [...groups.values()].flatMap((some) => {
    const [first] = some;
    if (first === undefined) return [];
    return [{ targets: some.map((one) => `${hostOf(one.address)}:${portOf(one)}`), labels: labelsOf(first) }];
  });
}
