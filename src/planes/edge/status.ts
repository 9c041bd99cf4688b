import type { Demand, LastMinute } from '../../model/demand.ts';
import type {
  BladeVips,
  EdgeNotice,
  EdgeStatus,
  PeerRefusalView,
  PlanePart,
  PolicyHostsView,
} from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Condition } from './compile/condition.ts';
import { backendsAgainst } from './compile/health.ts';
import type { PublisherStatus } from './publish/publisher.ts';
import { faultOf, generationOf, refusalOf } from './step/convergence.ts';
import { healthInput } from './step/health.ts';
import type { BladeMemory } from './step/memory.ts';
import { darkBackends } from './step/tries.ts';
import type { BladeView, PeerAnswer } from './step/view.ts';
import { vipStatuses } from './step/vip-status.ts';

export interface StatusInput {
  readonly view: BladeView;
  readonly memory: BladeMemory;
  readonly publishing: PublisherStatus | undefined;
  readonly notices: readonly EdgeNotice[];
  readonly peersNotBelieved?: readonly PeerRefusalView[];
  readonly demand?: Demand | undefined;
  readonly lastMinute?: LastMinute | undefined;
  readonly requestsPerSecond?: number | undefined;
  readonly countryData?: string | undefined;
  readonly countryDataBuilt?: string | undefined;
  readonly policyHosts?: readonly PolicyHostsView[] | undefined;
}

const shownConditions = 100;
const shownBackends = 20;

/**
 * As many conditions as the status shows, shared by the namespaces in turns: no tenant hides what was refused to another with its own
 * refusals, until there are more namespaces than places. The order stays.
 */
function shownOf(conditions: readonly Condition[]): readonly Condition[] {
  if (conditions.length <= shownConditions) return conditions;
  const turnOf = new Map<string, number>();
  const ranked = conditions.map((condition, at) => {
    const namespace = namespaceOfCondition(condition);
    const turn = turnOf.get(namespace) ?? 0;
    turnOf.set(namespace, turn + 1);
    return { at, turn, condition };
  });
  return ranked
    .toSorted((a, b) => a.turn - b.turn || a.at - b.at)
    .slice(0, shownConditions)
    .toSorted((a, b) => a.at - b.at)
    .map(({ condition }) => condition);
}

/** `Ingress/namespace/name` has a namespace, `EdgePool/name` none. */
function namespaceOfCondition({ object }: Condition): string {
  const [, namespace = '', name] = object.split('/');
  return name === undefined ? '' : namespace;
}

/** What the agent shows in `/status` at this moment. */
export function statusOf({
  view,
  memory,
  publishing,
  notices,
  peersNotBelieved = [],
  demand,
  lastMinute,
  requestsPerSecond,
  countryData,
  countryDataBuilt,
  policyHosts,
}: StatusInput): PlanePart<EdgeStatus> {
  const { nginx, convergence, conditions } = view;
  const { relay, neighbors, refusals, yielded } = view.speaker;
  return {
    blade: view.blade,
    pool: view.pool.metadata.name,
    source: { ...view.source, servingSnapshot: convergence.known.phase === 'snapshot' },
    generation: generationOf(convergence),
    ...withoutUndefined({
      nginx,
      fault: faultOf(convergence, nginx, view.nowMs),
      tableRefused: refusalOf(convergence),
    }),
    vips: vipStatuses(memory, view.speaker),
    vipsMissing: Object.fromEntries(view.host.missing),
    bgp: { relay, neighbors, refusals, ...withoutUndefined({ yielded }) },
    peers: view.peers.answers.map(readablePeer),
    peersNotBelieved,
    notices,
    ...drainOf(memory),
    policies: policiesOf(view, memory),
    ...withoutUndefined({ policyHosts }),
    unreachableBackends: [...darkBackends(memory.tries)].toSorted().slice(0, shownConditions),
    conditions: {
      accepted: count(conditions, 'accepted'),
      partial: count(conditions, 'partial'),
      refused: count(conditions, 'refused'),
    },
    ...withoutUndefined({ publishing, demand, lastMinute, requestsPerSecond, countryData, countryDataBuilt }),
    refused: shownOf(conditions.filter(({ state }) => state !== 'accepted')),
  };
}

/** What the agent tells other blades at this moment. */
export function bladeVips({ blade, speaker }: BladeView, memory: BladeMemory): BladeVips {
  const vips = vipStatuses(memory, speaker).map(({ address, fit, announced }) => ({ address, fit, announced }));
  return { blade, vips };
}

function drainOf({ retirement }: BladeMemory): Pick<EdgeStatus, 'draining' | 'drain'> {
  if (retirement.phase !== 'draining') return { draining: false };
  const { metadata, spec } = retirement.drain;
  return { draining: true, drain: { name: metadata.name, reason: spec.reason, expires: spec.expires } };
}

/** The health that nginx reports, with the backends that are to blame as they are now. */
function policiesOf(view: BladeView, { health = [], tries }: BladeMemory): EdgeStatus['policies'] {
  return health.map((one) => {
    if (one.healthy) return one;
    const against = backendsAgainst(one, { ...healthInput(view), dark: darkBackends(tries) }).slice(0, shownBackends);
    return against.length === 0 ? one : { ...one, against };
  });
}

function count(conditions: readonly Condition[], state: Condition['state']): number {
  return conditions.filter((condition) => condition.state === state).length;
}

function readablePeer({ blade, vips }: PeerAnswer): EdgeStatus['peers'][number] {
  return { blade, vips: Object.fromEntries(vips) };
}
