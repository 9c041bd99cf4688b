import type { KubeClient } from '../../kube/api/client.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { StepHandlers } from '../../planes/fleet/run/handlers.ts';
import type { Documents } from '../../planes/fleet/run/procedures/situation.ts';
import { systemClock } from '../../runtime/clock.ts';
import { compileInto } from './compiled.ts';

/** Clusters whose API can be reached: the source of the Cluster names a kubeconfig. */
export async function apisIn(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { clusters } = await loadPlatformOrThrow(paths);
  return new Set([...clusters].filter(([, { spec }]) => 'kubeconfig' in spec.source).map(([name]) => name));
}

/** Handlers that need the APIs of clusters, and the end of their connections. */
export interface WorldHandlers {
  readonly handlers: Required<Pick<StepHandlers, 'drain' | 'return' | 'forget' | 'gates' | 'objects'>>;
  readonly close: () => Promise<void>;
}

/**
 * How servers are drained and judged, and objects written, as the spec and the folder of documents have them. `former` are documents of servers
 * that leave: workers and blades among them are still drained, while nobody waits for their etcd or API.
 */
export async function worldHandlers(
  paths: readonly string[],
  folder: string,
  former: Documents,
): Promise<WorldHandlers> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { handlersIn } = await import('../../planes/fleet/run/in-world.ts');
  const { objectsHandler } = await import('../../planes/fleet/run/objects.ts');
  const platform = await loadPlatformOrThrow(paths);
  const compiled = await compileInto(folder, paths);
  const clients = new Map<string, Promise<KubeClient>>();
  const api = (cluster: string): Promise<KubeClient> => {
    const client = clients.get(cluster) ?? connectTo(platform, cluster);
    clients.set(cluster, client);
    return client;
  };
  const world = {
    documents: new Map([...leaving(former, compiled.documents), ...compiled.documents]),
    pools: [...platform.edgePools.values()],
    api,
    clock: systemClock,
  };
  const objects = objectsHandler(async (cluster) => ({
    client: await api(cluster),
    objects: compiled.objects.get(cluster) ?? [],
  }));
  return {
    handlers: { ...handlersIn(world), objects },
    async close() {
      for (const client of await Promise.allSettled(clients.values()))
        if (client.status === 'fulfilled') await client.value.close();
    },
  };
}

function leaving(former: Documents, documents: Documents): Documents {
  return new Map(
    [...former]
      .filter(([name]) => !documents.has(name))
      .map(([name, document]) => {
        const roles = document.server.roles.filter((role) => role === 'worker' || role === 'blade');
        return [name, { ...document, server: { ...document.server, roles } }] as const;
      }),
  );
}

async function connectTo(platform: Platform, cluster: string): Promise<KubeClient> {
  const { sourcePlace } = await import('../cluster-source.ts');
  const { connect } = await import('../../kube/api/connect.ts');
  return await connect({ ...sourcePlace(platform, cluster, {}), clock: systemClock });
}
