import { compareText } from '../model/values.ts';

/**
 * How far users have been led from one list of tiers to another. Countries move one after the other, in the order of their codes; one that is
 * larger than a step moves in parts. The order depends on nothing that is measured, so whoever goes on finds the same countries moved.
 */
export interface Progress {
  /** This country, and every one before it in the order, has moved; absent while none has. */
  readonly upTo?: string;
  /** The country that moves next has moved in so many of `wholeParts`. */
  readonly next?: { readonly code: string; readonly parts: number };
}

/** Weights of DNS are whole numbers up to this one, so a country is moved in as many parts. */
export const wholeParts = 255;

/** Of the country ('' for users of unknown location), so many of `wholeParts` have moved. */
export function partsMoved({ upTo, next }: Progress, code: string): number {
  if (upTo !== undefined && compareCodes(code, upTo) <= 0) return wholeParts;
  return next?.code === code ? next.parts : 0;
}

/** A country that is to move, and its share, 0..1, of all traffic. */
export interface Moving {
  readonly code: string;
  readonly share: number;
}

/**
 * The progress after one more step, which moves at most `stepShare` (0.01..1) of all traffic; undefined when everything has moved by it.
 * Countries that are not among those that move are passed over.
 */
export function nextStep(progress: Progress, moving: readonly Moving[], stepShare: number): Progress | undefined {
  let left = stepShare;
  let reached = progress;
  for (const { code, share } of moving.toSorted((a, b) => compareCodes(a.code, b.code))) {
    const moved = partsMoved(reached, code);
    const rest = share * (1 - moved / wholeParts);
    if (rest <= left + 1e-9) {
      left -= rest;
      if (moved < wholeParts) reached = { upTo: code };
      continue;
    }
    if (left < stepShare) return reached;
    const parts = Math.min(wholeParts, moved + Math.max(1, Math.floor((left / share) * wholeParts + 1e-9)));
    return { ...(reached.upTo === undefined ? {} : { upTo: reached.upTo }), next: { code, parts } };
  }
  return undefined;
}

/** Users of unknown location come last. */
const compareCodes = (a: string, b: string): number => (a === b ? 0 : a === '' ? 1 : b === '' ? -1 : compareText(a, b));
