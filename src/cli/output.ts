import { type Command, Option } from 'commander';
import { printJson, printLines, printYaml } from '../runtime/print.ts';

/** How a command prints what it found: lines for people, or the same as one value for programs. */
export type OutputFormat = 'text' | 'json' | 'yaml';

export interface OutputArguments {
  readonly output: OutputFormat;
}

/** Adds `-o, --output`, the same for every command that prints a result. */
export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print: lines for people, or one value for programs')
      .choices(['text', 'json', 'yaml'])
      .default('text'),
  );
}

/** Prints a result on standard output. `lines` is only called for people, `value` only for programs. */
export async function printResult(
  format: OutputFormat,
  { lines, value }: { readonly lines: () => readonly string[]; readonly value: () => unknown },
): Promise<void> {
  if (format === 'text') printLines(lines());
  else if (format === 'json') printJson(value());
  else await printYaml(value());
}
