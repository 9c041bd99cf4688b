import { join, resolve } from 'node:path';
import { InputError } from '../src/model/problem.ts';
import { shellWords } from '../src/model/shell-words.ts';

/** The folder of a lab, where nobody names another one with `--state`. */
export const defaultStateFolder = join(import.meta.dirname, '..', 'build', 'lab');

/** What runs in a state folder: the scenario of the demo loses its report when it is ended, a lab loses nothing. */
export type Occupant = 'lab' | 'demo';

/** A command of `tideline lab` as a person types it for the lab of this folder. */
export function labCommand(words: readonly string[], stateFolder: string): string {
  const [verb = '', ...rest] = words;
  const state = resolve(stateFolder) === defaultStateFolder ? [] : ['--state', stateFolder];
  return shellWords(['tideline', 'lab', verb, ...state, ...rest]);
}

/** The error of who needs a running lab where none is. */
export function noLab(stateFolder: string, why = ''): InputError {
  return new InputError({
    reason: 'NoLab',
    message: `no lab is running in ${stateFolder}${why}`,
    fix: `start one with: ${labCommand(['up'], stateFolder)}`,
  });
}

/** The error of who would start a second lab in the same folder. */
export function labRunning(stateFolder: string, occupant: Occupant): InputError {
  return new InputError({
    reason: 'LabRunning',
    message: `a ${occupant} is running in ${stateFolder}`,
    fix: `${howToEnd(occupant, stateFolder)}; or choose another folder with --state DIR: both run beside each other`,
  });
}

/** The error of who ends a lab and meets the demo, which somebody may be watching. */
export function demoRunning(stateFolder: string): InputError {
  return new InputError({
    reason: 'DemoRunning',
    message: `what runs in ${stateFolder} is no lab of \`tideline lab up\` but a demo, which loses its report when it is ended`,
    fix: howToEnd('demo', stateFolder),
  });
}

function howToEnd(occupant: Occupant, stateFolder: string): string {
  if (occupant === 'lab') return `end it with: ${labCommand(['down'], stateFolder)}`;
  return `leave it with q on its terminal, or end it from here with: ${labCommand(['down', '--demo'], stateFolder)}`;
}
