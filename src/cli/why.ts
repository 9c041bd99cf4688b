import type { Command } from 'commander';
import { shellWords } from '../model/shell-words.ts';
import type { Platform } from '../model/spec/platform.ts';
import type { Question } from '../observe/why/questions.ts';
import { type Down, downKinds } from '../observe/why/suppose.ts';
import type { Register } from './command.ts';
import { addDownOption } from './down.ts';
import { addNameServerOption, type NameServerArguments } from './name-servers.ts';
import { addTlsOptions } from './options.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { addSteeringAgentsOption, askSteeringAgents, type SteeringAgentsArguments } from './steering-agents.ts';
import type { TlsArguments } from './tls.ts';

interface WhyArguments extends OutputArguments, TlsArguments, NameServerArguments, SteeringAgentsArguments {
  readonly if: readonly Down[];
}

/** `tideline why host | country | pod | route | blade`: the whole chain as it is now, and its first hop that does not hold. */
export const register: Register = (program) => {
  const why = program
    .command('why')
    .description('Follow one host, country, pod, route or blade hop by hop, and name what breaks it');
  why.addHelpText(
    'after',
    `
It asks the name servers, the entries of clusters, every agent and the clusters themselves, from this machine. A hop that cannot be
asked is unknown, with the reason. --if answers what would happen.
Exit code 0: every hop holds, 1: one fails or is not known, 2: bad input.`,
  );
  add(why, 'host <host>', 'Why a host is served, or not: from DNS to the pods')
    .option('--path <path>', 'the path of the request', '/')
    .action(run((platform, host, { path }: HostArguments) => hostQuestion(platform, host, path)));
  add(why, 'country <country>', 'Why the users of a country are served where they are; a code, or "unknown"')
    .option('--host <host>', 'only this host (default: the first host of each traffic policy)')
    .action(run((platform, country, { host }: CountryArguments) => countryQuestion(platform, country, host)));
  add(why, 'pod <address>', 'Why a pod can be reached by its address, or not').action(run(podQuestion));
  add(why, 'route <prefix>', 'Who announces a prefix, or why nobody does').action(run(routeQuestion));
  add(why, 'blade <name>', 'Why a blade serves, or not').action(run(bladeQuestion));
};

interface HostArguments extends WhyArguments {
  readonly path: string;
}

interface CountryArguments extends WhyArguments {
  readonly host?: string;
}

function add(why: Command, nameAndArguments: string, description: string): Command {
  const command = why
    .command(nameAndArguments)
    .description(description)
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addDownOption(command, downKinds);
  addSteeringAgentsOption(command, 'whether somebody edited a zone');
  return addTlsOptions(addOutputOption(addNameServerOption(command)));
}

/** Makes the action of a command from the function that reads its question. */
function run<Given extends WhyArguments>(
  questionOf: (platform: Platform, subject: string, options: Given) => Promise<Question>,
): (subject: string, paths: string[], options: Given) => Promise<void> {
  return async (subject, paths, options) => {
    const { loadPlatformOrThrow } = await import('../platform/load.ts');
    const { firstLines, doubtsOf } = await import('../observe/doubts.ts');
    const { fromOutside } = await import('../observe/from-outside.ts');
    const { editedFindings } = await import('../observe/steering.ts');
    const { gather } = await import('../observe/why/gather.ts');
    const { answer } = await import('../observe/why/questions.ts');
    const { suppose } = await import('../observe/why/suppose.ts');
    const { renderChain } = await import('../observe/why/text.ts');
    const { asking } = await import('./why/asking.ts');
    const { checkDowns, checkWorkers } = await import('./why/question.ts');
    const platform = await loadPlatformOrThrow(paths);
    const question = await questionOf(platform, subject, options);
    checkDowns(platform, options.if);
    const [evidence, steering = []] = await Promise.all([
      gather(platform, question, await asking(platform, options)),
      askSteeringAgents(options),
    ]);
    const edited = editedFindings(steering);
    checkWorkers(evidence.snapshot, options.if);
    const chain = answer(platform, suppose(platform, evidence, options.if), question);
    await printResult(options.output, {
      lines: () => [
        ...firstLines(evidence.snapshot),
        ...edited.map(({ subject, what }) => `EDITED: ${subject} ${what}`),
        ...renderChain(chain),
        ...fromOutside(evidence.snapshot, shellWords(['tideline', 'why', question.kind, subject, 'FOLDER'])),
      ],
      value: () => ({ ...chain, doubts: doubtsOf(evidence.snapshot), edited }),
    });
    process.exitCode = chain.verdict === 'holds' ? 0 : 1;
  };
}

async function hostQuestion(platform: Platform, host: string, path: string): Promise<Question> {
  return (await import('./why/question.ts')).hostQuestion(platform, host, path);
}

async function countryQuestion(platform: Platform, country: string, host: string | undefined): Promise<Question> {
  return (await import('./why/question.ts')).countryQuestion(platform, country, host);
}

async function podQuestion(_platform: Platform, address: string): Promise<Question> {
  return (await import('./why/question.ts')).podQuestion(address);
}

async function routeQuestion(_platform: Platform, prefix: string): Promise<Question> {
  return (await import('./why/question.ts')).routeQuestion(prefix);
}

async function bladeQuestion(platform: Platform, blade: string): Promise<Question> {
  return (await import('./why/question.ts')).bladeQuestion(platform, blade);
}
