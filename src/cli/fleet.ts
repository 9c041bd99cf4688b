import type { Command } from 'commander';
import { register as registerAdd } from './fleet/add.ts';
import { register as registerApply } from './fleet/apply.ts';
import { register as registerCheck } from './fleet/check.ts';
import { register as registerCompile } from './fleet/compile.ts';
import { register as registerImport } from './fleet/import.ts';
import { register as registerKubeconfig } from './fleet/kubeconfig.ts';
import { register as registerPlan } from './fleet/plan.ts';
import { register as registerRecover } from './fleet/recover.ts';
import { register as registerRemove } from './fleet/remove.ts';
import { register as registerReplace } from './fleet/replace.ts';
import { register as registerRotate } from './fleet/rotate.ts';
import { register as registerSign } from './fleet/sign.ts';
import { register as registerStatus } from './fleet/status.ts';
import { register as registerUpgrade } from './fleet/upgrade.ts';

/** `tideline fleet …`: what servers are to be, from the platform spec. */
export function register(program: Command): void {
  const fleet = program
    .command('fleet')
    .description('Servers made into clusters: a document for each, and in which order');
  registerCompile(fleet);
  registerPlan(fleet);
  registerCheck(fleet);
  registerImport(fleet);
  registerApply(fleet);
  registerAdd(fleet);
  registerRemove(fleet);
  registerReplace(fleet);
  registerUpgrade(fleet);
  registerRecover(fleet);
  registerSign(fleet);
  registerKubeconfig(fleet);
  registerStatus(fleet);
  registerRotate(fleet);
}
