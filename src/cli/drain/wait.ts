import { InputError } from '../../model/problem.ts';
import { withoutUndefined } from '../../model/values.ts';
import { type DrainState, drainStates } from '../../observe/drains.ts';
import type { DrainTarget } from '../../platform/drain-files.ts';
import { sleep, systemClock } from '../../runtime/clock.ts';
import { answersNow } from '../drain-answers.ts';
import { lookAt } from '../look.ts';
import type { NameServerArguments } from '../name-servers.ts';
import { showProgress } from '../progress.ts';
import { askSteeringAgents, type SteeringAgentsArguments } from '../steering-agents.ts';
import type { TlsArguments } from '../tls.ts';
import { wholePlatform } from '../whole-platform.ts';

interface WaitOptions extends TlsArguments, SteeringAgentsArguments, NameServerArguments {}

/** How a wait ended, with what is to be said of it. */
export interface WaitEnd {
  readonly empty: boolean;
  readonly says: string;
}

/** Looks every two seconds, until nothing is left of what is drained, its Drains have ended, or nobody could know the rest. */
export async function untilEmpty(paths: string[], target: DrainTarget, options: WaitOptions): Promise<WaitEnd> {
  const progress = showProgress();
  try {
    for (;;) {
      const states = await statesOf(paths, target, options);
      const end = typeof states === 'string' ? undefined : endOf(states, target, options.steering.length > 0);
      if (end !== undefined) return end;
      const left = typeof states === 'string' ? states : leftText(states);
      progress.step(`waiting: ${left}`);
      await sleep(systemClock, 2000);
    }
  } finally {
    progress.end();
  }
}

/** The Drains of the target as they are now; a sentence while the spec is not valid, as when somebody edits it. */
async function statesOf(
  paths: string[],
  { kind, name }: DrainTarget,
  options: WaitOptions,
): Promise<readonly DrainState[] | string> {
  const whole = await wholePlatform(paths).catch((error: unknown) => {
    if (error instanceof InputError) return 'the platform spec is not valid at this moment';
    throw error;
  });
  if (typeof whole === 'string') return whole;
  const { platform, fromApis, answers: inStatus } = whole;
  const [seen, following, steering] = await Promise.all([
    lookAt(platform, options),
    answersNow(platform, options),
    askSteeringAgents(options),
  ]);
  const states = drainStates(
    platform,
    { ...seen, ...withoutUndefined({ steering }) },
    { fromApis, following, inStatus },
  );
  return states.filter(({ target: of }) => of.kind === kind && of.name === name);
}

/** How the wait ends; undefined while it goes on (pure). */
export function endOf(states: readonly DrainState[], { kind }: DrainTarget, isDnsAsked: boolean): WaitEnd | undefined {
  const inForce = states.filter(({ phase }) => phase !== 'over');
  if (inForce.length === 0) return { empty: false, says: 'the Drain ended before everything was empty' };
  const busy = inForce.filter(({ phase }) => phase !== 'empty');
  const machine = kind === 'Blade' || kind === 'Worker' ? ': the machine may be switched off' : '';
  if (busy.length === 0) return { empty: true, says: `empty${machine}` };
  if (isDnsAsked || !busy.every(({ onlyDnsUnknown }) => onlyDnsUnknown === true)) return undefined;
  return { empty: false, says: `not known to be empty: ${leftText(busy)}` };
}

function leftText(states: readonly DrainState[]): string {
  return states.flatMap(({ left, answers }) => [...left, ...(answers === undefined ? [] : [answers])]).join('; ');
}
