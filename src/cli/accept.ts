import type { AcceptArguments } from './accept/run.ts';
import type { Register } from './command.ts';
import { addAgentOption, addTlsOptions } from './options.ts';
import { addOutputOption } from './output.ts';

/** `tideline accept [FINGERPRINT] [FOLDER...]`: what agents doubt, and the word of a person that ends a doubt. */
export const register: Register = (program) => {
  const accept = program
    .command('accept')
    .description('Show what agents doubt, and accept exactly that by its fingerprint')
    .argument(
      '[fingerprint-or-path...]',
      'the fingerprint of a doubt; files and folders of the platform spec, to ask every agent of it',
    )
    .option('-y, --yes', 'write the acceptance, and wait until the agents have taken it');
  addAgentOption(accept);
  addTlsOptions(accept);
  addOutputOption(accept)
    .addHelpText(
      'after',
      `
Without a folder it asks the agents of this server, which alone can be told: whoever may write into their state folder (root, or the
agents' user) may accept. With a folder it asks every agent of the platform, and says on which server to run what.
Exit code 0: nothing is in doubt, or it was accepted, also by somebody else before; 1: something is in doubt, or an agent did not
answer; 2: bad input, an unknown fingerprint among it.`,
    )
    .action(async (words: string[], options: AcceptArguments) => (await import('./accept/run.ts')).run(words, options));
};
