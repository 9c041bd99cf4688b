import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { freezeLine } from '../../model/platform/freezes.ts';
import type { Freeze } from '../../model/spec/kinds.ts';
import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { Outcome } from '../../planes/fleet/run/engine.ts';
import type { StepHandlers } from '../../planes/fleet/run/handlers.ts';
import type { KnownRun } from '../../planes/fleet/run/journal.ts';
import type { Documents } from '../../planes/fleet/run/procedures/situation.ts';
import type { Run } from '../../planes/fleet/run/steps.ts';
import { systemClock } from '../../runtime/clock.ts';
import { printErrorLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { personAndMachine } from '../person.ts';
import { compileInto, compilePaths, signerOf } from './compiled.ts';
import { holding } from './holding.ts';
import { type Prepared, prepare } from './prepared.ts';
import type { SafeOptions } from './provide.ts';
import { addReachOptions, type ReachArguments, reachOf } from './reaching.ts';
import { outcomeLines, printProgress } from './run-words.ts';
import { type SignStepOptions, signStep } from './sign-step.ts';

export interface ApplyArguments extends OutputArguments, ReachArguments, Partial<SafeOptions> {
  readonly against: string;
  readonly all?: true;
  readonly despiteFreeze?: true;
  readonly signingKey?: string;
}

/** `tideline fleet apply CHECKSUM FOLDER… --against DIR`: does what `fleet plan` printed. */
export function register(fleet: Command): void {
  const command = fleet
    .command('apply')
    .description('Do what `fleet plan` printed: write the documents, and bring them to the servers wave by wave')
    .argument('<checksum>', 'the checksum that `tideline fleet plan` printed', parseChecksum)
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote')
    .option('--all', 'every server, as in `tideline fleet plan --all`');
  addOutputOption(addApplyOptions(command))
    .addHelpText(
      'after',
      `
A wave begins when every step of the one before it was judged good, server by server; the first that is not ends the run, and later waves are
untouched. Every step is written down first (runs/ in the folder of documents). The same command goes on with a run that was
interrupted, from the step that was not ended, and says of one that is finished that it is. Ctrl-C ends after the step that
runs; a second one at once. \`tideline freeze\` ends it before the next step. Exit code 0: done, or done before, 1: a step failed, or it was
stopped, 2: bad input, or the folder is held by another run. docs/operations/fleet.md`,
    )
    .action(run);
}

/** What every command takes that does a run. */
export function addApplyOptions(command: Command): Command {
  return addReachOptions(command)
    .option('--authorities <folder>', 'the authorities, where certificates are to be signed on the way')
    .option('--passphrase-file <file>', 'the passphrase of the keys of the authorities, on its first line')
    .option(
      '--create-authorities',
      'make the authorities and secrets that are not there; only at the start of a cluster',
    )
    .option('--signing-key <file>', 'sign each document by this private key of the operator (Ed25519, PEM)')
    .option('--despite-freeze', 'also while the platform is frozen');
}

async function run(checksum: string, paths: string[], options: ApplyArguments): Promise<void> {
  await applyAgreed(checksum, paths, options, async () => {
    const prepared = await prepare(paths, options.against, options.all === true);
    const { refuseUpgrade } = await import('../../planes/fleet/run/agreed.ts');
    refuseUpgrade(prepared.upgraded);
    return prepared;
  });
}

/** What a person agreed to: a run that is prepared anew and must be the same, or one of this checksum that is not done yet. */
export async function applyAgreed(
  checksum: string,
  paths: readonly string[],
  options: ApplyArguments,
  prepareRun: PrepareRun,
  former: Documents = new Map(),
): Promise<void> {
  const { readDocuments } = await import('../../planes/fleet/folder.ts');
  // A folder that is none of ours gets no lock.
  await readDocuments(options.against);
  await holding(options.against, (isHeld) => held(checksum, paths, options, { prepareRun, former, isHeld }));
}

async function held(
  checksum: string,
  paths: readonly string[],
  options: ApplyArguments,
  { prepareRun, former, isHeld }: Held,
): Promise<void> {
  const { readRuns } = await import('../../planes/fleet/run/journal.ts');
  const known = (await readRuns(options.against)).find(({ run: agreed }) => agreed.checksum === checksum);
  if (known?.state === 'finished') return await say(known.id, known.run, { ended: 'finished' }, options, known);
  const { refuseUnavailable } = await import('../../planes/fleet/run/engine.ts');
  // A key that cannot be used ends the command before a server is touched.
  await signerOf(options.signingKey);
  const source: Source = { paths, spec: await specChecksum(paths), former, signingKey: options.signingKey };
  const { handlers, close } = await handlersFor(source, options);
  try {
    const { refuseFrozen } = await import('../../planes/fleet/run/agreed.ts');
    refuseFrozen(await freezeNow(paths, options));
    const begun =
      known === undefined ? await beginning(checksum, source.spec, prepareRun) : await goingOn(known, source.spec);
    refuseUnavailable(begun.run, handlers);
    const outcome = await carryOut(begun, source, options, handlers, isHeld);
    if (outcome.ended === 'finished') await forget(source, options.against);
    await say(begun.id, begun.run, outcome, options, undefined);
  } finally {
    await close();
  }
}

/** Plans again what a person has seen. */
type PrepareRun = () => Promise<Pick<Prepared, 'run' | 'runs'>>;

interface Held {
  readonly prepareRun: PrepareRun;
  /** Documents of servers that leave in this run. */
  readonly former: Documents;
  readonly isHeld: () => Promise<boolean>;
}

interface Begun {
  readonly id: string;
  readonly run: Run;
  /** Steps that are done already. */
  readonly done: number;
  /** With a run that is new: the checksum of the documents of the spec, and the run whose place it takes. */
  readonly planned?: { readonly documents: string; readonly superseded: KnownRun | undefined };
}

/** A run that was never begun must be what the person saw. */
async function beginning(checksum: string, spec: string, prepareRun: PrepareRun): Promise<Begun> {
  const { runId } = await import('../../planes/fleet/run/journal.ts');
  const { isOpen, refuseOther } = await import('../../planes/fleet/run/agreed.ts');
  const { run: planned, runs } = await prepareRun();
  refuseOther(planned, checksum);
  const [newest] = runs;
  return {
    id: runId(checksum, systemClock.now()),
    run: planned,
    done: 0,
    planned: {
      documents: spec,
      superseded: newest !== undefined && isOpen(newest) ? newest : undefined,
    },
  };
}

/** A run that was begun goes on as it was written down: by now the documents are written, and a plan would be another one. */
async function goingOn(known: KnownRun, spec: string): Promise<Begun> {
  const { refuseToGoOn } = await import('../../planes/fleet/run/agreed.ts');
  refuseToGoOn(known, spec);
  return { id: known.id, run: known.run, done: known.done };
}

/** What the documents of a run come from. */
interface Source {
  readonly paths: readonly string[];
  /** The checksum of the documents of the spec when the run began or went on, without certificates. */
  readonly spec: string;
  /** Documents of servers that leave in this run: they keep them until it is finished. */
  readonly former: Documents;
  /** The file of the key that documents are signed by. */
  readonly signingKey: string | undefined;
}

/** Documents with what was signed so far, in the folder that the pillar reads. */
async function writeDocuments({ paths, former, signingKey }: Source, folder: string): Promise<CompiledFleet> {
  const { writeFolder } = await import('../../planes/fleet/folder.ts');
  const compiled = await compileInto(folder, paths);
  const documents = new Map([...former, ...compiled.documents]);
  await writeFolder(folder, { ...compiled, documents }, await signerOf(signingKey));
  return compiled;
}

/** Servers that left have nothing any more. */
async function forget(source: Source, folder: string): Promise<void> {
  if (source.former.size === 0) return;
  const { forgetApplied } = await import('../../planes/fleet/run/applied.ts');
  await forgetApplied(folder, source.former.keys());
  await writeDocuments({ ...source, former: new Map() }, folder);
}

async function specChecksum(paths: readonly string[]): Promise<string> {
  const { checksumOf } = await import('../../planes/fleet/folder.ts');
  return checksumOf(await compilePaths(paths));
}

async function carryOut(
  { id, run: agreed, done, planned }: Begun,
  source: Source,
  options: ApplyArguments,
  handlers: StepHandlers,
  isHeld: () => Promise<boolean>,
): Promise<Outcome> {
  const { goThrough } = await import('../../planes/fleet/run/engine.ts');
  const { forgetOldRuns, RunJournal } = await import('../../planes/fleet/run/journal.ts');
  const { appliedIn } = await import('../../planes/fleet/run/over-reach.ts');
  const { markApplied } = await import('../../planes/fleet/run/applied.ts');
  const { readDocuments } = await import('../../planes/fleet/folder.ts');
  const safe = safeOf(options);
  if (safe !== undefined) {
    const { provideBeforeRun } = await import('./provide.ts');
    const compiled = await compileInto(options.against, source.paths);
    printErrorLines(await provideBeforeRun(options.against, compiled, agreed, safe));
  }
  const nowMs = () => systemClock.now();
  const { superseded } = planned ?? {};
  if (superseded !== undefined) {
    const old = await RunJournal.open(options.against, superseded.id, nowMs);
    await old.append({ what: 'superseded', run: id });
    await old.close();
  }
  const journal = await RunJournal.open(options.against, id, nowMs);
  const by = personAndMachine();
  const interrupt = interruptible();
  try {
    await journal.append(
      planned === undefined
        ? { what: 'resumed', by }
        : { what: 'planned', run: agreed, documents: planned.documents, by },
    );
    await forgetOldRuns(options.against);
    await writeDocuments(source, options.against);
    return await goThrough(agreed, done, {
      append: (event) => journal.append(event),
      handlers,
      reach: await reachOf(options, source.paths, options.against),
      clock: systemClock,
      signal: interrupt.signal,
      hold: async () => {
        if (interrupt.asked()) return `${by} ended it`;
        if (!(await isHeld())) return 'another run took over this folder';
        const freeze = await freezeNow(source.paths, options);
        return freeze === undefined ? undefined : freezeLine(freeze);
      },
      tell: printProgress(),
      // Only now: what failed on the way is part of the next plan, with everything that its wave does.
      waveDone: async (wave) => markApplied(options.against, appliedIn(wave), await readDocuments(options.against)),
    });
  } finally {
    interrupt.end();
    await journal.close();
  }
}

async function handlersFor(
  source: Source,
  options: ApplyArguments,
): Promise<{ readonly handlers: StepHandlers; readonly close: () => Promise<void> }> {
  const { reachHandlers } = await import('../../planes/fleet/run/over-reach.ts');
  const { worldHandlers } = await import('./world.ts');
  const { handlers, close } = await worldHandlers(source.paths, options.against, source.former);
  const safe = safeOf(options);
  const signing = safe === undefined ? {} : { sign: signStep(signOptions(source, options.against, safe)) };
  return { handlers: { ...reachHandlers, ...handlers, ...signing }, close };
}

function signOptions(source: Source, folder: string, safe: SafeOptions): SignStepOptions {
  return {
    folder,
    safe,
    async compileAsAgreed() {
      const { checksumOf } = await import('../../planes/fleet/folder.ts');
      const { refuseOtherSpec } = await import('../../planes/fleet/run/agreed.ts');
      const compiled = await compilePaths(source.paths);
      refuseOtherSpec(source.spec, checksumOf(compiled));
      return compiled;
    },
    async writeDocuments() {
      await writeDocuments(source, folder);
    },
  };
}

/** What certificates are signed from, where the command was told. */
function safeOf({ authorities, passphraseFile, createAuthorities }: ApplyArguments): SafeOptions | undefined {
  if (authorities === undefined || passphraseFile === undefined) return undefined;
  return { authorities, passphraseFile, ...(createAuthorities === true ? { createAuthorities } : {}) };
}

async function freezeNow(paths: readonly string[], { despiteFreeze }: ApplyArguments): Promise<Freeze | undefined> {
  if (despiteFreeze === true) return undefined;
  const { freezeOf } = await import('../../platform/freeze-files.ts');
  return await freezeOf(paths, systemClock.now());
}

/** The first Ctrl-C is asked about between steps, the second ends the step that runs, the third the process. */
function interruptible() {
  const controller = new AbortController();
  let asked = 0;
  const onSignal = (): void => {
    asked += 1;
    if (asked === 1) printErrorLines(['ends after this step; once more ends it at once']);
    else if (asked === 2) controller.abort();
    else process.exit(130);
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    asked: () => asked > 0,
    end: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

async function say(
  id: string,
  { waves, checksum }: Run,
  outcome: Outcome,
  options: ApplyArguments,
  before: KnownRun | undefined,
): Promise<void> {
  if (outcome.ended !== 'finished') process.exitCode = 1;
  await printResult(options.output, {
    lines: () => [
      ...outcomeLines(outcome, waves.length),
      ...(before === undefined ? [] : [`this run was finished at ${new Date(before.lastMs).toISOString()}`]),
      ...(outcome.ended === 'finished' ? [] : [`go on by the same command (checksum ${checksum}), or plan anew`]),
      `run: ${id}`,
    ],
    value: () => ({ run: id, checksum, waves: waves.length, ...outcome }),
  });
}

export function parseChecksum(text: string): string {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new InvalidArgumentError('Expected the 16 characters that `tideline fleet plan` printed.');
  return text;
}
