import { type DrainState } from '../observe/drains.ts';
import type { Register } from './command.ts';
import { lookAt } from './look.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

/** `tideline drains FILES...`: every Drain, how far it is, and what is left. */
export const register: Register = (program) => {
  const drains = program
    .command('drains')
    .description('Say of every Drain how far it is, and what may be switched off')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addOutputOption(drains)
    .addHelpText(
      'after',
      `
Asks the agents of the servers concerned. "empty" means that nothing is left: no VIP and no open connection of a blade, no route to
pods of a worker. Exit code 0: as far as can be seen all is as it should be, 1: an agent does not answer or has not heard of a Drain.`,
    )
    .action(run);
};

async function run(paths: string[], { output }: OutputArguments): Promise<void> {
  const { loadPlatformOrThrow } = await import('../platform/load.ts');
  const { drainStates } = await import('../observe/drains.ts');
  const { renderDrains } = await import('../observe/drain-text.ts');
  const platform = await loadPlatformOrThrow(paths);
  const snapshot = await lookAt(platform);
  const drains = drainStates(platform, snapshot);
  await printResult(output, {
    lines: () => renderDrains(drains, snapshot.takenAtMs),
    value: () => ({ takenAtMs: snapshot.takenAtMs, drains }),
  });
  if (drains.some(isUnsure)) process.exitCode = 1;
}

function isUnsure({ phase }: DrainState): boolean {
  return phase === 'unknown' || phase === 'waiting';
}
