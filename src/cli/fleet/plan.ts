import type { Command } from 'commander';
import type { FleetPlan } from '../../planes/fleet/plan.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { compileInto } from './compiled.ts';
import { few } from './few.ts';

interface PlanArguments extends OutputArguments {
  readonly against: string;
}

/** `tideline fleet plan FOLDER… --against DIR`: prints which servers change. It never writes. */
export function register(fleet: Command): void {
  const command = fleet
    .command('plan')
    .description('Show whose documents change, in which components, and the waves that would bring it; writes nothing')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote');
  addOutputOption(command).action(run);
}

async function run(paths: string[], { against, output }: PlanArguments): Promise<void> {
  const { checksumOf, readDocuments } = await import('../../planes/fleet/folder.ts');
  const { planFleet } = await import('../../planes/fleet/plan.ts');
  const before = await readDocuments(against);
  const compiled = await compileInto(against, paths);
  const plan = planFleet(before, compiled);
  const checksum = checksumOf(compiled);
  await printResult(output, {
    lines: () => [...linesOf(plan), `checksum: ${checksum}`],
    value: () => ({ ...plan, checksum }),
  });
}

/** Servers that change alike share a line. */
function linesOf({ changes, waves, warnings }: FleetPlan): readonly string[] {
  const warned = warnings.map((warning) => `warning: ${warning}`);
  if (changes.length === 0) return ['nothing changes', ...warned];
  const alike = Map.groupBy(changes, ({ change, parts, orchestrated }) =>
    [
      change,
      parts.join(', '),
      ...(orchestrated.length > 0 ? [`(restarted in their wave: ${orchestrated.join(', ')})`] : []),
    ]
      .filter((word) => word !== '')
      .join(' '),
  );
  return [
    changes.length === 1 ? '1 server changes:' : `${changes.length} servers change:`,
    ...[...alike].map(([what, some]) => `  ${what}: ${few(some.map(({ server }) => server))}`),
    `${waves.length} waves:`,
    ...waves.map(({ cluster, kind, servers }, index) => `  ${index + 1} ${cluster} ${kind}: ${few(servers)}`),
    ...warned,
  ];
}
