import { contains, type Prefix } from '../../../model/address.ts';
import type { Site } from '../../../model/spec/kinds.ts';
import type { PodsFrom } from '../needs.ts';
import type { Brake, NetworkNotice, NetworkRefusal } from '../plan.ts';

/** Whether the Site lets a prefix out. */
type Permission =
  | { readonly announce: true; readonly notice?: NetworkNotice }
  | { readonly announce: false; readonly refusal: NetworkRefusal };

export interface AllowedInput {
  /** The site of the worker. */
  readonly site: Site;
  /** The sites of the cluster. */
  readonly sites: readonly Site[];
  readonly podsFrom: PodsFrom;
  /** The prefixes, as text, that this node has announced until now. */
  readonly kept: ReadonlySet<string>;
  /** Our blackholes in the kernel: a block with one of them in it was announced before. */
  readonly installed: readonly Prefix[];
  /** The blocks, or podCIDRs, that workers of the cluster announce as far as their pools are concerned. */
  readonly fleet: () => readonly Prefix[];
  /** Causes whose brake has held long enough. */
  readonly brakesOver: ReadonlySet<string>;
}

/**
 * Judges prefixes by the pod prefixes of the worker's Site. What was never announced is refused. What was, and is outside now,
 * left by an edit of the Site, which every worker there reads within a second: it is obeyed, but when it takes more than half of
 * the site's blocks it is braked first, like a ban of export.
 */
export class Allowed {
  readonly #input: AllowedInput;
  readonly #beyond: Prefix[] = [];
  #brake: Brake | 'few' | undefined;

  constructor(input: AllowedInput) {
    this.#input = input;
  }

  verdict(prefix: Prefix): Permission {
    const { site, podsFrom, brakesOver } = this.#input;
    const { pods } = site.spec.prefixes;
    const subject = prefix.text;
    const name = `site ${site.metadata.name}`;
    if (!pods.some((outer) => contains(outer, prefix))) {
      const message = `not inside the pod prefixes of ${name}`;
      const brake = this.#wasAnnounced(prefix) ? this.#brakeOf() : undefined;
      if (brake === undefined || brakesOver.has(brake.cause))
        return { announce: false, refusal: { subject, reason: 'PrefixOutsideSite', message } };
      this.#beyond.push(prefix);
      const more = `, as are ${brake.lost} of the ${brake.all} blocks there that the cluster announces: it waits`;
      return { announce: true, notice: { subject, reason: 'SiteEditWaits', message: `${message}${more}` } };
    }
    // A podCIDR is typed by a person or given by a controller; a block of Calico has an object of its own that proves it.
    if (podsFrom !== 'podCIDRs' || !pods.some(({ text }) => text === subject)) return { announce: true };
    const message = `it is all of a pod prefix of ${name}; a worker needs a part of it`;
    return { announce: false, refusal: { subject, reason: 'PrefixTooWide', message } };
  }

  /** The brake that was met, whether it still holds or not. */
  get brakes(): readonly Brake[] {
    return this.#brake === undefined || this.#brake === 'few' ? [] : [this.#brake];
  }

  /** What was let out although the Site has it no longer. */
  get beyond(): readonly Prefix[] {
    return this.#beyond;
  }

  #wasAnnounced(prefix: Prefix): boolean {
    const { kept, installed } = this.#input;
    return kept.has(prefix.text) || installed.some((blackhole) => contains(prefix, blackhole));
  }

  #brakeOf(): Brake | undefined {
    if (this.#brake === undefined) {
      const { lost, all } = this.#share();
      const cause = `Site ${this.#input.site.metadata.name} pods`;
      this.#brake = lost > all / 2 ? { reason: 'SiteEditWaits', cause, lost, all } : 'few';
    }
    return this.#brake === 'few' ? undefined : this.#brake;
  }

  /**
   * How many blocks of the workers of this site are outside its prefixes now, and how many there are. Blocks in the prefixes of
   * another site are of its workers; a prefix that was moved to another site is known by what this node announced in it.
   */
  #share(): { readonly lost: number; readonly all: number } {
    const { site, sites, fleet } = this.#input;
    const ours = site.spec.prefixes.pods;
    const theirs = sites.filter((other) => other !== site).flatMap(({ spec }) => spec.prefixes.pods);
    const blocks = fleet();
    const moved = theirs.filter((outer) => blocks.some((block) => contains(outer, block) && this.#wasAnnounced(block)));
    const isIn = (outers: readonly Prefix[], block: Prefix): boolean => outers.some((outer) => contains(outer, block));
    const inside = blocks.filter((block) => isIn(ours, block)).length;
    const lost = blocks.filter((block) => !isIn(ours, block) && (!isIn(theirs, block) || isIn(moved, block))).length;
    // An address that was borrowed from a block that counts elsewhere is lost as well.
    return { lost: Math.max(1, lost), all: Math.max(1, lost) + inside };
  }
}
