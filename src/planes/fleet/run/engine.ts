import { messageOf } from '../../../model/values.ts';
import { type Clock, sleep } from '../../../runtime/clock.ts';
import type { Gate, StepContext, StepFault, StepHandlers } from './handlers.ts';
import type { JournalEvent } from './journal.ts';
import type { Reach } from './reach.ts';
import { badRun } from './reasons.ts';
import { type Run, type RunWave, type Step, stepName } from './steps.ts';

export interface EngineOptions {
  /** Writes down what happens; resolves when it is on the disk. */
  readonly append: (event: JournalEvent) => Promise<void>;
  readonly handlers: StepHandlers;
  readonly reach: Reach;
  readonly clock: Clock;
  /** Aborts the step that runs; what its servers do then is not known. */
  readonly signal: AbortSignal;
  /** Asked before each step: why the run must not go on (frozen, a person ends it, the lock is lost), or undefined. */
  readonly hold: () => Promise<string | undefined>;
  readonly tell: (progress: Progress) => void;
  /** Hears of a wave of which every step was judged good, before that is written down: after a crash it hears of it again. */
  readonly waveDone: (wave: RunWave) => Promise<void>;
}

/** What is told to whoever watches. */
export interface Progress {
  readonly wave: number;
  readonly waves: number;
  readonly of: RunWave;
  readonly step: Step;
  readonly event: 'begun' | 'ended' | 'failed' | 'said';
  /** With `said`. */
  readonly line?: string;
}

export type Outcome =
  | { readonly ended: 'finished' }
  | { readonly ended: 'stopped'; readonly why: string }
  | { readonly ended: 'failed'; readonly wave: number; readonly step: Step; readonly faults: readonly StepFault[] };

interface PlacedStep {
  readonly index: number;
  readonly wave: number;
  readonly of: RunWave;
  readonly step: Step;
}

/**
 * Does the steps of a run one after the other, from the step `from` on, and ends at the first one that is not judged good: so at most
 * one wave is touched that is not well. A step that was begun and not ended is done again.
 */
export async function goThrough(run: Run, from: number, options: EngineOptions): Promise<Outcome> {
  refuseUnavailable(run, options.handlers);
  for (const placed of stepsOf(run).slice(from)) {
    const why = await options.hold();
    if (why !== undefined) {
      await options.append({ what: 'stopped', why });
      return { ended: 'stopped', why };
    }
    const faults = await oneStep(run, placed, options);
    if (faults.length > 0) {
      await options.append({ what: 'failed', step: placed.index, faults });
      tell(placed, run, options, 'failed');
      return { ended: 'failed', wave: placed.wave, step: placed.step, faults };
    }
    if (isLastOf(placed, run)) await options.waveDone(placed.of);
    await options.append({ what: 'ended', step: placed.index });
    tell(placed, run, options, 'ended');
  }
  await options.append({ what: 'finished' });
  return { ended: 'finished' };
}

function isLastOf({ index, wave }: PlacedStep, run: Run): boolean {
  return stepsOf(run)[index + 1]?.wave !== wave;
}

/** The steps of all waves in their order; journals count them by their place. */
export function stepsOf({ waves }: Pick<Run, 'waves'>): readonly PlacedStep[] {
  return waves
    .flatMap((of, wave) => of.steps.map((step) => ({ wave, of, step })))
    .map((placed, index) => ({ ...placed, index }));
}

/** Throws StepUnavailable where somebody would be touched before it is known that a later step cannot be done. */
export function refuseUnavailable(run: Run, handlers: StepHandlers): void {
  const absent = stepsOf(run)
    .filter(({ step }) => !isThere(step, handlers))
    .map(({ step }) => stepName(step));
  if (absent.length === 0) return;
  const names = [...new Set(absent)].join(', ');
  const fix = absent.includes('sign')
    ? 'add --authorities and --passphrase-file, so that certificates can be signed'
    : 'use the Tideline that made this plan';
  throw badRun('StepUnavailable', `the run has steps that cannot be done from here: ${names}`, fix);
}

function isThere(step: Step, handlers: StepHandlers): boolean {
  return step.do === 'gate' ? handlers.gates?.[step.gate] !== undefined : handlers[step.do] !== undefined;
}

function tell({ wave, of, step }: PlacedStep, run: Run, options: EngineOptions, event: Progress['event']): void {
  options.tell({ wave, waves: run.waves.length, of, step, event });
}

/** Resolves with what went wrong; an error counts as well, because nobody knows what became of the servers. */
async function oneStep(run: Run, placed: PlacedStep, options: EngineOptions): Promise<readonly StepFault[]> {
  await options.append({ what: 'begun', step: placed.index });
  tell(placed, run, options, 'begun');
  const { wave, of, step } = placed;
  const context: StepContext = {
    run: { command: run.command, checksum: run.checksum },
    wave: of,
    reach: options.reach,
    signal: options.signal,
    say: (line) => options.tell({ wave, waves: run.waves.length, of, step, event: 'said', line }),
  };
  try {
    return await perform(step, context, options);
  } catch (error) {
    return [{ message: messageOf(error) }];
  }
}

async function perform(
  step: Step,
  context: StepContext,
  { handlers, clock }: EngineOptions,
): Promise<readonly StepFault[]> {
  if (step.do === 'gate') {
    const gate = handlers.gates?.[step.gate];
    return gate === undefined ? [] : await passGate(step, gate, context, clock);
  }
  const handle = handlers[step.do] as ((step: Step, context: StepContext) => Promise<readonly StepFault[]>) | undefined;
  return (await handle?.(step, context)) ?? [];
}

const askAgainMs = 1000;

/** Asks until the gate holds; says what is missing whenever that changes. */
async function passGate(
  step: Extract<Step, { readonly do: 'gate' }>,
  gate: Gate,
  context: StepContext,
  clock: Clock,
): Promise<readonly StepFault[]> {
  const endMs = clock.monotonic() + step.timeoutSeconds * 1000;
  let said: string | undefined;
  for (;;) {
    const missing = await gate({ servers: step.servers }, context).catch(messageOf);
    if (missing === undefined) return [];
    if (missing !== said) context.say(`waits: ${missing}`);
    said = missing;
    if (context.signal.aborted || clock.monotonic() >= endMs)
      return [{ message: `${step.gate} does not hold after ${step.timeoutSeconds} s: ${missing}` }];
    await sleep(clock, askAgainMs);
  }
}
