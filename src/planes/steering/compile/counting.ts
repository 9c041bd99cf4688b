import { contentName } from '../records/hash.ts';
import { type HealthCheck, leastOf } from './entries.ts';

/** A check that has no endpoint: it is healthy while at least so many of other checks are. Its key says all of it. */
export interface CountingCheck {
  readonly key: string;
  /** The keys of the checks that it counts, sorted. */
  readonly children: readonly string[];
  readonly atLeast: number;
}

/** The check that counts these; two that count the same checks are one. */
export function countingCheck(keys: readonly string[], atLeast: number): CountingCheck {
  const children = keys.toSorted();
  const key = `${atLeast}of${children.length}-${contentName(JSON.stringify([atLeast, ...children]))}`;
  return { key, children, atLeast };
}

/** The check that counts the addresses of a cluster in one family; undefined where one of them that answers is enough. */
export function countingOf(checks: readonly HealthCheck[]): CountingCheck | undefined {
  const atLeast = leastOf(checks);
  if (atLeast < 2) return undefined;
  return countingCheck(
    checks.map(({ key }) => key),
    atLeast,
  );
}

/** How many a counting check of ours wants, by its key; undefined for the key of any other check. */
export function atLeastOfKey(key: string): number | undefined {
  const [, atLeast] = /^(\d+)of\d+-[0-9a-z]{13}$/.exec(key) ?? [];
  return atLeast === undefined ? undefined : Number(atLeast);
}
