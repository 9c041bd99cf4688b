import type { Command } from 'commander';
import { register as registerApply } from './steering/apply.ts';
import { register as registerExplain } from './steering/explain.ts';
import { register as registerPlan } from './steering/plan.ts';

/** `tideline steering plan | apply | explain`: who answers which country. `tideline plan` and so on are other names of the same. */
export function register(program: Command): void {
  const steering = program.command('steering').description('Which cluster answers which country, by DNS');
  for (const add of [registerPlan, registerApply, registerExplain]) {
    steering.addCommand(add().copyInheritedSettings(steering));
    program.addCommand(add().copyInheritedSettings(program), { hidden: true });
  }
}
