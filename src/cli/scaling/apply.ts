import type { Command } from 'commander';
import type { Platform } from '../../model/spec/platform.ts';
import type { HoldPlan, MinimumChange } from '../../planes/scaling/hold/plan.ts';
import { printResult } from '../output.ts';
import { addWorldOptions, readWorld, type WorldArguments } from './world.ts';

interface ApplyArguments extends WorldArguments {
  readonly release?: true;
  readonly yes?: true;
  readonly despiteFreeze?: true;
}

/** `tideline scaling apply FILES...`: hands floors to the autoscalers of targets, as their least replicas. */
export function register(scaling: Command): void {
  const command = scaling
    .command('apply')
    .description('Hand every floor to its HorizontalPodAutoscaler as minReplicas: raised at once, given back slowly')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--release', 'also give back what is no longer needed, a tenth in a run')
    .option('-y, --yes', 'write it')
    .option('--despite-freeze', 'also while the platform is frozen');
  addWorldOptions(command)
    .addHelpText(
      'after',
      `
Shows what changes, and writes nothing without --yes. Only minReplicas is written, by server-side apply; where somebody else owns the
field it is left, and said. Nothing is given back on figures older than 15 minutes, while a cluster is drained, does not answer, or
something is too small for what comes now.
Exit code 0: every floor is handed over, 1: one is not, or the platform is frozen, 2: bad input.`,
    )
    .action(run);
}

/** For each autoscaler. */
const patienceMs = 10_000;

async function run(paths: string[], options: ApplyArguments): Promise<void> {
  const { nothing } = await import('../../planes/scaling/compile/failures.ts');
  const { floorsOf, rememberedArriving } = await import('../../planes/scaling/compile/floors.ts');
  const { holdPlan } = await import('../../planes/scaling/hold/plan.ts');
  const { releaseDoubts } = await import('../../planes/scaling/hold/doubts.ts');
  const { demandLine, findingLines } = await import('../../planes/scaling/text.ts');
  const { world, findings, observed, nowMs } = await readWorld(paths, options);
  const arriving = rememberedArriving(world);
  const floors = floorsOf(world, arriving);
  const doubts = releaseDoubts({ world, arriving, floors, observed }, nowMs);
  const plan = holdPlan(floors, observed, { wanted: options.release === true, doubts });
  const { freezeInForce, freezeLine } = await import('../../model/platform/freezes.ts');
  const freeze = options.despiteFreeze === true ? undefined : freezeInForce(world.platform, nowMs);
  const isWriting = options.yes === true && freeze === undefined;
  const written = isWriting ? await write(world.platform, plan.changes) : [];
  const failed = written.filter(({ why }) => why !== undefined);
  await printResult(options.output, {
    lines: () => [
      demandLine(world, arriving(nothing), nowMs),
      ...planLines(plan),
      ...findingLines(findings),
      ...(freeze === undefined ? [] : [`${freezeLine(freeze)}: nothing is written without --despite-freeze`]),
      ...(isWriting
        ? [
            `${written.length - failed.length} of ${plan.changes.length} written`,
            ...failed.map(({ target, why }) => `  ${target}: ${why}`),
          ]
        : [plan.changes.length === 0 ? 'nothing to write' : 'nothing is written: --yes does it']),
    ],
    value: () => ({ ...plan, written, findings }),
  });
  const isFrozen = options.yes === true && !isWriting && plan.changes.length > 0;
  if (plan.refused.length > 0 || failed.length > 0 || isFrozen) process.exitCode = 1;
}

function planLines({ changes, kept, refused }: HoldPlan): readonly string[] {
  return [
    ...changes.map(
      ({ target, cluster, namespace, name, from, to }) =>
        `  ${target}: minReplicas of ${namespace}/${name} in ${cluster} ${from} → ${to}`,
    ),
    ...kept.map(({ target, why }) => `  ${target}: ${why}`),
    ...refused.map(({ target, why }) => `  ${target} is not handed over: ${why}`),
  ];
}

interface Written {
  readonly target: string;
  /** Why it was not; absent where it was. */
  readonly why?: string;
}

async function write(platform: Platform, changes: readonly MinimumChange[]): Promise<readonly Written[]> {
  const { readCluster } = await import('../cluster-read.ts');
  const { writeMinimum } = await import('../../planes/scaling/hold/write.ts');
  const { messageOf } = await import('../../model/values.ts');
  const { record } = await import('../record.ts');
  const written: Written[] = [];
  for (const change of changes) {
    const { target, cluster, namespace, name, from, to } = change;
    const why = await readCluster(platform, cluster, {
      folder: async () => undefined,
      api: (client) => writeMinimum(client, change, patienceMs),
    }).catch(messageOf);
    written.push({ target, ...(why === undefined ? {} : { why }) });
    if (why === undefined)
      await record('FloorSet', {
        subject: `autoscaler ${namespace}/${name} of ${cluster}`,
        why: `minReplicas ${from} → ${to} for ${target}`,
      });
  }
  return written;
}
