import type { FaultBoard } from '../faults/board.ts';
import type { Lab } from '../lab.ts';
import type { StepReport } from './report.ts';
import { Stage } from './stage.ts';
import type { Step } from './step.ts';
import { bladeDrained, bladeKilled } from './steps/blades.ts';
import { ingressDirect, podsRoutable } from './steps/routing.ts';
import { scaleUp } from './steps/scale.ts';
import { cloudRegionLost, clusterBack, clusterLost, uplinkCut } from './steps/sites.ts';
import { steering } from './steps/steering.ts';
import { agentsRestarted, inputLost } from './steps/tideline.ts';

/** The scenario, in order. */
export const scenario: readonly Step[] = [
  podsRoutable,
  ingressDirect,
  steering,
  scaleUp,
  bladeDrained,
  bladeKilled,
  uplinkCut,
  clusterLost,
  clusterBack,
  cloudRegionLost,
  inputLost,
  agentsRestarted,
];

/** Runs one step and judges it by what the clients saw from its begin to its end. Heals what a failed step left. Never rejects. */
export async function runStep(
  step: Step,
  lab: Lab,
  board: FaultBoard,
  narrate: (line: string) => void,
): Promise<StepReport> {
  const stage = new Stage(lab, board, narrate);
  const fromMs = stage.now();
  narrate(step.explanation);
  let detail: string;
  let met = true;
  try {
    detail = await step.run(stage);
  } catch (error) {
    met = false;
    detail = error instanceof Error ? error.message : String(error);
    if (step.name !== 'cluster-lost') await board.heal().catch(() => undefined);
  }
  const account = lab.ledger.window(fromMs);
  const lastFailureMs = Math.max(0, ...account.failures.map(({ atMs }) => atMs));
  const recoveredAfterMs =
    stage.faultAtMs === undefined ? null : Math.max(0, Math.round(lastFailureMs - stage.faultAtMs));
  const complaint = intolerable(step, account.failed, recoveredAfterMs ?? 0);
  const reasons = [...new Set(account.failures.map(({ country, reason }) => `${country} ${reason}`))].slice(0, 5);
  return {
    name: step.name,
    ok: met && complaint === undefined,
    seconds: Math.round((stage.now() - fromMs) / 100) / 10,
    requests: account.requests,
    failed: account.failed,
    recoveredAfterMs,
    detail: complaint === undefined ? detail : `${complaint} (${reasons.join(', ')}); ${detail}`,
  };
}

function intolerable(step: Step, failed: number, recoveredAfterMs: number): string | undefined {
  if (failed === 0) return undefined;
  if (step.tolerance.kind === 'nothing') return `${failed} requests failed, none may`;
  const { withinMs } = step.tolerance;
  return recoveredAfterMs <= withinMs
    ? undefined
    : `requests failed until ${recoveredAfterMs} ms after the fault, ${withinMs} are allowed`;
}
