import type { Speaker } from '../../bgp/speaker.ts';
import type { ClusterSource } from '../../kube/source.ts';
import type { Drain } from '../../model/spec/kinds.ts';
import type { EdgeStatus, PlanePart } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Condition } from './compile/compile.ts';
import type { BladePlatform } from './compile/platform.ts';
import type { PublisherStatus } from './publish/publisher.ts';
import type { DataPlane, PolicyHealth } from './table.ts';
import type { PeerAnswer, Peers } from './vips/peers.ts';
import type { VipStatus } from './vips/vips.ts';

export interface StatusInput {
  readonly blade: string;
  readonly platform: () => BladePlatform;
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
export function statusOf(input: StatusInput): PlanePart<EdgeStatus> {
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
