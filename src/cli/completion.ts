import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { printLines } from '../runtime/print.ts';
import { completionScripts } from './completion-scripts.ts';

/** Adds `tideline completion SHELL`, whose script asks the hidden command `complete` at each press of the tab key. */
export function addCompletion(program: Command): void {
  const completion = tab(program, { completionCommandName: 'completion' });
  const command = program.commands.find((one) => one.name() === 'completion');
  command
    ?.description('Print the script by which a shell completes commands, options and paths')
    .action((shell: string) => {
      const ours = completionScripts[shell];
      if (ours === undefined) completion.setup(program.name(), program.name(), shell);
      else printLines(ours.trimEnd().split('\n'));
    });
  for (const [words, command] of allCommands(program)) {
    const completed = words === '' ? completion : completion.commands.get(words);
    for (const argument of command.registeredArguments) {
      const known = completed?.arguments.get(argument.name());
      if (known !== undefined && namesFiles(argument.name())) known.handler = completeFiles;
    }
    for (const option of command.options) {
      const known = completed?.options.get(option.long?.slice(2) ?? '');
      const [, value = ''] = /<([^>]+)>/.exec(option.flags) ?? [];
      if (known !== undefined && namesFiles(value)) known.handler = completeFiles;
    }
  }
}

/** Every command below this one, by the words that call it. */
function allCommands(command: Command, words = ''): readonly (readonly [string, Command])[] {
  const below = command.commands.flatMap((one) =>
    allCommands(one, words === '' ? one.name() : `${words} ${one.name()}`),
  );
  return [[words, command], ...below];
}

function namesFiles(name: string): boolean {
  return /^(?:path|file|dir|folder)$/i.test(name);
}

/**
 * The names that every shell takes as they are. bash puts a candidate into the line as it is, where `$(…)` in the name of a file would run
 * as soon as the line does.
 */
const harmless = /^[\p{L}\p{M}\p{N}._,@%+:=-]+$/u;

/** Offers what is in the folder of the last word of the command line; the library tells handlers nothing of the word. */
function completeFiles(complete: (value: string, description: string) => void): void {
  const word = process.argv.at(-1) ?? '';
  const folder = word.endsWith('/') ? word : dirname(`${word}x`);
  const prefix = word.slice(0, word.lastIndexOf('/') + 1);
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (harmless.test(entry.name)) complete(`${prefix}${entry.name}${entry.isDirectory() ? '/' : ''}`, '');
    }
  } catch {
    // A folder that cannot be read has nothing to offer; the command itself will say what is wrong with it.
  }
}
