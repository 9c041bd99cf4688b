import { compareText } from '../../src/model/values.ts';
import type { ClusterBlock } from '../clusters/running.ts';
import { kernelRoutes, type RouteSeen } from '../world/routes.ts';
import type { World } from '../world/topology.ts';
import { type AgentView, agentViews } from './agents.ts';
import { alertViews } from './alerts.ts';
import type { ViewPort } from './port.ts';
import { type RouterView, routerViews } from './routers.ts';

/** What was seen of servers and routers in one moment. */
export interface Seen {
  readonly routers: readonly RouterView[];
  readonly agents: readonly AgentView[];
  /** The routes of each cluster's rack router. */
  readonly routes: ReadonlyMap<string, readonly RouteSeen[]>;
  /** The blocks of pods of each cluster. */
  readonly blocks: ReadonlyMap<string, readonly ClusterBlock[]>;
}

/** Looks at every server and router, and says what is missing until all of them do their part; undefined once nothing is. */
export async function missingNow(lab: WholePort): Promise<string | undefined> {
  const { datacentres } = lab.world;
  const [routers, agents, alerts, routes] = await Promise.all([
    routerViews(lab),
    agentViews(lab),
    alertViews(lab),
    Promise.all(
      datacentres.map(async ({ cluster, router }) => [cluster, await kernelRoutes(lab.network, router.name)] as const),
    ),
  ]);
  const blocks = new Map([...lab.clusters].map(([name, cluster]) => [name, cluster.blocks]));
  if (lab.alerts !== undefined && alerts === undefined) return 'Prometheus does not answer';
  return missingOf(lab.world, { routers, agents, routes: new Map(routes), blocks });
}

type WholePort = Pick<ViewPort, 'world' | 'routers' | 'birdSocket' | 'network' | 'alerts' | 'agentAccess'> & {
  readonly clusters: ReadonlyMap<string, { readonly blocks: readonly ClusterBlock[] }>;
};

/**
 * The first thing that is missing in a world without faults: a session, an agent that follows its cluster, a blade that announces a VIP,
 * a worker that announces a block of its pods (pure).
 */
export function missingOf(world: World, seen: Seen): string | undefined {
  return missingSession(seen) ?? missingAgent(seen) ?? missingRoute(world, seen);
}

function missingSession({ routers }: Seen): string | undefined {
  for (const { name, answers, sessions } of routers) {
    if (!answers) return `the BIRD of ${name} does not answer`;
    const down = sessions.find(({ established }) => !established);
    if (down !== undefined) return `${name} has no session with ${down.neighbor}`;
  }
  return undefined;
}

function missingAgent({ agents }: Seen): string | undefined {
  const other = agents.find((agent) => !phaseOf(agent).startsWith('live'));
  return other === undefined
    ? undefined
    : `the ${other.kind} agent of ${other.server} says ${phaseOf(other)}, not live`;
}

function missingRoute({ datacentres }: World, { routes, blocks }: Seen): string | undefined {
  for (const { cluster, vips, blades, workers, router } of datacentres) {
    const toNodes = (blocks.get(cluster) ?? []).flatMap(({ cidr, node }) =>
      workers.filter(({ name }) => name === node).map((worker) => [cidr, [worker.address]] as const),
    );
    const toVips = vips.map((vip) => [`${vip}/32`, blades.map(({ address }) => address)] as const);
    for (const [prefix, wanted] of [...toVips, ...toNodes]) {
      const via = routes.get(cluster)?.find((route) => route.prefix === prefix)?.via ?? [];
      if (via.join() !== wanted.toSorted(compareText).join())
        return `${router.name} sends ${prefix} to ${via.join(' and ') || 'nobody'}, not to ${wanted.join(' and ')}`;
    }
  }
  return undefined;
}

/** How an agent stands to its cluster, in its own words: `live`, `stale SourceMissing`, `no answer`. */
export function phaseOf({ status }: AgentView): string {
  if (status === undefined) return 'no answer';
  const { phase, reason } = status.source;
  return reason === undefined ? phase : `${phase} ${reason}`;
}
