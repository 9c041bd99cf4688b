import { createHash } from 'node:crypto';
import type { Kind } from './kinds.ts';
import { kinds } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';
import type { ClusterState } from './source.ts';
import { type ObjectsByKind, objectsOfKind } from './state.ts';

/** The objects that one step, from one state to the next, takes away. */
export interface Losses {
  /** `Kind/key` of every object (other than Pods) that is no longer there, sorted. */
  readonly vanished: readonly string[];
  /** A hash that stands for exactly these vanished objects. */
  readonly fingerprint: string;
  /** The reason why the step looks like loss; absent when it looks like an edit. */
  readonly finding?: string;
}

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
 * Tells an edit from loss. A step looks like loss when a kind (other than Pod) of four or more objects loses more than half
 * of them in one step, or a kind of two or more loses all of them.
 */
export function judgeStep(before: ClusterState, next: ObjectsByKind): Losses {
  const findings: string[] = [];
  const vanished: string[] = [];
  for (const kind of kinds) {
    const old = objectsOfKind(before, kind);
    if (!isJudged(kind)) continue;
    const missing = missingKeys(old, next.get(kind));
    for (const key of missing) vanished.push(`${kind}/${key}`);
    const finding = findLoss(kind, old.size, missing.length);
    if (finding !== undefined) findings.push(finding);
  }
  vanished.sort();
  const fingerprint = fingerprintOf(vanished);
  return findings.length === 0
    ? { vanished, fingerprint }
    : { vanished, fingerprint, finding: `${findings.join(', ')} vanished in one step` };
}

/**
 * The finding when `missing` of `before` objects of a kind vanish at once and that looks like loss; undefined when it looks
 * like an edit.
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
