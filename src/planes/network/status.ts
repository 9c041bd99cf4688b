import type { Route } from '../../bgp/route.ts';
import type { NeighborStatus, RouteRefusal, SpeakerStatus } from '../../bgp/speaker.ts';
import type { SourceStatus } from '../../kube/source.ts';
import type { Prefix } from '../../model/address.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { NetworkPlan, NetworkRefusal } from './plan.ts';

interface RouteView {
  readonly prefix: string;
  readonly nextHop: string;
  readonly class: string;
  readonly because: string;
}

/** The answer of `/status`. */
export interface NetworkStatus {
  readonly node: string;
  readonly source: SourceStatus;
  /** `announce`: the routes below are wanted; `hold`: too little is known, all stays. */
  readonly action: NetworkPlan['action'];
  /** Why all is held, or withdrawn on purpose. */
  readonly reason?: string;
  readonly wanted: readonly RouteView[];
  /** What ExaBGP holds. */
  readonly announced: readonly RouteView[];
  readonly refusals: readonly (NetworkRefusal | (RouteRefusal & { readonly subject: string }))[];
  readonly blackholes: { readonly wanted: readonly string[]; readonly installed: readonly string[] };
  readonly relay: SpeakerStatus['relay'];
  readonly neighbors: readonly NeighborStatus[];
}

export function statusOf(now: {
  readonly node: string;
  readonly source: SourceStatus;
  readonly plan: NetworkPlan;
  readonly speaker: SpeakerStatus;
  readonly installed: readonly Prefix[];
  readonly refusals: readonly NetworkRefusal[];
}): NetworkStatus {
  const { plan, speaker } = now;
  const reason = plan.action === 'hold' ? plan.reason : plan.withdrawn;
  return {
    node: now.node,
    source: now.source,
    action: plan.action,
    ...withoutUndefined({ reason }),
    wanted: plan.action === 'announce' ? plan.routes.map(viewOf) : [],
    announced: speaker.announced.map(viewOf),
    refusals: [...now.refusals, ...speaker.refusals.map((refusal) => ({ subject: refusal.prefix, ...refusal }))],
    blackholes: {
      wanted: plan.action === 'announce' ? plan.blackholes.map(({ text }) => text) : [],
      installed: now.installed.map(({ text }) => text),
    },
    relay: speaker.relay,
    neighbors: speaker.neighbors,
  };
}

function viewOf(route: Route): RouteView {
  return { prefix: route.prefix.text, nextHop: route.nextHop.text, class: route.class, because: route.because };
}
