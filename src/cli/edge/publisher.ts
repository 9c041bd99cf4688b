import { randomUUID } from 'node:crypto';
import type { KubeClient } from '../../kube/api/client.ts';
import type { EdgeAgentOptions } from '../../planes/edge/agent/agent.ts';
import type { BladePlatform } from '../../planes/edge/agent/platform.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';

/** What writes status and events to the cluster; nothing for a folder of manifests, where there is nobody to tell. */
export async function edgePublisher(options: {
  readonly client: KubeClient | undefined;
  readonly platform: () => BladePlatform;
  readonly blade: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}): Promise<Pick<EdgeAgentOptions, 'publisher'>> {
  const { client, platform, blade, clock, log, registry } = options;
  if (client === undefined) return {};
  const { Publisher } = await import('../../planes/edge/agent/publish.ts');
  const publisher = new Publisher({
    client,
    pool: () => platform().pool,
    blade,
    identity: `${blade}_${randomUUID()}`,
    clock,
    random: Math.random,
    log: log.child({ room: 'publish' }),
    registry,
  });
  return { publisher };
}
