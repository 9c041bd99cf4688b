import type { ClusterState } from '../../../kube/source.ts';
import type { DoubtView } from '../../../model/status.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { Condition } from '../compile/condition.ts';
import type { PoolView } from '../compile/pool-status.ts';
import { clusterOf, faultOf, refusalOf } from '../step/convergence.ts';
import type { BladeMemory } from '../step/memory.ts';
import type { BladeView } from '../step/view.ts';
import { vipStatuses } from '../step/vip-status.ts';

/** What the agent knows at one moment and the publisher writes to the cluster. */
export interface PublishView
  extends Pick<PoolView, 'platformInvalid' | 'tableRefused' | 'fitBlades' | 'blades' | 'specs'> {
  /** The newest state of the cluster; undefined while the source is not live, or a snapshot is served. */
  readonly state: ClusterState | undefined;
  /** Why this blade does not serve the newest table; undefined when it does. */
  readonly fault: string | undefined;
  readonly conditions: readonly Condition[];
  /** What this blade doubts. */
  readonly doubts: readonly DoubtView[];
  /** The VIPs that are announced by this blade or by a peer that answers. */
  readonly announced: ReadonlySet<string>;
}

export function publishViewOf(
  view: BladeView,
  memory: BladeMemory,
  {
    specDigest,
    ...beside
  }: Pick<PublishView, 'platformInvalid' | 'doubts'> & { readonly specDigest: string | undefined },
): PublishView {
  const { convergence, pool, nginx, nowMs } = view;
  const own = vipStatuses(memory, view.speaker);
  const blades = [new Map(own.map((vip) => [vip.address, vip])), ...view.peers.answers.map(({ vips }) => vips)];
  const vips = pool.spec.vips.map(({ address }) => address.text);
  return {
    state: view.source.phase === 'live' ? clusterOf(convergence) : undefined,
    fault: faultOf(convergence, nginx, nowMs),
    conditions: view.conditions,
    ...beside,
    ...withoutUndefined({ tableRefused: refusalOf(convergence) }),
    blades: pool.spec.blades.length,
    specs: [{ blade: view.blade, specDigest }, ...view.peers.answers].flatMap(({ blade, specDigest: digest }) =>
      digest === undefined ? [] : [{ blade, digest }],
    ),
    fitBlades: blades.filter((blade) => [...blade.values()].some(({ fit }) => fit)).length,
    announced: new Set(vips.filter((vip) => blades.some((blade) => blade.get(vip)?.announced === true))),
  };
}
