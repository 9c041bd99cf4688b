import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Help, type Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { printErrorLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { addCompletion } from './completion.ts';
import { guessWords } from './words.ts';

type Load = () => Promise<{ readonly register: Register }>;

/** A checkout has a lab; what is installed on servers has none (`tools/deb`). */
const ofLab: readonly Load[] = existsSync(join(import.meta.dirname, '../../lab'))
  ? [() => import('./lab.ts'), () => import('./demo.ts')]
  : [];

/** The command files. Each imports its plane only when it runs, so that a small agent does not load a large one. */
const commands: readonly Load[] = [
  () => import('./check.ts'),
  ...ofLab,
  () => import('./bgp.ts'),
  () => import('./network.ts'),
  () => import('./edge.ts'),
  () => import('./status.ts'),
  () => import('./why.ts'),
  () => import('./drain.ts'),
  () => import('./drains.ts'),
  () => import('./accept.ts'),
  () => import('./freeze.ts'),
  () => import('./history.ts'),
  () => import('./new-site.ts'),
  () => import('./steering.ts'),
  () => import('./fleet.ts'),
  () => import('./scaling.ts'),
];

/** The whole command line: what runs, and what `--help`, completion and the manual page are made of. */
export async function buildProgram(): Promise<Command> {
  const program = new Command('tideline');
  program
    .description('Kubernetes traffic on your own data centres and on the cloud, as one platform')
    .version(versionText(), '-V, --version', 'print the version')
    .exitOverride()
    // The error names words of the command line.
    .configureOutput({ outputError: (text) => printErrorLines(errorLines(text)) })
    .configureHelp({ sortSubcommands: true, optionDescription })
    .showHelpAfterError('(see --help)');
  for (const load of commands) (await load()).register(program);
  addCompletion(program);
  guessWords(program);
  return program;
}

/** The version of this checkout, and of the Node that runs it. */
function versionText(): string {
  return `tideline ${packageJson.version} (Node ${process.versions.node})`;
}

/** The library's text of an option, without defaults that say nothing: an empty list, or a flag that is not given. */
function optionDescription(option: Option): string {
  return new Help()
    .optionDescription(option)
    .replace(/ \(default: (?:\[\]|false)\)$|, default: (?:\[\]|false)(?=\)$)/, '');
}

/** Commander's message, and its guess at what was meant as a line of its own. */
function errorLines(text: string): readonly string[] {
  const [, message = text, guess] = /^([^]*?)(?:\n(\(Did you mean [^\n]*\?\)))?\n$/.exec(text) ?? [];
  return guess === undefined ? [message] : [message, guess];
}
