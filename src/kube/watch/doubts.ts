import type { AnyObject, Kind } from '../kinds.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import { findLoss, fingerprintOf, missingKeys } from '../plausible.ts';

type Objects = ReadonlyMap<ObjectKey, AnyObject>;

/** Objects of one kind that a list lacks, and that stay in force because nobody is known to have meant it. */
interface Doubt {
  readonly finding: string;
  readonly keys: Set<ObjectKey>;
  /** Names the vanished set as it was first seen. */
  readonly fingerprint: string;
  readonly sinceMs: number;
}

export interface Verdict {
  /** To be removed now. */
  readonly gone: readonly ObjectKey[];
  /** The same loss has been seen before, and the evidence is enough to believe it. */
  readonly believed?: string;
}

/**
 * Judges what a list lacks after a gap. A deletion that a watch reports is meant; one that is only inferred from a list is
 * believed when it is small, or when (a) some of the kind are still there under their old uid, so that it is the same
 * cluster and its storage answers, and (b) a second consistent list, some time later, lacks exactly the same. Otherwise only
 * a person can say so, or the objects come back. Time alone is no evidence.
 */
export class Doubts {
  readonly #confirmMs: number;
  readonly #doubts = new Map<Kind, Doubt>();

  constructor(confirmMs: number) {
    this.#confirmMs = confirmMs;
  }

  judge(kind: Kind, before: Objects, next: Objects, nowMs: number): Verdict {
    const gone = missingKeys(before, next);
    const finding = findLoss(kind, before.size, gone.length);
    if (finding === undefined) {
      this.#doubts.delete(kind);
      return { gone };
    }
    const fingerprint = fingerprintOf(gone.toSorted());
    const doubt = this.#doubts.get(kind);
    if (doubt?.fingerprint !== fingerprint) {
      this.#doubts.set(kind, { finding, keys: new Set(gone), fingerprint, sinceMs: nowMs });
      return { gone: [] };
    }
    if (nowMs - doubt.sinceMs < this.#confirmMs || !hasSurvivor(before, next)) return { gone: [] };
    this.#doubts.delete(kind);
    return { gone, believed: finding };
  }

  /** It is there again, or was deleted by name. */
  settle(kind: Kind, key: ObjectKey): void {
    const doubt = this.#doubts.get(kind);
    if (doubt?.keys.delete(key) === true && doubt.keys.size === 0) this.#doubts.delete(kind);
  }

  get kinds(): readonly Kind[] {
    return [...this.#doubts.keys()];
  }

  /** How long the newest doubt has stood. */
  ageMs(nowMs: number): number {
    return Math.min(...[...this.#doubts.values()].map(({ sinceMs }) => nowMs - sinceMs));
  }

  /** What is in doubt, and the fingerprint of exactly these objects; undefined when nothing is. */
  summary(): { readonly findings: string; readonly fingerprint: string } | undefined {
    if (this.#doubts.size === 0) return undefined;
    const keys = [...this.#doubts].flatMap(([kind, doubt]) => [...doubt.keys].map((key) => `${kind}/${key}`));
    return {
      findings: [...this.#doubts.values()].map(({ finding }) => finding).join(', '),
      fingerprint: fingerprintOf(keys.toSorted()),
    };
  }

  /** A person accepted all of it: gives the objects to be removed, and doubts nothing any more. */
  accept(): ReadonlyMap<Kind, ReadonlySet<ObjectKey>> {
    const accepted = new Map([...this.#doubts].map(([kind, { keys }]) => [kind, keys]));
    this.#doubts.clear();
    return accepted;
  }
}

function hasSurvivor(before: Objects, next: Objects): boolean {
  for (const [key, { metadata }] of next)
    if (metadata.uid !== undefined && before.get(key)?.metadata.uid === metadata.uid) return true;
  return false;
}
