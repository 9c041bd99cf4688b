import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../model/problem.ts';
import { withoutUndefined } from '../model/values.ts';
import type { DrainPlan } from '../observe/drain-plan.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { DrainTarget, SpecEdit } from '../platform/drain-files.ts';
import { sleep, systemClock } from '../runtime/clock.ts';
import type { Register } from './command.ts';
import { lookAt } from './look.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { showProgress } from './progress.ts';

interface ChangeArguments extends OutputArguments {
  readonly yes?: true;
  readonly force?: true;
}

interface DrainArguments extends ChangeArguments {
  readonly wait?: true;
  /** Milliseconds. */
  readonly for: number;
  readonly reason: string;
}

const kinds = { site: 'Site', cluster: 'Cluster', blade: 'Blade', worker: 'Worker' } as const;

/** `tideline drain KIND NAME FILES...` and `tideline undrain`: the plan first; with `--yes` it is written. */
export const register: Register = (program) => {
  const drain = addTarget(program.command('drain'))
    .description('Take a site, cluster, blade or worker out of service for a while')
    .requiredOption('--for <time>', 'how long: 30m, 2h, 1d', parseDuration)
    .requiredOption('--reason <text>', 'for people: why');
  addChangeOptions(drain)
    .option('--wait', 'with --yes: then wait until nothing is left, so that it may be switched off')
    .addHelpText(
      'after',
      `
Shows what moves, and writes nothing without --yes. With it a Drain is written into the first folder that is named, in a file of its
own. Agents obey within a second of reading it: distribute the folder as you always do. It ends by itself after --for.
A drain that would leave a VIP or a country without anyone is refused (exit code 1).`,
    )
    .action(runDrain);
  const undrain = addTarget(program.command('undrain')).description('Bring what was drained back into service');
  addChangeOptions(undrain)
    .addHelpText(
      'after',
      '\nShows what moves, and writes nothing without --yes. With it every Drain of the target is removed.',
    )
    .action(runUndrain);
};

function addTarget(command: Command): Command {
  return command
    .argument('<kind>', 'site, cluster, blade or worker', parseKind)
    .argument('<name>', 'its name')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more');
}

function addChangeOptions(command: Command): Command {
  return addOutputOption(command)
    .option('-y, --yes', 'write it')
    .addOption(
      new Option('--force', 'do it also where the plan is refused, and do not wait for the Ready pods of a worker'),
    );
}

async function runDrain(
  kind: DrainTarget['kind'],
  name: string,
  paths: string[],
  options: DrainArguments,
): Promise<void> {
  const { draining } = await import('../platform/drain-files.ts');
  if (options.wait === true && options.yes !== true)
    throw new InputError({
      reason: 'OptionAlone',
      message: '--wait goes with --yes',
      fix: 'add --yes, or leave --wait out',
    });
  const now = systemClock.now();
  const expires = `${new Date(now + options.for).toISOString().slice(0, 19)}Z`;
  const force = kind === 'Worker' ? options.force : undefined;
  const drain = { target: { kind, name }, reason: options.reason, expires, ...withoutUndefined({ force }) };
  const edit = await draining(paths, drain, now);
  await change(edit, { what: `drain ${kind.toLowerCase()} ${name} until ${expires}`, target: { kind, name } }, options);
  if (options.wait === true && process.exitCode !== 1) process.exitCode = await untilEmpty(edit, { kind, name });
}

async function runUndrain(
  kind: DrainTarget['kind'],
  name: string,
  paths: string[],
  options: ChangeArguments,
): Promise<void> {
  const { undraining } = await import('../platform/drain-files.ts');
  const edit = await undraining(paths, { kind, name }, systemClock.now());
  await change(edit, { what: `undrain ${kind.toLowerCase()} ${name}`, target: { kind, name } }, options);
}

/** Looks every two seconds. Resolves with 0 when nothing is left, and with 1 when the Drain ends before that. */
async function untilEmpty({ after }: SpecEdit, { kind, name }: DrainTarget): Promise<number> {
  const { drainStates } = await import('../observe/drains.ts');
  const progress = showProgress();
  try {
    for (;;) {
      const states = drainStates(after, await lookAt(after)).filter(
        ({ target }) => target.kind === kind && target.name === name,
      );
      if (states.every(({ phase }) => phase === 'over')) return 1;
      const busy = states.filter(({ phase }) => phase !== 'over' && phase !== 'empty');
      if (busy.length === 0) return 0;
      progress.step(`waiting: ${busy.flatMap(({ left }) => left).join('; ')}`);
      await sleep(systemClock, 2000);
    }
  } finally {
    progress.end();
  }
}

interface Change {
  /** `drain blade paris-blade-1 until ...`. */
  readonly what: string;
  readonly target: DrainTarget;
}

async function change(edit: SpecEdit, { what, target }: Change, options: ChangeArguments): Promise<void> {
  const { planDrains } = await import('../observe/drain-plan.ts');
  const { renderDrainPlan } = await import('../observe/drain-text.ts');
  const snapshot = await lookAt(edit.after);
  checkWorker(target, snapshot);
  const plan = planDrains(edit.before, edit.after, snapshot);
  const refused = plan.refusals.length > 0 && options.force !== true;
  const written = options.yes === true && !refused;
  if (written) await write(edit);
  const files = edit.edits.map(({ file, text }) => ({ file, action: text === undefined ? 'removed' : 'written' }));
  await printResult(options.output, {
    lines: () => [...renderDrainPlan(what, target, plan), ...verdict(plan, { refused, written, files })],
    value: () => ({ change: what, ...plan, written, files: written ? files : [] }),
  });
  if (refused) process.exitCode = 1;
}

async function write(edit: SpecEdit): Promise<void> {
  const { writeEdits } = await import('../platform/drain-files.ts');
  await writeEdits(edit.edits);
}

interface Done {
  readonly refused: boolean;
  readonly written: boolean;
  readonly files: readonly { readonly file: string; readonly action: string }[];
}

function verdict({ refusals }: DrainPlan, { refused, written, files }: Done): readonly string[] {
  if (refused)
    return [
      '',
      `refused (${refusals.map(({ reason }) => reason).join(', ')}); nothing was written. --force does it all the same`,
    ];
  if (!written) return ['', 'nothing was written; add --yes to do it'];
  return ['', ...files.map(({ file, action }) => `${action}: ${file}`), 'see how far it is: tideline drains'];
}

/** Only a cluster knows its workers; a name that no readable cluster has is most likely a typing mistake. */
function checkWorker({ kind, name }: DrainTarget, { clusters, agents }: Snapshot): void {
  if (kind !== 'Worker' || clusters.some(({ problem }) => problem !== undefined)) return;
  const unplaced = clusters.flatMap((cluster) => cluster.unplaced ?? []);
  const workers = agents.filter(({ target }) => target.plane === 'network').map(({ target }) => target.server);
  const known = [...workers, ...unplaced];
  if (known.includes(name)) return;
  throw new InputError({
    reason: 'UnknownName',
    message: `no cluster lists a worker "${name}"`,
    expected: known.length === 0 ? 'a Node of a cluster, but none lists one' : known.toSorted().slice(0, 20).join(', '),
    fix: 'correct the name',
  });
}

function parseKind(text: string): DrainTarget['kind'] {
  for (const [word, kind] of Object.entries(kinds)) if (text.toLowerCase() === word) return kind;
  throw new InvalidArgumentError('Expected site, cluster, blade or worker.');
}

/** Milliseconds of `30m`, `2h`, `1d` or a sum such as `1h30m`; at least a minute and at most 90 days. */
function parseDuration(text: string): number {
  const parts = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?$/.exec(text);
  const [days = 0, hours = 0, minutes = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const ms = ((days * 24 + hours) * 60 + minutes) * 60_000;
  if (!(ms >= 60_000 && ms <= 90 * 86_400_000))
    throw new InvalidArgumentError('Expected a time from 1m to 90d, such as 30m, 2h or 1d12h.');
  return ms;
}
