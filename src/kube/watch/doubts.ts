import type { AnyObject, Kind } from '../kinds.ts';
import type { ObjectKey } from '../objects/metadata.ts';
import { findLoss, fingerprintOf, missingKeys } from '../plausible.ts';

type Objects = ReadonlyMap<ObjectKey, AnyObject>;

/** Objects of one kind that a list lacks, and that stay in force because nothing shows that their deletion was meant. */
interface Doubt {
  readonly finding: string;
  readonly keys: Set<ObjectKey>;
  /** The fingerprint of the vanished objects as they were when the doubt began. */
  readonly fingerprint: string;
  readonly sinceMs: number;
}

export interface Verdict {
  /** The objects to be removed now. */
  readonly gone: readonly ObjectKey[];
  /** Set when a loss that was in doubt is believed now: the finding of that loss. */
  readonly believed?: string;
}

/**
 * Judges which objects a list lacks after a gap. A deletion that a watch reports is meant. Deletions that are only inferred from
 * a list are believed when they are few, or when (a) some objects of the kind are still there under their old uid, so that it
 * is the same cluster and its storage answers, and (b) a second consistent list, some time later, lacks exactly the same
 * objects. Otherwise the doubt ends when a person accepts the loss, or when the objects come back. Time alone is no evidence.
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

  /** Removes an object from the doubt: it is there again, or a watch reported its deletion. */
  settle(kind: Kind, key: ObjectKey): void {
    const doubt = this.#doubts.get(kind);
    if (doubt?.keys.delete(key) === true && doubt.keys.size === 0) this.#doubts.delete(kind);
  }

  get kinds(): readonly Kind[] {
    return [...this.#doubts.keys()];
  }

  /** How long ago the newest doubt began. */
  ageMs(nowMs: number): number {
    return Math.min(...[...this.#doubts.values()].map(({ sinceMs }) => nowMs - sinceMs));
  }

  /** The findings, and the fingerprint of exactly the objects in doubt; undefined when nothing is in doubt. */
  summary(): { readonly findings: string; readonly fingerprint: string } | undefined {
    if (this.#doubts.size === 0) return undefined;
    const keys = [...this.#doubts].flatMap(([kind, doubt]) => [...doubt.keys].map((key) => `${kind}/${key}`));
    return {
      findings: [...this.#doubts.values()].map(({ finding }) => finding).join(', '),
      fingerprint: fingerprintOf(keys.toSorted()),
    };
  }

  /** Ends all doubts, because a person accepted them: returns the objects to be removed. */
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
