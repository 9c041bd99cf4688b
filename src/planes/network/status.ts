import type { Route } from '../../bgp/route.ts';
import type { SpeakerStatus } from '../../bgp/speaker.ts';
import type { SourceStatus } from '../../kube/source.ts';
import type { Prefix } from '../../model/address.ts';
import type { NetworkStatus, PlanePart, RouteView } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import { textOf, type UplinkRule } from './kernel/uplinks.ts';
import { blackholesOf, type NetworkNotice, type NetworkPlan, type NetworkRefusal } from './plan.ts';

/** What this agent says in `/status`. */
export function statusOf(now: {
  readonly node: string;
  readonly source: SourceStatus & { readonly servingSnapshot: boolean };
  readonly plan: NetworkPlan;
  readonly speaker: SpeakerStatus;
  readonly kernel: {
    readonly installed: readonly Prefix[];
    readonly rules: { readonly uplink: readonly UplinkRule[] };
  };
  readonly refusals: readonly NetworkRefusal[];
  readonly notices: readonly NetworkNotice[];
}): PlanePart<NetworkStatus> {
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
    notices: now.notices,
    blackholes: {
      wanted: plan.action === 'announce' ? blackholesOf(plan).map(({ text }) => text) : [],
      installed: now.kernel.installed.map(({ text }) => text),
    },
    uplinkRules: now.kernel.rules.uplink.map(textOf),
    relay: speaker.relay,
    neighbors: speaker.neighbors,
    ...withoutUndefined({ yielded: speaker.yielded }),
  };
}

function viewOf(route: Route): RouteView {
  return { prefix: route.prefix.text, nextHop: route.nextHop.text, class: route.class, because: route.because };
}
