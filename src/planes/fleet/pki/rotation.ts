import { InputError } from '../../../model/problem.ts';

/**
 * The change of a key without an interruption. A list holds what is believed, and its first entry is what is used. One phase after the other, with
 * all servers brought to it in between: whoever meets the new key believes it already, and whoever meets the old one still does.
 */
export const phases = ['introduce', 'promote', 'drop'] as const;
export type Phase = (typeof phases)[number];

/** `kubernetes`, `kubernetes-2`, …: the number tells which is the newest, so a phase that is done again changes nothing. */
export interface Numbered {
  readonly name: string;
}

/** The list after a phase; the same list when the phase was there already. Throws InputError (`RotationOrder`). */
export async function inPhase<T extends Numbered>(
  list: readonly T[],
  phase: Phase,
  make: (name: string) => T | Promise<T>,
): Promise<readonly T[]> {
  const newest = list.toSorted((a, b) => numberOf(b.name) - numberOf(a.name))[0];
  if (newest === undefined) throw badOrder('there is nothing to change', 'make it first, by --create-authorities');
  if (phase === 'introduce') return list.length > 1 ? list : [...list, await make(following(newest.name))];
  if (phase === 'promote') {
    if (list.length === 1) throw badOrder('no new one was introduced', 'begin with the phase introduce');
    return list[0] === newest ? list : [newest, ...list.filter((one) => one !== newest)];
  }
  if (list[0] !== newest) throw badOrder('the new one is not in use yet', 'go through the phase promote first');
  return list.length === 1 ? list : [newest];
}

const numberOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 1);
const following = (name: string): string => `${name.replace(/-\d+$/, '')}-${numberOf(name) + 1}`;

export function badOrder(message: string, fix: string): InputError {
  return new InputError([{ reason: 'RotationOrder', message, fix }]);
}
