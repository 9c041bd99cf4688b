import type { Freeze } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';
import { compareText } from '../values.ts';

/**
 * The Freeze in force, by one rule for everything that writes by itself: the one that was asked for first of those that have not ended;
 * undefined when none is. What obeys it begins no change that nobody asked for while it lasts. A Freeze counts from when it is read,
 * because a clock that is wrong must not put it off. `nowMs` is in milliseconds since the epoch.
 */
export function freezeInForce({ freezes }: Pick<Platform, 'freezes'>, nowMs: number): Freeze | undefined {
  const [first] = [...freezes.values()]
    .filter(({ spec }) => spec.until === undefined || Date.parse(spec.until) > nowMs)
    .toSorted(
      (a, b) => Date.parse(a.spec.since) - Date.parse(b.spec.since) || compareText(a.metadata.name, b.metadata.name),
    );
  return first;
}

/** What every screen says first while the platform is frozen. */
export function freezeLine({ spec }: Pick<Freeze, 'spec'>): string {
  const until = spec.until === undefined ? '' : `, until ${spec.until}`;
  return `FROZEN by ${spec.by} since ${spec.since}${until}: ${spec.reason}`;
}
