import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Platform } from '../model/spec/platform.ts';
import type { NameServer } from '../observe/ask-dns.ts';
import type { Question } from '../observe/why/questions.ts';
import type { Down } from '../observe/why/suppose.ts';
import type { Register } from './command.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';

interface WhyArguments extends OutputArguments {
  readonly if: readonly Down[];
  readonly nameServer: readonly NameServer[];
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
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .addOption(
      new Option(
        '--if <object=down>',
        'as if it were down: Site, Cluster, Blade or Worker, as Blade/NAME=down; may be repeated',
      )
        .argParser(parseDown)
        .default([], 'nothing'),
    )
    .addOption(
      new Option('--name-server <address[:port]>', 'ask this one (default: those of the zone); may be repeated')
        .argParser(parseNameServer)
        .default([], 'NS records of the zone'),
    );
  return addOutputOption(command);
}

/** Makes the action of a command from the function that reads its question. */
function run<Given extends WhyArguments>(
  questionOf: (platform: Platform, subject: string, options: Given) => Promise<Question>,
): (subject: string, paths: string[], options: Given) => Promise<void> {
  return async (subject, paths, options) => {
    const { loadPlatformOrThrow } = await import('../platform/load.ts');
    const { gather } = await import('../observe/why/gather.ts');
    const { answer } = await import('../observe/why/questions.ts');
    const { suppose } = await import('../observe/why/suppose.ts');
    const { renderChain } = await import('../observe/why/text.ts');
    const { asking } = await import('./why/asking.ts');
    const { checkDowns, checkWorkers } = await import('./why/question.ts');
    const platform = await loadPlatformOrThrow(paths);
    const question = await questionOf(platform, subject, options);
    checkDowns(platform, options.if);
    const evidence = await gather(platform, question, asking(platform, options));
    checkWorkers(evidence.snapshot, options.if);
    const chain = answer(platform, suppose(platform, evidence, options.if), question);
    await printResult(options.output, { lines: () => renderChain(chain), value: () => chain });
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

function parseDown(text: string, before: readonly Down[]): readonly Down[] {
  const [, kind = '', name = ''] = /^(Site|Cluster|Blade|Worker)\/([^=]+)=down$/.exec(text) ?? [];
  if (name === '')
    throw new InvalidArgumentError('Expected KIND/NAME=down, with Site, Cluster, Blade or Worker as the kind.');
  return [...before, { kind: kind as Down['kind'], name }];
}

function parseNameServer(text: string, before: readonly NameServer[]): readonly NameServer[] {
  const [, bracketed, plain, port = '53'] =
    /^(?:\[([\da-fA-F:.]+)\]|([\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*:[\da-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('Expected ADDRESS or ADDRESS:PORT, of IPv6 [ADDRESS]:PORT.');
  return [...before, { address, port: Number(port) }];
}
