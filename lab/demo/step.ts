import type { Stage } from './stage.ts';

/** One step of the scenario. `run` resolves with what was seen, or throws with what was not. */
export interface Step {
  readonly name: string;
  /** Explains what the step shows and why it matters, in one or two sentences. */
  readonly explanation: string;
  /** The failures that the clients may notice. */
  readonly tolerance: Tolerance;
  /** True when the step leaves its fault for the next step to heal. */
  readonly leavesFault?: true;
  run(stage: Stage): Promise<string>;
}

export type Tolerance =
  /** No request may fail. */
  | { readonly kind: 'nothing' }
  /** Requests may fail, but not later than this after the fault (or, without one, after the step's begin). */
  | { readonly kind: 'recovers'; readonly withinMs: number };

export const unnoticed: Tolerance = { kind: 'nothing' };
