import type { Command } from 'commander';
import { printResult } from '../output.ts';
import { addAtOption } from './history.ts';
import { addOfflineOption, addWorldOptions, readWorld, type WorldArguments } from './world.ts';

/** `tideline scaling floors FILES...`: the replicas that every target must have Ready, and why. */
export function register(scaling: Command): void {
  const command = scaling
    .command('floors')
    .description(
      'Say how many replicas of each ScalingTarget must be Ready so that every failure it is to survive is survived',
    )
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addAtOption(addOfflineOption(addWorldOptions(command)))
    .addHelpText(
      'after',
      '\nExit code 0: every floor can be had and is held, as far as it was asked; 1: one is not; 2: bad input.',
    )
    .action(run);
}

async function run(paths: string[], options: WorldArguments): Promise<void> {
  const { nothing } = await import('../../planes/scaling/compile/failures.ts');
  const { floorsOf, rememberedArriving } = await import('../../planes/scaling/compile/floors.ts');
  const { floorFindings } = await import('../../planes/scaling/findings.ts');
  const { demandLine, findingLines, floorLine } = await import('../../planes/scaling/text.ts');
  const { world, findings: read, observed, nowMs } = await readWorld(paths, options);
  const arriving = rememberedArriving(world);
  const floors = floorsOf(world, arriving);
  const wrong = floors.flatMap((floor) => floorFindings(floor, observed.get(floor.target)));
  const findings = [...read, ...wrong];
  await printResult(options.output, {
    lines: () => [
      demandLine(world, arriving(nothing), nowMs),
      ...floors.map((floor) => floorLine(floor, observed.get(floor.target))),
      ...findingLines(findings),
    ],
    value: () => ({
      floors: floors.map(({ target, spec, replicas, now, needs, binding, missing }) => ({
        target,
        cluster: spec.cluster,
        site: spec.site,
        workload: spec.workload,
        replicas,
        now,
        needs,
        binding,
        missing,
        observed: observed.get(target),
      })),
      findings,
    }),
  });
  if (wrong.length > 0) process.exitCode = 1;
}
