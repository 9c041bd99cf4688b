import { messageOf } from '../../src/model/values.ts';
import { alertsFired } from '../observe/alerts.ts';
import { judge } from './judge.ts';
import type { DemoPort, Faults } from './port.ts';
import type { StepReport } from './report.ts';
import { Stage } from './stage.ts';
import type { Step } from './step.ts';
import { bladeDrained, bladeKilled } from './steps/blades.ts';
import { apiserverLost, bladeColdStart } from './steps/control-planes.ts';
import { ingressDirect, podsRoutable } from './steps/routing.ts';
import { scaleUp } from './steps/scale.ts';
import { cloudRegionLost, clusterBack, clusterLost, uplinkCut } from './steps/sites.ts';
import { steering } from './steps/steering.ts';
import { agentsRestarted, inputLost } from './steps/tideline.ts';

const everywhere: readonly Step[] = [
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

/** The steps of the scenario, in order; there are two more where control planes are real. */
export function scenarioOf(lab: Pick<DemoPort, 'hasControlPlanes'>): readonly Step[] {
  return lab.hasControlPlanes ? [...everywhere, apiserverLost, bladeColdStart] : everywhere;
}

export interface StepRun {
  readonly lab: DemoPort;
  readonly board: Faults;
  readonly narrate: (line: string) => void;
  /**
   * Requests started at or after this time count for this step. It is the end of the step before, so that each request counts
   * for a step.
   */
  readonly fromMs: number;
}

/**
 * Runs one step, until the platform is whole again where it leaves no fault, and judges it by what the clients saw until then. Heals the
 * faults that a failed step left. Never rejects.
 */
export async function runStep(
  step: Step,
  run: StepRun,
): Promise<{ readonly report: StepReport; readonly toMs: number }> {
  const { lab, board, narrate, fromMs } = run;
  const stage = new Stage(lab, board, narrate);
  narrate(step.explanation);
  let detail: string;
  let met = true;
  try {
    detail = await step.run(stage);
    if (step.leavesFault !== true) await stage.untilWhole();
  } catch (error) {
    met = false;
    detail = messageOf(error);
    if (step.leavesFault !== true) await board.heal().catch(() => undefined);
  }
  const toMs = stage.now();
  await stage.waitForRequestsInFlight();
  const account = lab.ledger.window(fromMs, toMs);
  const { recoveredAfterMs, complaint } = judge(step.tolerance, account, { fromMs, faultAtMs: stage.faultAtMs });
  const report = {
    name: step.name,
    ok: met && complaint === undefined,
    seconds: Math.round((toMs - fromMs) / 100) / 10,
    requests: account.requests,
    failed: account.failed,
    retried: account.retried,
    recoveredAfterMs,
    alerts: await alertsFired(lab, fromMs, toMs).catch(() => []),
    detail: complaint === undefined ? detail : `${complaint}; ${detail}`,
  };
  return { report, toMs };
}
