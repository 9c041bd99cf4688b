import type { Command } from 'commander';
import { register as registerAdopt } from './steering/adopt.ts';
import { register as registerAgent } from './steering/agent.ts';
import { register as registerApply } from './steering/apply.ts';
import { register as registerDemand } from './steering/demand.ts';
import { register as registerDiff } from './steering/diff.ts';
import { register as registerDrift } from './steering/drift.ts';
import { register as registerExplain } from './steering/explain.ts';
import { register as registerExport } from './steering/export.ts';
import { register as registerFailback } from './steering/failback.ts';
import { register as registerHistory } from './steering/history.ts';
import { register as registerImport } from './steering/import.ts';
import { registerApprove, registerReject } from './steering/judge.ts';
import { register as registerMap } from './steering/map.ts';
import { register as registerPlan } from './steering/plan.ts';
import { register as registerProposals } from './steering/proposals.ts';
import { register as registerRelease } from './steering/release.ts';
import { register as registerRemove } from './steering/remove.ts';
import { register as registerRestore } from './steering/restore.ts';
import { register as registerRollback } from './steering/rollback.ts';

/**
 * `tideline steering …`: who answers which country, and which hosts are ours. `tideline plan`, `apply` and `explain` are other names of
 * the same.
 */
export function register(program: Command): void {
  const steering = program.command('steering').description('Which cluster answers which country, by DNS');
  for (const add of [registerPlan, registerApply, registerExplain]) {
    steering.addCommand(add().copyInheritedSettings(steering));
    program.addCommand(add().copyInheritedSettings(program), { hidden: true });
  }
  registerAgent(steering);
  const others = [
    registerMap,
    registerDemand,
    registerHistory,
    registerDiff,
    registerDrift,
    registerRollback,
    registerProposals,
    registerApprove,
    registerReject,
    registerFailback,
    registerImport,
    registerExport,
    registerAdopt,
    registerRelease,
    registerRemove,
    registerRestore,
  ];
  for (const add of others) steering.addCommand(add().copyInheritedSettings(steering));
}
