import type { Command } from 'commander';
import { printResult } from '../output.ts';
import { addAtOption } from './history.ts';
import { addOfflineOption, addWorldOptions, readWorld, type WorldArguments } from './world.ts';

/** `tideline scaling explain TARGET FILES...`: how a floor comes about, failure by failure. */
export function register(scaling: Command): void {
  const command = scaling
    .command('explain')
    .description('Say how the floor of a ScalingTarget comes about: for whom, and in which failure')
    .argument('<target>', 'name of a ScalingTarget')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addAtOption(addOfflineOption(addWorldOptions(command)))
    .addHelpText(
      'after',
      '\nExit code 0: the floor can be had and is held, as far as it was asked; 1: it is not; 2: bad input.',
    )
    .action(run);
}

async function run(name: string, paths: string[], options: WorldArguments): Promise<void> {
  const { findObject } = await import('../../model/platform/find.ts');
  const { nothing } = await import('../../planes/scaling/compile/failures.ts');
  const { floorsOf, rememberedArriving } = await import('../../planes/scaling/compile/floors.ts');
  const { floorFindings } = await import('../../planes/scaling/findings.ts');
  const { demandLine, findingLines, floorExplanation } = await import('../../planes/scaling/text.ts');
  const { world, findings: read, observed, nowMs } = await readWorld(paths, options);
  findObject(world.platform, 'ScalingTarget', name);
  const arriving = rememberedArriving(world);
  const floors = floorsOf(world, arriving).filter(({ target }) => target === name);
  const wrong = floors.flatMap((floor) => floorFindings(floor, observed.get(name)));
  const findings = [...read, ...wrong];
  await printResult(options.output, {
    lines: () => [
      demandLine(world, arriving(nothing), nowMs),
      ...floors.flatMap((floor) => floorExplanation(world, floor, observed.get(name))),
      ...findingLines(findings),
    ],
    value: () => ({ ...floors[0], observed: observed.get(name), findings }),
  });
  if (wrong.length > 0) process.exitCode = 1;
}
