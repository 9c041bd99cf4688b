import { randomUUID } from 'node:crypto';
import { systemNamespace } from '../../model/contract.ts';
import { poolsOfCluster } from '../../model/platform/places.ts';
import { noTrust } from '../../model/platform/trust.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { WritingView } from '../../model/writing-status.ts';
import type { AgentArguments, AgentHost } from '../agent/host.ts';

interface Given extends AgentArguments {
  readonly node: string;
  readonly cluster: string;
}

export interface WorkerStatuses {
  start(): void;
  status(): WritingView;
  stop(): Promise<void>;
}

/** The field manager of what a worker writes, and the name of the Lease. */
const manager = 'tideline-network';
/** The API is compared with what it should say so often. */
const everyMs = 2000;
/** Pools that stand in the API alone are looked for so often; a worker does not follow them. */
const poolsEveryMs = 10_000;
const patienceMs = 5000;
/** Several times slower than blades: many workers may stand, and a status may be a minute late after its writer has died. */
const pace = { leaseDurationMs: 60_000, renewDeadlineMs: 40_000, retryPeriodMs: 10_000 };

/**
 * Writes to the API of a cluster without an edge pool what became of the spec there, while this worker holds the Lease. Where the cluster has a
 * pool, in the platform or in its API, one of the blades writes it. Undefined where the API is no source of the spec.
 */
export async function workerStatuses(
  host: AgentHost<Given, unknown>,
  platform: () => Platform,
): Promise<WorkerStatuses | undefined> {
  const { given, client, clock, log, registry } = host;
  if (client === undefined) return undefined;
  const { Election } = await import('../../kube/lease/election.ts');
  const { StatusWriter } = await import('../../kube/status/writer.ts');
  const { writeMetrics } = await import('../../kube/status/metrics.ts');
  const { readSpecApi } = await import('../../platform-api/read.ts');
  const { Loop } = await import('../../runtime/loop.ts');
  const { specStatuses } = await import('../agent/spec-statuses.ts');
  const metrics = writeMetrics(registry);
  const common = {
    client,
    fieldManager: manager,
    clock,
    random: Math.random,
    metrics,
    log: log.child({ room: 'status' }),
  };
  const election = new Election({
    ...common,
    ...pace,
    namespace: systemNamespace,
    name: manager,
    identity: `${given.node}_${randomUUID()}`,
    onChange: () => loop.trigger(),
  });
  const writer = new StatusWriter({ ...common, allowedForMs: () => (isWriter() ? election.leadingForMs : 0) });
  /** Whether no pool of this cluster stands in its API; undefined while that is not known. */
  let noPool: boolean | undefined;
  let poolsAtMs = -Infinity;
  let problem: string | undefined;
  const isWriter = (): boolean => noPool === true && poolsOfCluster(platform(), given.cluster).length === 0;
  const wishes = await specStatuses({ ...host, client, platform, isWriter, leads: () => election.leading });
  if (wishes === undefined) return undefined;
  const lookForPools = async (): Promise<void> => {
    poolsAtMs = clock.monotonic();
    try {
      const { objects } = await readSpecApi(client, given.cluster, patienceMs, { trust: noTrust, kinds: ['EdgePool'] });
      noPool = !objects.some(({ spec }) => (spec as { readonly cluster?: unknown })?.cluster === given.cluster);
      problem = undefined;
    } catch (error) {
      noPool = undefined;
      problem = `it is not known whether the cluster has an edge pool: ${messageOf(error)}`;
    }
  };
  const loop = new Loop({
    clock,
    run: async (): Promise<number> => {
      if (!election.leading) return everyMs;
      if (clock.monotonic() - poolsAtMs >= poolsEveryMs) await lookForPools();
      writer.set(wishes());
      return everyMs;
    },
    onError: (error) => log.error({ err: error }, 'comparing the status of the spec failed; tried again'),
    retry: { firstMs: everyMs, ceilingMs: everyMs },
  });
  return {
    start: () => {
      election.stand();
      loop.trigger();
    },
    status: () => ({ ...election.status(), writes: election.leading && isWriter(), ...withoutUndefined({ problem }) }),
    stop: async () => {
      await loop.stop();
      await writer.stop();
      await election.resign();
    },
  };
}
