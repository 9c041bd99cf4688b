import type { OverlayVersion, OverlayView } from '../../../model/spec/overlay-view.ts';
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
const loud: ReadonlySet<SteeringReason> = new Set([
  'OverlayWaits',
  'OverlayExpired',
  'OverlaySilent',
  'OverlayBroken',
  'OverlayReturnWaits',
]);

/** What of a plan's notices is about overlays and does not end by applying it. */
export function loudOverlays(notices: readonly SteeringNotice[]): readonly SteeringNotice[] {
  return notices.filter(({ reason }) => loud.has(reason));
}

/** What of an overlay a person should look after, whatever a plan does. */
function overlayLoud(view: OverlayView): readonly SteeringNotice[] {
  const { state, trouble, proposal, renewed, broken, countries } = view;
  const { expires } = proposal;
  const notice = (reason: SteeringReason, text: string): SteeringNotice => noticeOf(view, reason, text);
  const passedOver = broken.map((one) =>
    notice('OverlayBroken', `is passed over for ${formatCountries(one.countries)}: ${one.why}`),
  );
  if (state === 'rejected') return [];
  if (state === 'returned') return view.proposed?.state === 'proposed' ? [waitsOrEnded(view.proposed, view)] : [];
  if (state === 'proposed') return [waitsOrEnded(view, view), ...passedOver];
  if (state !== 'in force') return passedOver;
  const who = formatCountries(countries);
  return [
    ...(trouble.includes('expired')
      ? [notice('OverlayExpired', `ended at ${expires}, and stays in force for ${who}`)]
      : []),
    ...(trouble.includes('silent')
      ? [notice('OverlaySilent', `was renewed last at ${renewed ?? 'no time'}, and stays in force for ${who}`)]
      : []),
    ...(view.proposed === undefined ? [] : [changed(view.proposed, view)]),
    ...passedOver,
  ];
}

function noticeOf({ name, proposal }: OverlayView, reason: SteeringReason, text: string): SteeringNotice {
  return { reason, message: `policy ${proposal.policy}: overlay ${name} of ${proposal.owner} ${text}` };
}

/** Of a version that nobody has approved: one that has ended cannot be approved any more. */
function waitsOrEnded({ trouble, countries, proposal }: OverlayVersion, view: OverlayView): SteeringNotice {
  if (trouble.includes('expired')) {
    const text = `ended at ${proposal.expires} before a person approved it, and leads nobody; its owner withdraws it or gives it a later end`;
    return noticeOf(view, 'OverlayEnded', text);
  }
  const ownWord = trouble.includes('own word') ? '; its owner approved it, and the policy wants another person' : '';
  const text = `waits for a person (tideline steering approve ${view.name} FOLDER), for ${formatCountries(countries)}${ownWord}`;
  return noticeOf(view, 'OverlayWaits', text);
}

/** Of a new version beside one that was approved. */
function changed({ state, trouble, broken, proposal }: OverlayVersion, view: OverlayView): SteeringNotice {
  if (trouble.includes('expired')) {
    const text = `was changed, and its new version ended at ${proposal.expires} before a person approved it; what was approved stays in force`;
    return noticeOf(view, 'OverlayEnded', text);
  }
  const start = 'says otherwise than what was approved, which stays in force';
  const approve = `until a person approves the new version (tideline steering approve ${view.name} FOLDER)`;
  if (state === 'proposed') return noticeOf(view, 'OverlayWaits', `${start} ${approve}`);
  const why = broken[0]?.why ?? 'it leads nobody';
  const nothing =
    state === 'equal'
      ? 'the policy says the same as the new version'
      : `the policy does not allow the new version: ${why}`;
  const reject = `reject it to lead its traffic back (tideline steering reject ${view.name} FOLDER)`;
  return noticeOf(view, 'OverlayWaits', `${start}, and ${nothing}; ${reject}`);
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
