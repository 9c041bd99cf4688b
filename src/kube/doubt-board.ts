import type { DoubtPart, DoubtView } from '../model/status.ts';
import { withoutUndefined } from '../model/values.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Acceptance, Obeyed } from './acceptance.ts';
import type { Doubts, Shown } from './doubts.ts';
import type { StaleReason } from './source.ts';

export interface BoardOptions {
  readonly doubts: Doubts;
  /** The file by which a person accepts what is shown; undefined where nothing can be accepted. */
  readonly acceptFile: string | undefined;
  readonly clock: Clock;
}

/** Another cluster that answers, and is refused. */
export interface Stranger {
  readonly message: string;
  /** Absent where it has none; then it cannot be accepted. */
  readonly identity?: string;
  /** Since when, by the monotonic clock. */
  readonly sinceMs: number;
}

/** What a source tells persons of its doubts, and what they have accepted. */
export class DoubtBoard {
  readonly #options: BoardOptions;
  readonly #obeyed = new Obeyed();
  #shown: { readonly what: Shown; readonly sinceMs: number } | undefined;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  /** The end of a message that says how to accept; empty when there is nothing to write. */
  howTo(what: string | undefined): string {
    const { acceptFile } = this.#options;
    return acceptFile === undefined || what === undefined ? '' : `; write ${what} into ${acceptFile} to accept it`;
  }

  /** Looks at the doubts anew: what the status says of them; undefined when no loss is implausible. */
  look(): { readonly message: string; readonly sinceMs: number } | undefined {
    const { doubts, clock } = this.#options;
    const what = doubts.show(clock.monotonic());
    if (what === undefined) {
      this.#shown = undefined;
      return undefined;
    }
    const sinceMs = doubts.since(clock.now()) ?? clock.now();
    this.#shown = { what, sinceMs };
    return { message: `${what.findings} are missing${this.howTo(what.fingerprint)}`, sinceMs };
  }

  /** Notes that an acceptance was obeyed. */
  obeyed(acceptance: Pick<Acceptance, 'said' | 'by'>): void {
    this.#obeyed.note(acceptance, this.#options.clock.now());
  }

  /** What was seen at the last look, and the other cluster that answers now, if one does. */
  view(stranger?: Stranger): DoubtPart {
    const { acceptFile, clock } = this.#options;
    const where = withoutUndefined({ acceptFile });
    const doubts: DoubtView[] = [];
    if (this.#shown !== undefined) {
      const { what, sinceMs } = this.#shown;
      const { findings, fingerprint, former, objects, count } = what;
      const reason: StaleReason = 'SourceImplausible';
      const message = `${findings} are missing; they stay in force`;
      doubts.push({ reason, message, objects, count, sinceMs, former, ...withoutUndefined({ fingerprint }), ...where });
    }
    if (stranger !== undefined) {
      const { identity: fingerprint, message, sinceMs } = stranger;
      const reason: StaleReason = 'SourceOfOtherCluster';
      const at = clock.now() - (clock.monotonic() - sinceMs);
      const objects = fingerprint === undefined ? [] : [`Namespace/kube-system ${fingerprint}`];
      doubts.push({ reason, message, objects, count: 1, sinceMs: at, ...withoutUndefined({ fingerprint }), ...where });
    }
    return { doubts, accepted: this.#obeyed.list };
  }
}
