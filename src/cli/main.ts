import { CommanderError } from 'commander';
import { InputError, problemList } from '../model/problem.ts';
import { messageOf } from '../model/values.ts';
import { messageLines, printErrorLines } from '../runtime/print.ts';
import { buildProgram } from './program.ts';

/** Resolves with the exit code: 0 done, 1 failed, 2 bad input (a message, never a stack trace). */
async function main(argv: readonly string[]): Promise<number> {
  const program = await buildProgram();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InputError) {
    printErrorLines(problemList(error.problems));
    return 2;
  }
  printErrorLines(messageLines(`tideline: ${messageOf(error)}`));
  return 1;
}

// `tideline status | head -1` is no error: who read enough may stop. Commands that go on for ever end then by themselves.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const code = await main(process.argv);
process.exitCode ||= code;
