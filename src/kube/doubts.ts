import { type AnyObject, type Kind, kindFacts } from './kinds.ts';
import { deepEqual } from './objects/equal.ts';
import type { Succession } from './objects/kind-facts.ts';
import type { ObjectKey } from './objects/metadata.ts';
import { findLoss, missingKeys } from './plausible.ts';
import { type Entered, Showings } from './showings.ts';

type Objects = ReadonlyMap<ObjectKey, AnyObject>;

/** An object that the input lacks, and that stays in force because nothing shows that its deletion was meant. */
interface Absent extends Entered {
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
  /** How many objects gave way to others: they are lost all the same, and the loss of the rest looks no smaller without them. */
  readonly replaced: number;
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

/** What is shown of a loss that is implausible. */
export interface Shown {
  readonly findings: string;
  /** Absent while a new one is made. */
  readonly fingerprint?: string;
  /** Fingerprints that were shown before and would be obeyed still. */
  readonly former: readonly string[];
  /** Names of objects in doubt, as `Kind/key`: some of them, if there are many. */
  readonly objects: readonly string[];
  readonly count: number;
}

const namedObjects = 20;

export interface Verdict {
  /** The objects to be removed now. */
  readonly gone: readonly ObjectKey[];
  /** Set when objects in doubt are believed to be deleted now although their loss was implausible: the finding of that loss. */
  readonly believed?: string;
}

/**
 * Judges which objects an input lacks. Deletions that are only inferred are believed when they are few; when they are many (see
 * `findLoss`), they are in doubt, and everything else goes on. A doubt is a matter of each object: it keeps its age, and ends
 * when the object is there again; when those in doubt are few among the objects in force; when the input that lacked the
 * object first was evidently that of the same cluster, and a later one, `confirmMs` after that, lacks it too; when another one
 * takes its place (see `giveWay`); or when a person accepts it. Without such evidence the objects in doubt must be few among those that were in force at its begin: what another
 * cluster has more is no reason to believe what it lacks. Time alone is no evidence.
 */
export class Doubts {
  readonly #confirmMs: number;
  readonly #doubts = new Map<Kind, Doubt>();
  readonly #showings = new Showings();
  #sinceMs: number | undefined;

  /** @param confirmMs Infinity where a second look at the input is no evidence. */
  constructor(confirmMs: number) {
    this.#confirmMs = confirmMs;
  }

  judge({ kind, before, next, nowMs, witnessed, restMs = 0, restingSinceMs = -Infinity }: Comparison): Verdict {
    const missing = missingKeys(before, next);
    const known = this.#doubts.get(kind);
    const replaced = known?.replaced ?? 0;
    const [size, lost] = [before.size + replaced, missing.length + replaced];
    const baseline = Math.min(known?.baseline ?? size, size);
    const now = findLoss(kind, size, lost);
    const atFirst = findLoss(kind, baseline, lost);
    const entry: Absent = { sinceMs: nowMs, witnessed, entered: this.#showings.made };
    const absent = new Map(missing.map((key) => [key, known?.absent.get(key) ?? entry]));
    const gone = [...absent].filter(([, one]) => {
      const implausible = (one.witnessed ? now : atFirst) !== undefined;
      if (implausible) return one.witnessed && nowMs - one.sinceMs >= this.#confirmMs;
      return nowMs - Math.max(one.sinceMs, restingSinceMs) >= restMs;
    });
    for (const [key] of gone) absent.delete(key);
    const finding = now ?? atFirst;
    if (absent.size === 0) this.#doubts.delete(kind);
    else this.#doubts.set(kind, { finding, baseline, replaced, absent });
    if (finding !== undefined) this.#showings.note(kind, absent);
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
    const { absent, replaced } = this.#doubts.get(kind) ?? { absent: new Map<ObjectKey, Absent>(), replaced: 0 };
    if (absent.size === 0 || findLoss(kind, inForce + replaced, absent.size + replaced) !== undefined) return [];
    const keys = [...absent].filter(([, { witnessed }]) => witnessed).map(([key]) => key);
    for (const key of keys) this.settle(kind, key);
    return keys;
  }

  /**
   * Ends the doubt over the objects in whose place others serve that changed since it began, by the facts of their kind
   * (`Succession`), and returns their keys: they are to be removed. It is for the caller to know that what was sent is of the same
   * cluster, and later than the input that brought the doubt.
   * @param sent Objects that are there. They count when they differ from those held, or were in doubt themselves.
   * @param get The object that is held, before those that were sent take their places.
   */
  giveWay(
    kind: Kind,
    sent: Iterable<readonly [ObjectKey, AnyObject]>,
    get: (key: ObjectKey) => AnyObject | undefined,
  ): readonly ObjectKey[] {
    const doubt = this.#doubts.get(kind);
    const succession: Succession<AnyObject> | undefined = kindFacts[kind].succession;
    if (doubt === undefined || succession === undefined) return [];
    const there = new Map(sent);
    const changed = [...there].filter(([key, object]) => doubt.absent.has(key) || !deepEqual(get(key), object));
    if (changed.length === 0) return [];
    const bySubject = Map.groupBy(changed, ([, object]) => succession.subject(object));
    const keys = [...doubt.absent.keys()].filter((key) => {
      if (there.has(key)) return false;
      const held = get(key);
      const subject = held === undefined ? undefined : succession.subject(held);
      if (held === undefined || subject === undefined) return false;
      return bySubject.get(subject)?.some(([, fresh]) => succession.replaces(fresh, held)) === true;
    });
    if (keys.length > 0) this.#doubts.set(kind, { ...doubt, replaced: doubt.replaced + keys.length });
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
    let age = Infinity;
    for (const { absent } of this.#doubts.values()) {
      let oldest = 0;
      for (const { sinceMs } of absent.values()) oldest = Math.max(oldest, nowMs - sinceMs);
      age = Math.min(age, oldest);
    }
    return age;
  }

  /** The number of objects in doubt, those that only have to rest among them. */
  get size(): number {
    let size = 0;
    for (const { absent } of this.#doubts.values()) size += absent.size;
    return size;
  }

  /** The kinds whose loss is implausible: only a person or new evidence ends such a doubt. */
  get implausible(): readonly Kind[] {
    return [...this.#doubts].filter(([, { finding }]) => finding !== undefined).map(([kind]) => kind);
  }

  /** Takes over since when an earlier agent doubted, in ms since the epoch: its doubt is older than the first judgement here. */
  resume(sinceMs: number | undefined): void {
    this.#sinceMs = sinceMs;
  }

  /** Since when there has been a loss that is implausible, in ms since the epoch; undefined when there is none any more. */
  since(wallMs: number): number | undefined {
    this.#sinceMs = this.implausible.length === 0 ? undefined : Math.min(this.#sinceMs ?? wallMs, wallMs);
    return this.#sinceMs;
  }

  /**
   * The findings, and the fingerprint by which a person accepts exactly the objects whose loss was implausible when it was made;
   * see `Showings` for how long it stays, and when there is none. Undefined when there is no such loss.
   */
  show(nowMs: number): Shown | undefined {
    const findings: string[] = [];
    const doubted = new Map<Kind, ReadonlyMap<ObjectKey, Absent>>();
    for (const [kind, { finding, absent }] of this.#doubts) {
      if (finding === undefined) continue;
      findings.push(finding);
      doubted.set(kind, absent);
    }
    if (findings.length === 0) return undefined;
    const shown = this.#showings.show(findings.join(', '), doubted, nowMs);
    return { ...shown, former: this.#showings.former, ...this.#named(doubted, shown.fingerprint === undefined) };
  }

  /** How many of these objects the last fingerprint stands for, and the names of some; or of `all`. */
  #named(doubted: ReadonlyMap<Kind, ReadonlyMap<ObjectKey, Absent>>, all: boolean): Pick<Shown, 'objects' | 'count'> {
    const objects: string[] = [];
    let count = 0;
    for (const [kind, absent] of doubted)
      for (const [key, one] of absent) {
        if (!all && !this.#showings.standsFor(kind, one)) continue;
        count += 1;
        if (objects.length < namedObjects) objects.push(`${kind}/${key}`);
      }
    return { objects, count };
  }

  /**
   * Ends the doubt over the objects that were shown under this fingerprint: returns those that are in doubt still, which are to
   * be removed. Undefined when no such fingerprint is valid. `writtenMs` says when a person wrote it, by the clock of `nowMs`.
   */
  accept(fingerprint: string, writtenMs = Infinity): ReadonlyMap<Kind, ReadonlySet<ObjectKey>> | undefined {
    const standsFor = this.#showings.use(fingerprint, writtenMs);
    if (standsFor === undefined) return undefined;
    const accepted = new Map<Kind, ReadonlySet<ObjectKey>>();
    for (const [kind, { absent }] of this.#doubts) {
      const keys = [...absent].filter(([, one]) => standsFor(kind, one)).map(([key]) => key);
      if (keys.length > 0) accepted.set(kind, new Set(keys));
    }
    for (const [kind, keys] of accepted) for (const key of keys) this.settle(kind, key);
    return accepted;
  }

  /** Forgets every doubt and what was shown. */
  clear(): void {
    this.#doubts.clear();
    this.#showings.clear();
  }
}

/** Whether the input has an object under the uid that it had before: then it is the same cluster, whose storage answers. */
export function hasSurvivor(before: Objects, next: Objects): boolean {
  for (const [key, { metadata }] of next)
    if (metadata.uid !== undefined && before.get(key)?.metadata.uid === metadata.uid) return true;
  return false;
}
