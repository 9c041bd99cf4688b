import { messageOf } from '../../src/model/values.ts';
import { judge } from '../demo/judge.ts';
import type { FleetStepReport } from './report.ts';
import { FleetStage } from './stage.ts';
import type { FleetStep } from './step.ts';
import type { FleetWorld } from './world.ts';

/** Plays one step, and judges it by what it saw and by what the client saw meanwhile. Never rejects. */
export async function playStep(
  step: FleetStep,
  world: FleetWorld,
  narrate: (line: string) => void,
): Promise<FleetStepReport> {
  const stage = new FleetStage(world, narrate);
  const fromMs = stage.now();
  narrate(step.explanation);
  let met = true;
  const detail = await step.run(stage).catch((error: unknown) => {
    met = false;
    return messageOf(error);
  });
  const toMs = stage.now();
  await stage.untilAnswered();
  const account = world.requests.window(fromMs, toMs);
  const { recoveredAfterMs, complaint } = judge(step.tolerance, account, { fromMs, faultAtMs: stage.faultAtMs });
  return {
    name: step.name,
    ok: met && complaint === undefined,
    seconds: Math.round((toMs - fromMs) / 100) / 10,
    requests: account.requests,
    failed: account.failed,
    retried: account.retried,
    recoveredAfterMs,
    detail: complaint === undefined ? detail : `${complaint}; ${detail}`,
  };
}
