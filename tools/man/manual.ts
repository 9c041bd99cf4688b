import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { entry, opening, paragraphs, roff, section, subsection } from './roff.ts';

/**
 * The manual page tideline(1), of the commands that `--help` and completion have, and of the table of exit codes in the reference
 * of the command line. It has no date, so that the same commands give the same page.
 */
export function manualPage(program: Command, reference: string): string {
  const name = program.name();
  const lines = [
    '.\\" Made by `make generate` from the commands of src/cli; do not edit.',
    `.TH ${name.toUpperCase()} 1 "" "${name} ${packageJson.version}" "User Commands"`,
    ...section('NAME'),
    `${roff(name)} \\- ${roff(program.description())}`,
    ...section('SYNOPSIS'),
    roff(`${name} COMMAND [options] [arguments]`),
    '.br',
    roff(`${name} --version`),
    ...section('DESCRIPTION'),
    ...opening(description),
    ...section('COMMANDS'),
    ...commandsOf(program).flatMap(([words, command]) => describe(words, command)),
    ...section('EXIT STATUS'),
    ...exitCodes(reference).flatMap(([code, meaning]) => entry(code, meaning)),
    ...section('ENVIRONMENT'),
    ...environment.flatMap(([variable, meaning]) => entry(variable, meaning)),
    ...section('SEE ALSO'),
    ...opening(seeAlso),
  ];
  return `${lines.join('\n')}\n`;
}

const description = `Every command of Tideline is below with its options. "tideline COMMAND --help" prints the same for one of them. Commands that
move traffic show a plan first, and write nothing without --yes or the checksum of that plan. freeze and thaw act at once:
the one is for the moment in which nobody has time for a plan, and moves no traffic, the other says what takes effect by it.

plan, apply and explain are short for steering plan, steering apply and steering explain.`;

const environment: readonly (readonly [string, string])[] = [
  [
    'AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN',
    "Credentials for Route 53, in the SDK's default order, which goes on with the files of ~/.aws.",
  ],
  ['AWS_ENDPOINT_URL_ROUTE_53', "Another Route 53 than Amazon's, as --route53-endpoint."],
  ['POWERDNS_API_KEY, POWERDNS_API_URL', "The key of PowerDNS's API, and where it is, as --powerdns-url."],
  [
    'TIDELINE_HISTORY',
    'The file in which commands write down what they did; else tideline/history.jsonl in XDG_STATE_HOME.',
  ],
  ['XDG_STATE_HOME', 'The folder of that file; ~/.local/state when it is not set.'],
  ['NO_COLOR', 'When it is not empty, nothing is coloured.'],
  ['TERM', 'With dumb, nothing is coloured and no screen is drawn.'],
];

const seeAlso = `The documents of the checkout: docs/operations/tasks.md (which commands for which task), docs/operations/README.md,
docs/reference/command-line.md, docs/reference/platform-spec.md.`;

/** Every command that people call, by its words. Those with commands of their own are described by these. */
function commandsOf(command: Command, before = ''): readonly (readonly [string, Command])[] {
  return visible(command).flatMap((one): readonly (readonly [string, Command])[] => {
    const words = `${before}${one.name()}`;
    const below = commandsOf(one, `${words} `);
    return below.length === 0 ? [[words, one]] : [[words, one], ...below];
  });
}

function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
    .toSorted((one, other) => (one.name() < other.name() ? -1 : 1));
}

function describe(words: string, command: Command): readonly string[] {
  const help = command.createHelp();
  const group = visible(command).length > 0;
  const usage = [words, group ? 'COMMAND' : command.usage().replace('[options] ', '').replace('[options]', '')];
  const described = help.visibleArguments(command).filter((argument) => argument.description !== '');
  const options = command.options.filter((option) => !option.hidden);
  return [
    ...subsection(`tideline ${usage.join(' ')}`.trim()),
    ...opening(sentence(command.description())),
    ...described.flatMap((argument) => entry(help.argumentTerm(argument), help.argumentDescription(argument))),
    ...options.flatMap((option) => entry(option.flags, help.optionDescription(option))),
    ...paragraphs(after(command)),
  ];
}

/** What `--help` says behind the options. */
function after(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
  return text.slice(command.helpInformation().length);
}

function sentence(text: string): string {
  if (text === '') return '';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The rows of the table of exit codes. */
function exitCodes(reference: string): readonly (readonly [string, string])[] {
  const [, part = ''] = reference.split('## Exit codes\n');
  const rows = part.split('\n## ')[0]?.matchAll(/^\| (\d) \| (.+) \|$/gm) ?? [];
  return [...rows].map(([, code = '', meaning = '']) => [code, `${meaning.replaceAll('`', '')}.`]);
}
