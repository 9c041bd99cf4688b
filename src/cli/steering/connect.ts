import { type Command, InvalidArgumentError, Option } from 'commander';
import { withoutUndefined } from '../../model/values.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import type { ConnectionOptions, ZoneProvider, ZoneReader } from '../../planes/steering/providers/provider.ts';
import { providers } from '../../planes/steering/providers/table.ts';
import { printErrorLines } from '../../runtime/print.ts';
import { addOutputOption, type OutputArguments } from '../output.ts';
import { type Progress, showProgress } from '../progress.ts';

export interface ProviderOptions extends OutputArguments {
  readonly provider: ProviderName | 'all';
  /** The address of each provider's API, under the name of its option. */
  readonly [option: string]: unknown;
}

/** The options that `plan` and `apply` share. Secrets come from the environment only. */
export function addProviderOptions(command: Command): Command {
  const choice = new Option('--provider <name>', 'only this one').choices([...Object.keys(providers), 'all']);
  command.addOption(choice.default('all'));
  for (const { url } of Object.values(providers)) command.addOption(urlOption(url));
  const variables = Object.values(providers).map(({ variables: { required, optional } }) =>
    [...required, ...optional].join(', '),
  );
  return addOutputOption(command).addHelpText('after', `\nEnvironment: ${variables.join('; ')}`);
}

/** Plans every zone of the platform spec in `paths`. It only reads, by transports that cannot write. */
export async function planWith(paths: readonly string[], options: ProviderOptions): Promise<readonly ZonePlan[]> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { planZones } = await import('../../planes/steering/plan/plan.ts');
  const platform = await loadPlatformOrThrow(paths);
  const progress = showProgress();
  return planZones(platform, options.provider, (name) => connectReader(name, options, progress), Date.now()).finally(
    progress.end,
  );
}

async function connectReader(name: ProviderName, options: ProviderOptions, progress: Progress): Promise<ZoneReader> {
  const reader = await providers[name].reader(await connectionOptionsOf(name, options, progress));
  return {
    name,
    read: (zone) => {
      progress.step(`${name}: reading zone ${zone}`);
      return reader.read(zone);
    },
  };
}

export async function connectProvider(
  name: ProviderName,
  options: ProviderOptions,
  progress: Progress,
): Promise<ZoneProvider> {
  return providers[name].provider(await connectionOptionsOf(name, options, progress));
}

async function connectionOptionsOf(
  name: ProviderName,
  options: ProviderOptions,
  progress: Progress,
): Promise<ConnectionOptions> {
  const { variables, url } = providers[name];
  const all = [...variables.required, ...variables.optional];
  const present = new Map(all.flatMap((variable) => withValue(variable, process.env[variable])));
  if (variables.required.some((variable) => !present.has(variable))) {
    const { missingCredentials } = await import('../../planes/steering/reasons.ts');
    throw missingCredentials(name, variables.required);
  }
  const { systemClock } = await import('../../runtime/clock.ts');
  const address = options[urlOption(url).attributeName()];
  if (typeof address === 'string') await warnOfPlainHttp(address, url.flags);
  return {
    ...withoutUndefined({ url: typeof address === 'string' ? address : undefined }),
    variables: present,
    clock: systemClock,
    random: Math.random,
    onRetry: progress.trouble,
  };
}

/** The addresses of which a person has been warned: a command connects to a provider more than once. */
const warned = new Set<string>();

async function warnOfPlainHttp(address: string, flags: string): Promise<void> {
  if (warned.has(address)) return;
  warned.add(address);
  const { plainHttpNotice } = await import('../../planes/steering/providers/plain-http.ts');
  const notice = plainHttpNotice(address, flags.replace(/ .*/, ''));
  if (notice !== undefined) printErrorLines([`warning: ${notice.message} (${notice.reason})`]);
}

function withValue(variable: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[variable, value]];
}

function urlOption({ flags, description, preset }: (typeof providers)[ProviderName]['url']): Option {
  return new Option(flags, description).argParser(parseUrl).default(preset);
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('Expected http://host:port.');
  return text;
}
