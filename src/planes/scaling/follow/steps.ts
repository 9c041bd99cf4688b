import type { Measured } from '../demand.ts';
import { type Step, stepMs } from '../forecast/history.ts';

/** What was measured in the five minutes that have begun. */
export interface OpenStep {
  /** Its number since the epoch. */
  readonly number: number;
  readonly looks: number;
  /** False when a blade was silent at a look: then some of the requests are missing. */
  readonly isWhole: boolean;
  /** The sum over the looks, of places that were measured at each of them. */
  readonly sums: Readonly<Record<string, number>>;
  readonly unknownSum: number;
}

/** Fewer looks say little of five minutes. */
const fewestLooks = 3;

/**
 * The step that is open after one more look, and the one that this look ended, where it is worth keeping: its means, of places that every look measured. A
 * step in which a blade was silent is not kept.
 */
export function withLook(
  open: OpenStep | undefined,
  { rates: { requestsPerSecond }, unknownPerSecond, silent }: Pick<Measured, 'rates' | 'unknownPerSecond' | 'silent'>,
  nowMs: number,
): { readonly open: OpenStep; readonly ended?: Step } {
  const number = Math.floor(nowMs / stepMs);
  const isWhole = silent.length === 0;
  if (open === undefined || open.number !== number) {
    const begun = { number, looks: 1, isWhole, sums: requestsPerSecond, unknownSum: unknownPerSecond };
    const ended = open === undefined ? undefined : stepOf(open);
    return { open: begun, ...(ended === undefined ? {} : { ended }) };
  }
  const sums = Object.fromEntries(
    Object.entries(open.sums).flatMap(([place, sum]) => {
      const rate = requestsPerSecond[place];
      return rate === undefined ? [] : [[place, sum + rate] as const];
    }),
  );
  return {
    open: {
      number,
      looks: open.looks + 1,
      isWhole: open.isWhole && isWhole,
      sums,
      unknownSum: open.unknownSum + unknownPerSecond,
    },
  };
}

function stepOf({ number, looks, isWhole, sums, unknownSum }: OpenStep): Step | undefined {
  if (!isWhole || looks < fewestLooks) return undefined;
  return {
    atMs: (number + 1) * stepMs,
    requestsPerSecond: Object.fromEntries(Object.entries(sums).map(([place, sum]) => [place, sum / looks])),
    unknownPerSecond: unknownSum / looks,
  };
}
