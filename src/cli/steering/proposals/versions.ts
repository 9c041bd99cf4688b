import type { OverlayVersion, OverlayView } from '../../../model/spec/overlay-view.ts';
import { proposalDigest } from '../../../platform/verdict-files.ts';

/** A version, and what it is called. */
export interface DigestedVersion extends OverlayVersion {
  readonly digest: string;
}

export interface ProposalView extends OverlayView, DigestedVersion {
  readonly proposed?: DigestedVersion;
}

export function digested(view: OverlayView): ProposalView {
  const { proposed, ...rest } = view;
  const named = { ...rest, digest: proposalDigest(view.proposal) };
  return proposed === undefined
    ? named
    : { ...named, proposed: { ...proposed, digest: proposalDigest(proposed.proposal) } };
}

/** The version that a word of a person would be about: the one that stands there. */
export const askedVersion = (view: ProposalView): DigestedVersion => view.proposed ?? view;
