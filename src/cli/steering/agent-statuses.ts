import { hostname } from 'node:os';
import type { KubeClient } from '../../kube/api/client.ts';
import type { Election } from '../../kube/lease/election.ts';
import type { EventWish } from '../../kube/status/event.ts';
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

/**
 * Writes to the API that holds the Lease, while this agent leads, what became of policies and proposals, and what DNS makes of Drains; of proposals,
 * and of policies that wait for a person, Events as well.
 */
export async function agentStatuses(options: AgentStatusesOptions): Promise<AgentStatuses> {
  const { api, client, election, platform, verdicts, clock, log, metrics } = options;
  const { SteeredStatuses, steeringManager } = await import('../../platform-api/steered-status.ts');
  const { proposalEvents } = await import('../../platform-api/proposal-events.ts');
  const { policyEvents } = await import('../../platform-api/policy-events.ts');
  const { StatusWriter } = await import('../../kube/status/writer.ts');
  const { EventWriter } = await import('../../kube/status/events.ts');
  const { platformDigest } = await import('../../platform/digest.ts');
  const { Loop } = await import('../../runtime/loop.ts');
  const statuses = new SteeredStatuses();
  const common = {
    client,
    fieldManager: steeringManager,
    clock,
    random: Math.random,
    log,
    metrics,
    allowedForMs: () => election.leadingForMs,
  };
  const writer = new StatusWriter(common);
  const events = new EventWriter({
    ...common,
    reporter: { controller: steeringManager, instance: hostname(), action: 'Steer' },
  });
  let found: Looked | undefined;
  const recorded = new Map<string, string>();
  /** The status of an object follows a moment later, and may be refused. */
  const isNew = ({ object: { name, uid = '' }, reason, note }: EventWish): boolean => {
    const said = `${reason} ${note}`;
    const before = recorded.get(`${name} ${uid}`);
    recorded.set(`${name} ${uid}`, said);
    return before !== said;
  };
  const compare = async (): Promise<number> => {
    if (found === undefined || !election.leading) return everyMs;
    const { place } = api.current();
    const { standing, happened } = proposalEvents(place, api.objects('TrafficOverlay').values(), found);
    events.set([...standing, ...policyEvents(place, api.objects('TrafficPolicy').values(), found)]);
    // The status says the same from now on, so each is recorded once.
    for (const event of happened) if (isNew(event)) events.record(event);
    writer.set(statuses.wishes(place, (kind) => api.objects(kind).values(), found, clock.now()));
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
      await Promise.all([writer.stop(), events.stop()]);
    },
  };
}
