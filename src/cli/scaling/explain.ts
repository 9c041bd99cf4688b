import type { Command } from 'commander';
import { printResult } from '../output.ts';
import { addOfflineOption, addWorldOptions, readWorld, type WorldArguments } from './world.ts';

/** `tideline scaling explain TARGET FILES...`: how a floor comes about, failure by failure. */
export function register(scaling: Command): void {
  const command = scaling
    .command('explain')
    .description('Say how the floor of a ScalingTarget comes about: for whom, and in which failure')
    .argument('<target>', 'name of a ScalingTarget')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addOfflineOption(addWorldOptions(command)).action(run);
}

async function run(name: string, paths: string[], options: WorldArguments): Promise<void> {
  const { findObject } = await import('../../model/platform/find.ts');
  const { floorsOf } = await import('../../planes/scaling/compile/floors.ts');
  const { floorFindings } = await import('../../planes/scaling/findings.ts');
  const { demandLine, findingLines, floorExplanation } = await import('../../planes/scaling/text.ts');
  const { world, findings: read, observed, nowMs } = await readWorld(paths, options);
  findObject(world.platform, 'ScalingTarget', name);
  const floors = floorsOf(world).filter(({ target }) => target === name);
  const findings = [...read, ...floors.flatMap((floor) => floorFindings(floor, observed.get(name)))];
  await printResult(options.output, {
    lines: () => [
      demandLine(world.demand, nowMs),
      ...floors.flatMap((floor) => floorExplanation(floor, observed.get(name))),
      ...findingLines(findings),
    ],
    value: () => ({ ...floors[0], observed: observed.get(name), findings }),
  });
}
