import { type Acceptance, Obeyed } from '../../kube/acceptance.ts';
import { fingerprintOf } from '../../kube/plausible.ts';
import { mayMean } from '../../kube/showings.ts';
import type { DoubtPart, DoubtView } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Brake } from './plan.ts';

/** The times of one moment by the two clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

interface Held {
  readonly brake: Brake;
  readonly sinceMs: number;
  /** The brake is over: it held long enough, or a person has accepted the edit. */
  readonly over?: true;
}

/**
 * Counts how long each brake has held without a break. It has no clock: the time comes with every call. A restart of the agent
 * begins anew, which only makes a withdrawal wait longer.
 */
export class Brakes {
  readonly #waitMs: number;
  readonly #obeyed = new Obeyed();
  #held: ReadonlyMap<string, Held> = new Map();
  #nextAtMs = Infinity;
  #frozen = false;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** While the platform is frozen no brake ends by its age; those that are over stay over. */
  setFrozen(frozen: boolean): void {
    this.#frozen = frozen;
  }

  /** Takes note of the brakes that there are now; a cause that is not among them begins anew when it comes back. */
  meet(brakes: readonly Brake[], nowMs: number): void {
    this.#held = new Map(
      brakes.map((brake) => {
        const before = this.#held.get(brake.cause);
        const over = before === undefined || this.#holds(before, nowMs) ? undefined : (true as const);
        return [brake.cause, { brake, sinceMs: before?.sinceMs ?? nowMs, ...withoutUndefined({ over }) }];
      }),
    );
    const ends = [...this.#held.values()].filter(({ over }) => over === undefined).map((held) => this.#endOf(held));
    this.#nextAtMs = Math.min(...ends.filter((at) => at > nowMs));
  }

  /** The causes whose brake has held long enough, or that a person accepted. */
  over(nowMs: number): ReadonlySet<string> {
    return new Set([...this.#held].filter(([, held]) => !this.#holds(held, nowMs)).map(([cause]) => cause));
  }

  /** When the next brake is over; Infinity when none holds. */
  get nextAtMs(): number {
    return this.#nextAtMs;
  }

  /** Whether a brake holds, so that a person may have something to accept. */
  holdsAny(nowMs: number): boolean {
    return [...this.#held.values()].some((held) => this.#holds(held, nowMs));
  }

  /**
   * Ends the brake that is meant by what a person wrote, and returns its cause; undefined when none is. The fingerprint stands for the
   * cause and is the same on every server, so what was written long before the brake began meant another edit.
   */
  accept({ said, by, writtenMs }: Acceptance, { monotonicMs, wallMs }: Moment): string | undefined {
    const writtenAtMs = monotonicMs - (wallMs - writtenMs);
    const meant = [...this.#held].find(
      ([cause, held]) =>
        this.#holds(held, monotonicMs) && fingerprintOf([cause]) === said && mayMean(writtenAtMs, held.sinceMs),
    );
    if (meant === undefined) return undefined;
    const [cause, held] = meant;
    this.#held = new Map([...this.#held, [cause, { ...held, over: true }]]);
    this.#obeyed.note({ said, ...withoutUndefined({ by }) }, wallMs);
    return cause;
  }

  /**
   * The brakes that hold as doubts.
   * @param waiting The names of what waits on this server, by reason.
   */
  doubting(
    { monotonicMs, wallMs }: Moment,
    waiting: (reason: Brake['reason']) => readonly string[],
    acceptFile: string | undefined,
  ): DoubtPart {
    const doubts = [...this.#held.values()]
      .filter((held) => this.#holds(held, monotonicMs))
      .map((held): DoubtView => {
        const { reason, cause, lost, all } = held.brake;
        const sinceMs = wallMs - (monotonicMs - held.sinceMs);
        const objects = waiting(reason);
        return {
          reason,
          message: `an edit of ${cause} takes ${lost} of ${all} prefixes that servers announce; they stay announced`,
          objects: objects.slice(0, 20),
          count: objects.length,
          sinceMs,
          waitsMs: this.#waitMs,
          ...(this.#frozen ? {} : { untilMs: sinceMs + this.#waitMs }),
          undo: `take back the edit of ${cause}`,
          fingerprint: fingerprintOf([cause]),
          ...withoutUndefined({ acceptFile }),
        };
      });
    return { doubts, accepted: this.#obeyed.list };
  }

  #endOf({ sinceMs }: Held): number {
    return sinceMs + this.#waitMs;
  }

  #holds(held: Held, nowMs: number): boolean {
    return held.over === undefined && (this.#frozen || this.#endOf(held) > nowMs);
  }
}
