import type { Command } from 'commander';
import { register as registerApply } from './scaling/apply.ts';
import { register as registerCalibrate } from './scaling/calibrate.ts';
import { register as registerExplain } from './scaling/explain.ts';
import { register as registerFloors } from './scaling/floors.ts';
import { register as registerProve } from './scaling/prove.ts';
import { register as registerRender } from './scaling/render.ts';
import { register as registerServe } from './scaling/serve.ts';
import { register as registerStatus } from './scaling/status.ts';

/** `tideline scaling …`: what has to be ready before it is needed. */
export function register(program: Command): void {
  const scaling = program
    .command('scaling')
    .description('What must be ready before traffic comes: replicas for each failure that is to be survived');
  registerFloors(scaling);
  registerExplain(scaling);
  registerProve(scaling);
  registerApply(scaling);
  registerServe(scaling);
  registerRender(scaling);
  registerStatus(scaling);
  registerCalibrate(scaling);
}
