import type { Tolerance } from '../demo/step.ts';
import type { FleetStage } from './stage.ts';

/** One step of the fleet's scenario. `run` resolves with what was seen, or throws with what was not. */
export interface FleetStep {
  readonly name: string;
  /** Explains what the step shows and why it matters, in one or two sentences. */
  readonly explanation: string;
  /** The failures that the client may notice. */
  readonly tolerance: Tolerance;
  run(stage: FleetStage): Promise<string>;
}
