import type { Stage } from './stage.ts';

/** One step of the scenario. `run` resolves with what was seen, or throws with what was not. */
export interface Step {
  readonly name: string;
  /** What is shown and why it matters, one or two sentences. */
  readonly explanation: string;
  /** What the clients may notice. */
  readonly tolerance: Tolerance;
  /** Its fault stays for the next step to heal. */
  readonly leavesFault?: true;
  run(stage: Stage): Promise<string>;
}

export type Tolerance =
  /** Not one failed request. */
  | { readonly kind: 'nothing' }
  /** Requests may fail, but not later than this after the fault (or, without one, after the step's begin). */
  | { readonly kind: 'recovers'; readonly withinMs: number };

export const unnoticed: Tolerance = { kind: 'nothing' };
