import type { Kind } from './kinds.ts';
import type { ObjectKey } from './objects/metadata.ts';
import { fingerprintOf } from './plausible.ts';

/** The least time between two new fingerprints: time for a person to read one and to write it down. */
export const showEveryMs = 5000;

/** How long before an agent shows what can be accepted a person may have written it: another agent showed it before. */
const aheadMs = 60_000;

/** Whether what was written then can mean what was first shown at that time; both are by the same clock. */
export function mayMean(writtenMs: number, shownMs: number): boolean {
  return writtenMs >= shownMs - aheadMs;
}

/** A fingerprint that was replaced by another one stays valid for this long after it was shown last. */
const validMs = 3_600_000;

/** An object in doubt, as far as a showing is concerned. */
export interface Entered {
  /** How many fingerprints had been made when the object came into doubt: those after that may stand for it. */
  readonly entered: number;
}

/** The objects in doubt of each kind whose loss is implausible. */
export type Implausible = ReadonlyMap<Kind, ReadonlyMap<ObjectKey, Entered>>;

interface Showing {
  readonly fingerprint: string;
  /** The how-manieth fingerprint it is, counted from 1. */
  readonly number: number;
  readonly kinds: ReadonlySet<Kind>;
  /** What was said of the losses. */
  readonly findings: string;
  readonly madeMs: number;
  /** When it was shown last. */
  lastMs: number;
}

/**
 * The fingerprints by which a person accepts a loss. A fingerprint is a hash of the objects in doubt when it was made, and stands
 * for those of them that are in doubt still. It is kept as a number: an object is among those that it stands for when the object
 * came into doubt before that number was given, and its kind was one of those shown. While objects only leave the doubt the
 * fingerprint stays, and showing it costs nothing; a new one is made at most every `showEveryMs`.
 */
export class Showings {
  #made = 0;
  #last: Showing | undefined;
  /** True when there may be an object in doubt for which the last fingerprint does not stand. */
  #grown = false;
  readonly #valid = new Map<string, Showing>();

  /** How many fingerprints were made. */
  get made(): number {
    return this.#made;
  }

  /** The fingerprints that are valid beside the last one, the newest first: eight at most. */
  get former(): readonly string[] {
    const last = this.#last?.fingerprint;
    return [...this.#valid.keys()]
      .filter((fingerprint) => fingerprint !== last)
      .toReversed()
      .slice(0, 8);
  }

  /** Whether the last fingerprint stands for this object in doubt. */
  standsFor(kind: Kind, one: Entered): boolean {
    return !this.#grown || standsFor(this.#last, kind, one);
  }

  /** Notes the objects of a kind that are in doubt now because their loss is implausible. */
  note(kind: Kind, absent: ReadonlyMap<ObjectKey, Entered>): void {
    this.#grown ||= [...absent.values()].some((one) => !standsFor(this.#last, kind, one));
  }

  /**
   * What to show: the findings, with the fingerprint by which a person accepts them. While a new fingerprint has to wait this is
   * what was shown before, or the findings alone when nothing of that is in doubt any more.
   */
  show(findings: string, doubted: Implausible, nowMs: number): { findings: string; fingerprint?: string } {
    const last = this.#last;
    if (this.#grown && (last === undefined || nowMs - last.madeMs >= showEveryMs)) {
      this.#grown = some(doubted, (kind, one) => !standsFor(last, kind, one));
      if (this.#grown) return this.#make(findings, doubted, nowMs);
    }
    if (last === undefined) return { findings };
    if (this.#grown && !some(doubted, (kind, one) => standsFor(last, kind, one))) return { findings };
    last.lastMs = nowMs;
    return { findings: this.#grown ? last.findings : findings, fingerprint: last.fingerprint };
  }

  /**
   * Says of each object whether this fingerprint stands for it; undefined when the fingerprint is not valid, or was written down long
   * before it was shown: then it meant another loss of the same objects. It is valid once. `writtenMs` is by the clock of `nowMs`.
   */
  use(fingerprint: string, writtenMs: number): ((kind: Kind, one: Entered) => boolean) | undefined {
    const used = this.#valid.get(fingerprint);
    if (used !== undefined && !mayMean(writtenMs, used.madeMs)) return undefined;
    this.#valid.delete(fingerprint);
    return used === undefined ? undefined : (kind, one) => standsFor(used, kind, one);
  }

  /** Forgets every fingerprint. */
  clear(): void {
    this.#last = undefined;
    this.#grown = false;
    this.#valid.clear();
  }

  #make(findings: string, doubted: Implausible, nowMs: number): { findings: string; fingerprint: string } {
    for (const [old, { lastMs }] of this.#valid) if (nowMs - lastMs > validMs) this.#valid.delete(old);
    const names = [...doubted].flatMap(([kind, absent]) => [...absent.keys()].map((key) => `${kind}/${key}`));
    const fingerprint = fingerprintOf(names.toSorted());
    this.#made += 1;
    const kinds = new Set(doubted.keys());
    this.#last = { fingerprint, number: this.#made, kinds, findings, madeMs: nowMs, lastMs: nowMs };
    this.#grown = false;
    this.#valid.set(fingerprint, this.#last);
    return { findings, fingerprint };
  }
}

function standsFor(showing: Showing | undefined, kind: Kind, { entered }: Entered): boolean {
  return showing !== undefined && entered < showing.number && showing.kinds.has(kind);
}

function some(doubted: Implausible, holds: (kind: Kind, one: Entered) => boolean): boolean {
  for (const [kind, absent] of doubted) for (const one of absent.values()) if (holds(kind, one)) return true;
  return false;
}
