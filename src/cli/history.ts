import { type Command, Option } from 'commander';
import type { Register } from './command.ts';
import type { HistoryArguments } from './history/run.ts';
import { addAgentOption, addTlsOptions, parseDuration } from './options.ts';
import { addOutputOption } from './output.ts';
import { addSteeringAgentsOption } from './steering-agents.ts';

/** `tideline history [FILES...]`: what agents and commands decided, who asked, when and why. */
export const register: Register = (program) => {
  const history: Command = program
    .command('history')
    .description('Say what every agent and every command decided, who asked, when and why')
    .argument(
      '[path...]',
      'files and folders of the platform spec, to ask every agent of it (default: those of this server)',
    )
    .addOption(
      new Option('--since <time>', 'how far back: 30m, 2h, 1d').argParser(parseDuration).default(3_600_000, '1h'),
    )
    .option('--country <country>', 'only what concerns users of this country; needs the platform spec')
    .option('--host <host>', 'only what concerns this host; needs the platform spec');
  addAgentOption(history);
  addSteeringAgentsOption(history, 'who decides about DNS');
  addTlsOptions(history);
  addOutputOption(history)
    .addHelpText(
      'after',
      `
The platform spec says nothing of steering agents: name them with --steering, but for one on this server without a path.
Agents tell the last 2,000 decisions that they kept on disk; the commands of this machine stand in TIDELINE_HISTORY, or in
tideline/history.jsonl below XDG_STATE_HOME (~/.local/state).
Exit code 0: everybody answered, 1: somebody did not, 2: bad input.`,
    )
    .action(async (paths: string[], options: HistoryArguments) =>
      (await import('./history/run.ts')).run(paths, options),
    );
};
