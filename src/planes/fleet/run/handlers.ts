import type { Reach } from './reach.ts';
import type { GateName, Run, RunWave, Step } from './steps.ts';

/** How each step is done. A run with a step that nobody here can do is refused before its first one. */
export type StepHandlers = {
  readonly [Kind in Exclude<Step['do'], 'gate'>]?: StepHandler<Extract<Step, { readonly do: Kind }>>;
} & { readonly gates?: Readonly<Partial<Record<GateName, Gate>>> };

/**
 * Does one step. Resolves with what went wrong, server by server; nothing wrong is an empty list. It rejects only for what is nobody's
 * fault among the servers (no master). It must be safe to do twice, because a run that was interrupted does its last step again.
 */
export type StepHandler<S extends Step> = (step: S, context: StepContext) => Promise<readonly StepFault[]>;

export interface StepContext {
  /** What was asked for, e.g. for the reason of a drain. */
  readonly run: Pick<Run, 'command' | 'checksum'>;
  readonly wave: RunWave;
  readonly reach: Reach;
  /** Aborted when a person does not want to wait for the end of the step. */
  readonly signal: AbortSignal;
  /** One line for the person who watches, and for the journal. */
  readonly say: (line: string) => void;
}

export interface StepFault {
  /** Absent where it is not one of the servers. */
  readonly server?: string;
  readonly message: string;
}

/**
 * Whether a gate holds now: undefined when it does, otherwise what is missing, one sentence without a full stop. The engine asks again until it
 * holds or its time is over. What cannot be asked is missing as well; a rejection counts like a sentence.
 */
export type Gate = (
  gate: { readonly servers: readonly string[] },
  context: Omit<StepContext, 'say'>,
) => Promise<string | undefined>;
