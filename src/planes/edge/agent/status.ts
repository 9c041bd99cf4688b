import type { NeighborStatus, RouteRefusal, Speaker } from '../../../bgp/speaker.ts';
import type { ClusterSource, SourceStatus } from '../../../kube/source.ts';
import type { Drain } from '../../../model/spec/kinds.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { PlatformStatus } from '../../../platform/watch.ts';
import type { Condition } from '../compile/compile.ts';
import type { DataPlane, DataPlaneStatus, PolicyHealth } from '../table.ts';
import type { PeerAnswer, Peers } from './peers.ts';
import type { BladePlatform } from './platform.ts';
import type { PublisherStatus } from './publish.ts';
import type { VipStatus } from './vips.ts';

/** `/status` of the agent. Other blades read `blade` and `vips`; people and the lab read the rest. */
export interface EdgeStatus {
  readonly blade: string;
  readonly pool: string;
  readonly cluster: string;
  /** `servingSnapshot`: the cluster was not read since this agent started. */
  readonly source: SourceStatus & { readonly servingSnapshot: boolean };
  readonly platform: PlatformStatus;
  /** The last generation that nginx acknowledged. */
  readonly generation: number;
  /** Absent while nginx cannot be reached. */
  readonly nginx?: DataPlaneStatus;
  /** Why the blade as a whole is unfit. */
  readonly fault?: string;
  /** Why nginx refused the newest table; it serves the one before, and the blade stays fit. */
  readonly tableRefused?: string;
  readonly vips: readonly VipStatus[];
  readonly vipsMissing: Readonly<Record<string, string>>;
  readonly bgp: {
    readonly relay: string;
    readonly neighbors: readonly NeighborStatus[];
    readonly refusals: readonly RouteRefusal[];
  };
  readonly peers: readonly { readonly blade: string; readonly vips: Readonly<Record<string, unknown>> }[];
  readonly draining: boolean;
  readonly drain?: { readonly name: string; readonly reason: string; readonly expires: string };
  readonly policies: readonly PolicyHealth[];
  readonly conditions: { readonly accepted: number; readonly partial: number; readonly refused: number };
  /** Who writes status and events to the cluster, and what waits; absent when nobody does. */
  readonly publishing?: PublisherStatus;
  /** The conditions that are not `accepted`, the first hundred by name. */
  readonly refused: readonly Condition[];
}

export interface StatusInput {
  readonly blade: string;
  readonly platform: () => BladePlatform;
  readonly platformStatus: () => PlatformStatus;
  readonly source: ClusterSource;
  readonly dataPlane: DataPlane;
  readonly speaker: Speaker;
  readonly peers: Peers;
  readonly tables: {
    readonly servesSnapshot: boolean;
    readonly generation: number;
    readonly refusal: string | undefined;
    readonly conditions: readonly Condition[];
    fault(): string | undefined;
  };
  readonly vips: readonly VipStatus[];
  readonly missing: ReadonlyMap<string, string>;
  readonly drain: Drain | undefined;
  readonly health: readonly PolicyHealth[];
  readonly publisher?: { status(): PublisherStatus };
}

const shownConditions = 100;

/** Everything the agent knows, as it is in this moment. */
export function statusOf(input: StatusInput): EdgeStatus {
  const { pool } = input.platform();
  const { tables, drain } = input;
  const nginx = input.dataPlane.status();
  const fault = tables.fault();
  const { relay, neighbors, refusals } = input.speaker.status();
  const count = (state: Condition['state']): number =>
    tables.conditions.filter((condition) => condition.state === state).length;
  return {
    blade: input.blade,
    pool: pool.metadata.name,
    cluster: pool.spec.cluster,
    source: { ...input.source.status(), servingSnapshot: tables.servesSnapshot },
    platform: input.platformStatus(),
    generation: tables.generation,
    ...withoutUndefined({ nginx, fault, tableRefused: tables.refusal }),
    vips: input.vips,
    vipsMissing: Object.fromEntries(input.missing),
    bgp: { relay, neighbors, refusals },
    peers: input.peers.answers().map(readablePeer),
    draining: drain !== undefined,
    ...(drain === undefined
      ? {}
      : { drain: { name: drain.metadata.name, reason: drain.spec.reason, expires: drain.spec.expires } }),
    policies: input.health,
    conditions: { accepted: count('accepted'), partial: count('partial'), refused: count('refused') },
    ...(input.publisher === undefined ? {} : { publishing: input.publisher.status() }),
    refused: tables.conditions.filter(({ state }) => state !== 'accepted').slice(0, shownConditions),
  };
}

function readablePeer({ blade, vips }: PeerAnswer): EdgeStatus['peers'][number] {
  return { blade, vips: Object.fromEntries(vips) };
}
