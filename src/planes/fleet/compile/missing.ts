import { siteOfQuorum } from '../../../model/platform/fleets.ts';
import { type FleetContext, hasFelix } from './context.ts';

/** What is valid and yet not what somebody builds a cluster for, one sentence for each. A plan shows them. */
export function missingIn(context: FleetContext): readonly string[] {
  const { cluster, servers, pools, fleet } = context;
  const unknown = pools.filter(({ spec }) => !spec.blades.some(({ name }) => isBlade(name)));
  function isBlade(name: string): boolean {
    return servers.blade.some(({ metadata }) => metadata.name === name);
  }
  const stretched = siteOfQuorum(servers.etcd);
  return [
    ...(servers.worker.length === 0
      ? [`${cluster} has no server with the role worker: its API will run, and no pod`]
      : []),
    ...(servers.etcd.length === 1 ? [`${cluster} has one member of etcd: when that is lost, so is the cluster`] : []),
    ...(servers.worker.length === 0 || hasFelix(context)
      ? []
      : [
          `no NetworkPolicy will hold in ${cluster}: ${
            'calico' in fleet.ipam
              ? `the release ${fleet.release} has no calico-felix`
              : 'workers with static prefixes have no Felix'
          }`,
        ]),
    ...(stretched === undefined
      ? []
      : [`etcd of ${cluster} is stretched over sites and ends with ${stretched.site}, which has most of its members`]),
    ...unknown.map(
      ({ metadata: { name } }) =>
        `no blade of the pool ${name} of ${cluster} is a Server: nothing is set up that serves its VIPs`,
    ),
  ];
}
