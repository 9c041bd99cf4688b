import type { OverlayView } from '../spec/overlay-view.ts';
import type { Platform } from '../spec/platform.ts';
import type { ZoneView } from '../steering-status.ts';
import { compareText } from '../values.ts';
import { type Standing, standingOf } from './policy-standing.ts';

/** What becomes of a TrafficOverlay or of a word about one, beside the reasons of a zone. */
export const overlayReasons = {
  Approved: 'What was approved is in force, or will be at the next look.',
  WaitsForPerson: 'A person has to approve or reject the overlay.',
  ChangedSince: 'What was approved is in force, and what the overlay says by now waits for a person.',
  Silent: 'It is in force, and its owner does not renew it any more.',
  EndedStays: 'It has ended, and its traffic stays until a person says otherwise.',
  EndedReturns: 'It has ended, and its traffic returns to what the policy says.',
  EndedUnapproved: 'It ended before a person approved it, and leads nobody.',
  Rejected: 'A person rejected it.',
  SaysTheSame: 'The policy says the same already.',
  PassedOver: 'The policy allows none of it, or the policy or a cluster is gone.',
  OwnWord: 'The owner approved what is his, and the policy wants another person.',
  OlderVersion: 'The word is about another version than the overlay has.',
  Replaced: 'A later word about the same overlay counts.',
  NoOverlay: 'There is no such overlay.',
} as const;

type OverlayReason = keyof typeof overlayReasons;

/** Whether DNS answers as an overlay says. */
export function overlayStanding(view: OverlayView, { policies }: Platform, zones: readonly ZoneView[]): Standing {
  const { state, trouble, proposal, broken, verdict } = view;
  const no = (reason: OverlayReason, message: string): Standing => ({ status: 'False', reason, message });
  const by = verdict === undefined ? '' : `${verdict.by} at ${verdict.at}: ${verdict.reason}`;
  if (state === 'rejected') return no('Rejected', `rejected by ${by}`);
  if (state === 'returned') {
    const [back] = zones.flatMap(({ returns = [] }) => returns.filter(({ overlay }) => overlay === view.name));
    const pace = back === undefined ? '' : `: ${back.ends}`;
    return no('EndedReturns', `it ended at ${proposal.expires}, and its traffic returns${pace}`);
  }
  if (state === 'equal') return no('SaysTheSame', `the policy ${proposal.policy} says the same already`);
  if (state === 'broken') return no('PassedOver', broken.map(({ why }) => why).join('; '));
  if (state === 'proposed' && trouble.includes('expired'))
    return no('EndedUnapproved', `it ended at ${proposal.expires} before a person approved it`);
  if (state === 'proposed' && trouble.includes('own word'))
    return no('OwnWord', `its owner approved it, and the policy ${proposal.policy} wants another person`);
  if (state === 'proposed') return no('WaitsForPerson', 'it waits until a person approves or rejects it');
  const policy = policies.get(proposal.policy);
  const inDns = policy === undefined ? undefined : standingOf(policy, zones);
  if (inDns !== undefined && inDns.status !== 'True') return inDns;
  const is = (reason: OverlayReason, message: string): Standing => ({ status: 'True', reason, message });
  if (trouble.includes('changed'))
    return is('ChangedSince', 'the version that was approved is in force, and what it says by now waits for a person');
  if (trouble.includes('expired')) return is('EndedStays', `it ended at ${proposal.expires}, and its traffic stays`);
  if (trouble.includes('silent')) return is('Silent', `${proposal.owner} renewed it last at ${view.renewed ?? ''}`);
  return is('Approved', verdict === undefined ? 'the policy takes proposals by itself' : `approved by ${by}`);
}

/** Whether a word about an overlay counts. */
export function verdictStanding(name: string, platform: Platform): Standing | undefined {
  const mine = platform.verdicts.get(name)?.spec;
  if (mine === undefined) return undefined;
  const no = (reason: OverlayReason, message: string): Standing => ({ status: 'False', reason, message });
  const view = platform.overlaid?.find((one) => one.name === mine.overlay);
  if (view === undefined) return no('NoOverlay', `there is no overlay ${mine.overlay}`);
  const later = [...platform.verdicts.values()]
    .filter(({ spec }) => spec.overlay === mine.overlay)
    .toSorted((a, b) => Date.parse(b.spec.at) - Date.parse(a.spec.at) || compareText(a.metadata.name, b.metadata.name));
  const newest = later[0];
  if (newest !== undefined && newest.metadata.name !== name)
    return no('Replaced', `${newest.spec.by} said otherwise or anew at ${newest.spec.at}`);
  if (view.trouble.includes('own word'))
    return no('OwnWord', `${mine.by} is the owner, and the policy ${mine.proposal.policy} wants another person`);
  const { state, trouble } = view;
  const isOld = mine.verdict === 'reject' ? state !== 'rejected' : trouble.includes('changed');
  if (!isOld) return { status: 'True', reason: word(mine.verdict), message: `it is about what the overlay says` };
  if (mine.verdict === 'reject') return no('OlderVersion', 'the overlay says otherwise by now');
  return {
    status: 'True',
    reason: 'ChangedSince',
    message: 'what was approved counts; the overlay says otherwise by now',
  };
}

const word = (verdict: 'approve' | 'reject'): OverlayReason => (verdict === 'approve' ? 'Approved' : 'Rejected');
