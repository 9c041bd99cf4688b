import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { InputError, problemLines } from '../model/problem.ts';
import { messageOf } from '../model/values.ts';
import { messageLines, printErrorLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { addCompletion } from './completion.ts';

/** The command files. Each imports its plane only when it runs, so that a small agent does not load a large one. */
const commands: readonly (() => Promise<{ readonly register: Register }>)[] = [
  () => import('./check.ts'),
  () => import('./lab.ts'),
  () => import('./demo.ts'),
  () => import('./bgp.ts'),
  () => import('./network.ts'),
  () => import('./edge.ts'),
  () => import('./status.ts'),
  () => import('./why.ts'),
  () => import('./drain.ts'),
  () => import('./drains.ts'),
  () => import('./steering.ts'),
];

/** The version of this checkout, and of the Node that runs it. */
function versionText(): string {
  return `tideline ${packageJson.version} (Node ${process.versions.node})`;
}

/** Resolves with the exit code: 0 done, 1 failed, 2 bad input (a message, never a stack trace). */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('tideline');
  program
    .description('Kubernetes traffic on your own data centres and on the cloud, as one platform')
    .version(versionText(), '-V, --version', 'print the version')
    .exitOverride()
    // The error names words of the command line.
    .configureOutput({ outputError: (text) => printErrorLines(errorLines(text)) })
    .configureHelp({ sortSubcommands: true })
    .showHelpAfterError('(see --help)');
  for (const load of commands) (await load()).register(program);
  addCompletion(program);
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** Commander's message, and its guess at what was meant as a line of its own. */
function errorLines(text: string): readonly string[] {
  const [, message = text, guess] = /^([^]*?)(?:\n(\(Did you mean [^\n]*\?\)))?\n$/.exec(text) ?? [];
  return guess === undefined ? [message] : [message, guess];
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InputError) {
    printErrorLines(error.problems.flatMap(problemLines));
    return 2;
  }
  printErrorLines(messageLines(`tideline: ${messageOf(error)}`));
  return 1;
}

const code = await main(process.argv);
process.exitCode ||= code;
