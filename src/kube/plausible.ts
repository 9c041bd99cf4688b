import { createHash } from 'node:crypto';
import type { Kind } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';

/** For a kind of at least this many objects, it looks like loss when more than half of them vanish at once. */
const smallestJudgedByHalf = 4;

/**
 * Whether losses of a kind count. Pods do not: scaling down or rolling a Deployment removes most of them, and no plane
 * routes by Pods.
 */
function isJudged(kind: Kind): boolean {
  return kind !== 'Pod';
}

/**
 * Tells an edit from loss: the finding when `missing` of `before` objects of a kind are not there any more and that looks like
 * loss; undefined when it looks like an edit. It looks like loss when a kind (other than Pod) of four or more objects lacks more
 * than half of them, or a kind of two or more lacks all.
 */
export function findLoss(kind: Kind, before: number, missing: number): string | undefined {
  if (!isJudged(kind)) return undefined;
  const most = before >= smallestJudgedByHalf && missing * 2 > before;
  const all = before >= 2 && missing === before;
  return most || all ? `${missing} of ${before} ${kind} objects` : undefined;
}

/** A hash that stands for exactly these vanished objects (`Kind/key`, sorted); a person repeats it to accept their loss. */
export function fingerprintOf(vanished: readonly string[]): string {
  return createHash('sha256').update(vanished.join('\n')).digest('hex').slice(0, 12);
}

export function missingKeys(
  old: ReadonlyMap<ObjectKey, unknown>,
  next: ReadonlyMap<ObjectKey, unknown> | undefined,
): ObjectKey[] {
  return [...old.keys()].filter((key) => next?.has(key) !== true);
}
