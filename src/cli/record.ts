import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Decision, DecisionKind } from '../model/decision.ts';
import { withoutUndefined } from '../model/values.ts';
import { systemClock } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import { printErrorLines } from '../runtime/print.ts';
import { personHere } from './person.ts';

/** The journal of what was asked for on this machine, which `tideline history` reads. */
export function commandJournal(): string {
  const { TIDELINE_HISTORY: named, XDG_STATE_HOME: state } = process.env;
  if (named !== undefined && named !== '') return resolve(named);
  const folder = state !== undefined && state !== '' ? state : join(homedir(), '.local/state');
  return join(folder, 'tideline', 'history.jsonl');
}

export function thisMachine(): string {
  return hostname();
}

/** Writes down what a person did by a command. A journal that cannot be written is said, and undoes nothing. */
export async function record(what: DecisionKind, { by, ...rest }: Omit<Decision, 'atMs' | 'what'>): Promise<void> {
  const { Journal } = await import('../runtime/journal.ts');
  const journal = new Journal({ path: commandJournal(), clock: systemClock, log: silentLog });
  await journal.open();
  const entry: Decision = { atMs: systemClock.now(), what, by: by ?? personHere(), ...withoutUndefined(rest) };
  journal.append([entry]);
  await journal.close();
  const { problem } = journal.told(Infinity);
  if (problem !== undefined) printErrorLines([`it is done, but not in the history: ${problem}`]);
}
