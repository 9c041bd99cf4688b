import type { OwnObject } from '../kube/objects/own.ts';
import type { StatusCondition } from '../kube/status/conditions.ts';
import type { EventWish } from '../kube/status/event.ts';
import { apiVersion } from '../model/contract.ts';
import { type overlayReasons, overlayStanding } from '../model/platform/overlay-standing.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Looked } from './steered-status.ts';

type OverlayReason = keyof typeof overlayReasons;

/** What a person should do something about, for as long as it is so. */
const calls: ReadonlySet<OverlayReason> = new Set([
  'WaitsForPerson',
  'OwnWord',
  'ChangedSince',
  'Silent',
  'EndedStays',
]);
/** What happened once. */
const turns: ReadonlySet<OverlayReason> = new Set(['Approved', 'Rejected', 'EndedReturns', 'EndedUnapproved']);

export interface ProposalEvents {
  /** Events that hold now. */
  readonly standing: readonly EventWish[];
  /** Events of what has happened since the status of the object was written. */
  readonly happened: readonly EventWish[];
}

/**
 * The Events about the TrafficOverlays of an API, as somebody found them who looked: whom they wait for, what a person said, and what became of
 * those that ended or that nobody renews. What holds them up in a zone is said of the policy, and not here.
 */
export function proposalEvents(place: string, overlays: Iterable<OwnObject<string>>, looked: Looked): ProposalEvents {
  const { platform, zones, verdicts } = looked;
  const isAsSeen = ({ name, generation }: OwnObject<string>['metadata']): boolean =>
    verdicts.some(
      (one) =>
        one.place === place && one.kind === 'TrafficOverlay' && one.name === name && one.generation === generation,
    );
  const said = [...overlays].flatMap((object) => {
    const view = platform.overlaid?.find((one) => one.name === object.metadata.name);
    if (view === undefined || !isAsSeen(object.metadata)) return [];
    const { reason, message } = overlayStanding(view, platform, zones);
    const { name, uid } = object.metadata;
    const type: EventWish['type'] = calls.has(reason as OverlayReason) ? 'Warning' : 'Normal';
    const about = {
      apiVersion,
      kind: 'TrafficOverlay',
      resource: 'trafficoverlays',
      name,
      ...withoutUndefined({ uid }),
    };
    return [{ event: { object: about, type, reason, note: `${message}.` }, before: reasonBefore(object) }];
  });
  return {
    standing: said.filter(({ event }) => event.type === 'Warning').map(({ event }) => event),
    happened: said
      .filter(({ event, before }) => turns.has(event.reason as OverlayReason) && event.reason !== before)
      .map(({ event }) => event),
  };
}

/** The reason that stands in the status of an overlay, which outlives agents. */
function reasonBefore({ status }: OwnObject<string>): string | undefined {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Partial<StatusCondition>[] };
  return conditions.find(({ type }) => type === 'InForce')?.reason;
}
