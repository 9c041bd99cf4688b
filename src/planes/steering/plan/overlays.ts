import type { OverlayView } from '../../../model/spec/overlay-view.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { SteeringNotice, SteeringReason } from '../reasons.ts';
import { formatCountries } from './countries-text.ts';
import { countriesThatMove, type HostImpact } from './impact.ts';

/** What a plan says of the overlays of these policies: who moves by them, which wait, and which are not as they should be. */
export function overlayNotices(
  { overlaid = [] }: Pick<Platform, 'overlaid'>,
  policies: readonly string[],
  impacts: readonly HostImpact[],
): readonly SteeringNotice[] {
  const moving = new Set(impacts.flatMap(countriesThatMove));
  return overlaid
    .filter(({ proposal }) => policies.includes(proposal.policy))
    .flatMap((view) => [...moved(view, moving), ...overlayLoud(view)]);
}

/** The reasons that a person looks after, whatever a plan does. */
const loud: ReadonlySet<SteeringReason> = new Set(['OverlayWaits', 'OverlayExpired', 'OverlaySilent', 'OverlayBroken']);

/** What of a plan's notices is about overlays and does not end by applying it. */
export function loudOverlays(notices: readonly SteeringNotice[]): readonly SteeringNotice[] {
  return notices.filter(({ reason }) => loud.has(reason));
}

/** What of an overlay a person should look after, whatever a plan does. */
function overlayLoud(view: OverlayView): readonly SteeringNotice[] {
  const { name, state, trouble, proposal, renewed, broken, countries } = view;
  const { owner, expires } = proposal;
  const notice = (reason: SteeringReason, text: string): SteeringNotice => ({
    reason,
    message: `policy ${proposal.policy}: overlay ${name} of ${owner} ${text}`,
  });
  const passedOver = broken.map((one) =>
    notice('OverlayBroken', `is passed over for ${formatCountries(one.countries)}: ${one.why}`),
  );
  if (state === 'rejected' || state === 'returned') return [];
  const ownWord = trouble.includes('own word') ? '; its owner approved it, and the policy wants another person' : '';
  const ended = trouble.includes('expired') ? `; it ended at ${expires}` : '';
  const who = formatCountries(countries);
  const waits = notice(
    'OverlayWaits',
    `waits for a person (tideline steering approve ${name} FOLDER), for ${who}${ended}${ownWord}`,
  );
  if (state === 'proposed') return [waits, ...passedOver];
  if (state !== 'in force') return passedOver;
  return [
    ...(trouble.includes('expired')
      ? [notice('OverlayExpired', `ended at ${expires}, and stays in force for ${who}`)]
      : []),
    ...(trouble.includes('silent')
      ? [notice('OverlaySilent', `was renewed last at ${renewed ?? 'no time'}, and stays in force for ${who}`)]
      : []),
    ...(trouble.includes('changed')
      ? [
          notice(
            'OverlayWaits',
            'says otherwise than what was approved, which stays in force until a person approves the new one',
          ),
        ]
      : []),
    ...passedOver,
  ];
}

function moved(view: OverlayView, moving: ReadonlySet<string>): readonly SteeringNotice[] {
  const { name, state, proposal, reason, verdict } = view;
  const who = formatCountries(view.countries.filter((code) => moving.has(code)));
  if (who === '') return [];
  const start = `policy ${proposal.policy}: ${who}`;
  const whose = `overlay ${name} of ${proposal.owner}`;
  if (state === 'in force')
    return [{ reason: 'OverlayMoves', message: `${start} answered as the ${whose} says: ${reason}` }];
  if (state === 'returned')
    return [{ reason: 'OverlayReturns', message: `${start} no longer answered as the ${whose} says: it ended` }];
  if (state !== 'rejected') return [];
  const by = verdict === undefined ? 'it was rejected' : `${verdict.by} rejected it: ${verdict.reason}`;
  return [{ reason: 'OverlayReturns', message: `${start} no longer answered as the ${whose} says: ${by}` }];
}
