import type { KubeClient } from '../../kube/api/client.ts';
import type { Election } from '../../kube/lease/election.ts';
import type { WriteMetrics } from '../../kube/status/metrics.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { ZoneView } from '../../model/steering-status.ts';
import type { Verdict } from '../../platform/spec-api.ts';
import type { PlatformApi } from '../../platform-api/source.ts';
import type { Looked } from '../../platform-api/steered-status.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

export interface AgentStatusesOptions {
  /** The API of the cluster that holds the Lease. */
  readonly api: PlatformApi;
  readonly client: KubeClient;
  readonly election: Election;
  /** The platform in force, without what overlays make of it. */
  readonly platform: () => Platform;
  readonly verdicts: () => readonly Verdict[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: WriteMetrics;
}

export interface AgentStatuses {
  /** To be called with what was found, each time that the agent has looked. */
  readonly looked: (platform: Platform, zones: readonly ZoneView[]) => void;
  readonly stop: () => Promise<void>;
}

/** The API is compared with what it should say so often; the source itself tells nobody of a status that changed. */
const everyMs = 2000;

/** Writes to the API that holds the Lease, while this agent leads, what became of policies and proposals, and what DNS makes of Drains. */
export async function agentStatuses(options: AgentStatusesOptions): Promise<AgentStatuses> {
  const { api, client, election, platform, verdicts, clock, log, metrics } = options;
  const { SteeredStatuses, steeringManager } = await import('../../platform-api/steered-status.ts');
  const { StatusWriter } = await import('../../kube/status/writer.ts');
  const { platformDigest } = await import('../../platform/digest.ts');
  const { Loop } = await import('../../runtime/loop.ts');
  const statuses = new SteeredStatuses();
  const writer = new StatusWriter({
    client,
    fieldManager: steeringManager,
    clock,
    random: Math.random,
    log,
    metrics,
    allowedForMs: () => election.leadingForMs,
  });
  let found: Looked | undefined;
  const compare = async (): Promise<number> => {
    if (found === undefined || !election.leading) return everyMs;
    writer.set(statuses.wishes(api.current().place, (kind) => api.objects(kind).values(), found, clock.now()));
    return everyMs;
  };
  const loop = new Loop({
    clock,
    run: compare,
    onError: (error) => log.error({ err: error }, 'comparing the status of policies failed; tried again'),
    retry: { firstMs: everyMs, ceilingMs: everyMs },
  });
  return {
    looked: (seen, zones) => {
      found = { platform: seen, digest: platformDigest(platform()), zones, verdicts: verdicts() };
      loop.trigger();
    },
    stop: async () => {
      await loop.stop();
      await writer.stop();
    },
  };
}
