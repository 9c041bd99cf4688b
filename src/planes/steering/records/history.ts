import type { RecordSet } from '../../../answers/record.ts';
import { type AppliedPlan, mostApplies, readApplied } from './applied.ts';
import { findInputs } from './kept-inputs.ts';
import { findRegistry, parseHead } from './registry.ts';

/** What the zone itself says about the applies in it. */
export interface History {
  /** The generation of the zone; 0 where Tideline never wrote, undefined where its record cannot be read. */
  readonly generation: number | undefined;
  /** The latest first. */
  readonly applies: readonly PastApply[];
  /** Generations that no apply here accounts for, the latest first. */
  readonly unknown: readonly Unknown[];
}

export interface PastApply extends Omit<AppliedPlan, 'outcome'> {
  /** `unfinished` is the latest apply when it was cut off or is still at work; `cutOff` when others were made since. */
  readonly outcome: 'done' | 'cutOff' | 'unfinished';
  /** Whether its inputs are still in the zone, so that it can be compared and gone back to. */
  readonly isKept: boolean;
}

export interface Unknown {
  readonly first: number;
  readonly last: number;
  /** True for those before the earliest apply that may have been forgotten. */
  readonly isForgotten: boolean;
}

export function historyOf(zone: string, records: readonly RecordSet[]): History {
  const registry = findRegistry(zone, records);
  const generation = registry === undefined ? 0 : parseHead(registry)?.generation;
  const applied = readApplied(zone, records);
  const applies = applied.map((one, index): PastApply => {
    const isLatest = index === 0 && (generation ?? 0) < one.generation;
    const outcome = one.outcome === 'done' ? 'done' : isLatest ? 'unfinished' : 'cutOff';
    return { ...one, outcome, isKept: findInputs(zone, one.inputs, records) !== undefined };
  });
  return { generation, applies, unknown: unknownOf(applied, generation ?? 0) };
}

/** The generations between applies. One that was cut off ended somewhere before the next; a restored record skips many. */
function unknownOf(applied: readonly AppliedPlan[], generation: number): readonly Unknown[] {
  const isFull = applied.length >= mostApplies - 1;
  const ends = [...applied.map(({ generation: last }) => last), 0];
  return [generation + 1, ...applied.map(({ first }) => first)].flatMap((next, index): readonly Unknown[] => {
    const first = (ends[index] ?? 0) + 1;
    if (index > 0 && applied[index - 1]?.task === 'restore') return [];
    const isForgotten = isFull && index === applied.length;
    return first < next ? [{ first, last: next - 1, isForgotten }] : [];
  });
}
