import type { AnyObject, Kind } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';
import { findLoss, fingerprintOf, missingKeys } from './plausible.ts';

type Objects = ReadonlyMap<ObjectKey, AnyObject>;

/** An object that the input lacks, and that stays in force because nothing shows that its deletion was meant. */
interface Absent {
  /** When the input lacked it first; the doubt over it keeps this age whatever happens to other objects. */
  readonly sinceMs: number;
  /** True when the input that lacked it first was evidently that of the same cluster. */
  readonly witnessed: boolean;
}

interface Doubt {
  /** Undefined when the loss looks like an edit that has to rest. */
  readonly finding: string | undefined;
  /** The number of objects in force when the doubt began. */
  readonly baseline: number;
  readonly absent: Map<ObjectKey, Absent>;
}

/** All objects of one kind, as they are in force and as the input has them now. */
export interface Comparison {
  readonly kind: Kind;
  readonly before: Objects;
  readonly next: Objects;
  readonly nowMs: number;
  /** True when the input is evidently that of the same cluster, and of no earlier time (see `hasSurvivor`). */
  readonly witnessed: boolean;
  /** How long an absence must last that looks like an edit. Default 0. */
  readonly restMs?: number;
  /** No absence counts as older than this. */
  readonly restingSinceMs?: number;
}

export interface Verdict {
  /** The objects to be removed now. */
  readonly gone: readonly ObjectKey[];
  /** Set when objects in doubt are believed to be deleted now although their loss was implausible: the finding of that loss. */
  readonly believed?: string;
}

/** So many sets of objects in doubt are remembered under the fingerprint that was shown for them. */
const remembered = 200;

/**
 * Judges which objects an input lacks. Deletions that are only inferred are believed when they are few; when they are many (see
 * `findLoss`), they are in doubt, and everything else goes on. A doubt is a matter of each object: it keeps its age, and ends
 * when the object is there again; when those in doubt are few among the objects in force; when the input that lacked the
 * object first was evidently that of the same cluster, and a later one, `confirmMs` after that, lacks it too; or when a person
 * accepts it. Without such evidence the objects in doubt must be few among those that were in force at its begin: what another
 * cluster has more is no reason to believe what it lacks. Time alone is no evidence.
 */
export class Doubts {
  readonly #confirmMs: number;
  readonly #doubts = new Map<Kind, Doubt>();
  /** The objects (`Kind/key`) that stood in doubt when a fingerprint was shown, the last ones shown at the end. */
  readonly #shown = new Map<string, readonly string[]>();

  /** @param confirmMs Infinity where a second look at the input is no evidence. */
  constructor(confirmMs: number) {
    this.#confirmMs = confirmMs;
  }

  judge({ kind, before, next, nowMs, witnessed, restMs = 0, restingSinceMs = -Infinity }: Comparison): Verdict {
    const missing = missingKeys(before, next);
    const known = this.#doubts.get(kind);
    const baseline = Math.min(known?.baseline ?? before.size, before.size);
    const now = findLoss(kind, before.size, missing.length);
    const atFirst = findLoss(kind, baseline, missing.length);
    const absent = new Map(missing.map((key) => [key, known?.absent.get(key) ?? { sinceMs: nowMs, witnessed }]));
    const gone = [...absent].filter(([, one]) => {
      const implausible = (one.witnessed ? now : atFirst) !== undefined;
      if (implausible) return one.witnessed && nowMs - one.sinceMs >= this.#confirmMs;
      return nowMs - Math.max(one.sinceMs, restingSinceMs) >= restMs;
    });
    for (const [key] of gone) absent.delete(key);
    if (absent.size === 0) this.#doubts.delete(kind);
    else this.#doubts.set(kind, { finding: now ?? atFirst, baseline, absent });
    const keys = gone.map(([key]) => key);
    return now === undefined || keys.length === 0 ? { gone: keys } : { gone: keys, believed: now };
  }

  /** Removes an object from the doubt: it is there again, or a watch reported its deletion. */
  settle(kind: Kind, key: ObjectKey): void {
    const doubt = this.#doubts.get(kind);
    if (doubt?.absent.delete(key) === true && doubt.absent.size === 0) this.#doubts.delete(kind);
  }

  /**
   * Ends the doubt over objects of a kind when so many are in force (those in doubt among them) that it looks like an edit now.
   */
  settleFew(kind: Kind, inForce: number): readonly ObjectKey[] {
    const absent = this.#doubts.get(kind)?.absent;
    if (absent === undefined || findLoss(kind, inForce, absent.size) !== undefined) return [];
    const keys = [...absent].filter(([, { witnessed }]) => witnessed).map(([key]) => key);
    for (const key of keys) this.settle(kind, key);
    return keys;
  }

  get kinds(): readonly Kind[] {
    return [...this.#doubts.keys()];
  }

  has(kind: Kind, key: ObjectKey): boolean {
    return this.#doubts.get(kind)?.absent.has(key) === true;
  }

  /** How long the kind that came into doubt last has been in doubt. */
  ageMs(nowMs: number): number {
    const ages = [...this.#doubts.values()].map(({ absent }) =>
      Math.max(...[...absent.values()].map(({ sinceMs }) => nowMs - sinceMs)),
    );
    return Math.min(...ages);
  }

  /** The number of objects in doubt, those that only have to rest among them. */
  get size(): number {
    let size = 0;
    for (const { absent } of this.#doubts.values()) size += absent.size;
    return size;
  }

  /**
   * The findings, and the fingerprint of exactly the objects whose loss is implausible, which is remembered: a person accepts what
   * was shown, however the doubt has changed since. Undefined when there is no such loss.
   */
  show(): { readonly findings: string; readonly fingerprint: string } | undefined {
    const findings: string[] = [];
    const keys: string[] = [];
    for (const [kind, { finding, absent }] of this.#doubts) {
      if (finding === undefined) continue;
      findings.push(finding);
      for (const key of absent.keys()) keys.push(`${kind}/${key}`);
    }
    if (findings.length === 0) return undefined;
    const fingerprint = fingerprintOf(keys.toSorted());
    this.#shown.delete(fingerprint);
    this.#shown.set(fingerprint, keys);
    for (const oldest of this.#shown.keys()) {
      if (this.#shown.size <= remembered) break;
      this.#shown.delete(oldest);
    }
    return { findings: findings.join(', '), fingerprint };
  }

  /**
   * Ends the doubt over the objects that were shown under this fingerprint: returns those that are in doubt still, which are to
   * be removed. Undefined when no such fingerprint was shown since the last acceptance.
   */
  accept(fingerprint: string): ReadonlyMap<Kind, ReadonlySet<ObjectKey>> | undefined {
    const shown = this.#shown.get(fingerprint);
    if (shown === undefined) return undefined;
    this.#shown.clear();
    const named = new Set(shown);
    const accepted = new Map<Kind, ReadonlySet<ObjectKey>>();
    for (const [kind, { absent }] of this.#doubts) {
      const keys = [...absent.keys()].filter((key) => named.has(`${kind}/${key}`));
      if (keys.length > 0) accepted.set(kind, new Set(keys));
    }
    for (const [kind, keys] of accepted) for (const key of keys) this.settle(kind, key);
    return accepted;
  }

  /** Forgets every doubt and what was shown. */
  clear(): void {
    this.#doubts.clear();
    this.#shown.clear();
  }
}

/** Whether the input has an object under the uid that it had before: then it is the same cluster, whose storage answers. */
export function hasSurvivor(before: Objects, next: Objects): boolean {
  for (const [key, { metadata }] of next)
    if (metadata.uid !== undefined && before.get(key)?.metadata.uid === metadata.uid) return true;
  return false;
}
