import { type Command, InvalidArgumentError, Option } from 'commander';
import { freezeInForce } from '../../model/platform/freezes.ts';
import type { Freeze } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { ProviderName } from '../../planes/steering/dialects/dialect.ts';
import type { Asked, ZonePlan } from '../../planes/steering/plan/plan.ts';
import type { Probe } from '../../planes/steering/plan/present.ts';
import type { ConnectionOptions, Gate, ZoneProvider, ZoneReader } from '../../planes/steering/providers/provider.ts';
import { providers } from '../../planes/steering/providers/table.ts';
import { printErrorLines } from '../../runtime/print.ts';
import { type Trusted, trustOption } from '../agent/spec-sources.ts';
import { addOutputOption, type OutputArguments } from '../output.ts';
import { personAndMachine } from '../person.ts';
import { type Progress, showProgress } from '../progress.ts';
import { addDemandOption } from './demand-file.ts';
import type { SaidByApis } from './spec.ts';

/** Which providers, and where their APIs are. */
export interface ProviderChoice {
  readonly provider: ProviderName | 'all';
  /** The file of what was measured of the requests of each country. */
  readonly demand?: string;
  /** The address of each provider's API, under the name of its option. */
  readonly [option: string]: unknown;
}

export interface ProviderOptions extends OutputArguments, ProviderChoice {
  /** The clusters in whose APIs policies and drains stand too. */
  readonly platformTrust?: readonly Trusted[];
  /** The overlays that are supposed to be approved. */
  readonly ifApproved?: readonly string[];
  /** Why a person writes, of commands that do. */
  readonly reason?: string;
}

/** The options that `plan` and `apply` share. */
export function addProviderOptions(command: Command): Command {
  return addZoneOptions(addDemandOption(command));
}

/** The options of every command that reads a zone. */
export function addZoneOptions(command: Command): Command {
  addProviderChoice(command);
  command.addOption(trustOption('read the platform spec in the API of this cluster as well, and believe it'));
  return addOutputOption(command);
}

/** The options that say which providers, and where their APIs are. Secrets come from the environment only. */
export function addProviderChoice(command: Command): Command {
  const choice = new Option('--provider <name>', 'only this one').choices([...Object.keys(providers), 'all']);
  command.addOption(choice.default('all'));
  for (const { url } of Object.values(providers)) command.addOption(urlOption(url));
  const variables = Object.values(providers).map(({ variables: { required, optional } }) =>
    [...required, ...optional].join(', '),
  );
  return command.addHelpText('after', `\nEnvironment: ${variables.join('; ')}`);
}

/** The option by which a person says why a zone is written. */
export function reasonOption(): Option {
  const description = 'why, for `steering history`; it stands in the zone, where anybody can read it by DNS';
  return new Option('--reason <text>', description).argParser(parseReason);
}

/** The limit for a look at an entry; all are looked at beside each other. */
const probeMs = 2000;

/** The plans, the platform that they are of, and the Freeze in force. */
export interface Planned<Plan = ZonePlan> {
  readonly platform: Platform;
  readonly plans: readonly Plan[];
  readonly said?: SaidByApis;
  readonly frozen?: Freeze;
}

interface PlanWith {
  /** Is called with the platform while the zones are read. */
  readonly beside?: (platform: Platform) => void;
  readonly health?: Asked['health'];
}

/** Plans every zone of the platform spec in `paths`. */
export async function planWith(
  paths: readonly string[],
  options: ProviderOptions,
  { beside, health }: PlanWith = {},
): Promise<Planned> {
  const { planZones } = await import('../../planes/steering/plan/plan.ts');
  return planBy(paths, options, (platform, { connect, nowMs, asked }) => {
    beside?.(platform);
    return planZones(platform, options.provider, connect, nowMs, { ...asked, ...withoutUndefined({ health }) });
  });
}

/** What plans are made with. */
export interface Means {
  readonly connect: (name: ProviderName) => Promise<ZoneReader>;
  readonly nowMs: number;
  readonly asked: Asked;
}

/**
 * Loads the platform spec and plans. It only reads, by transports that cannot write; entries whose health no provider tells are looked
 * at from here.
 */
export async function planBy<Plan>(
  paths: readonly string[],
  options: ProviderOptions,
  make: (platform: Platform, means: Means) => Promise<readonly Plan[]>,
): Promise<Planned<Plan>> {
  const { steeredSpec } = await import('./spec.ts');
  const { platform, said } = await steeredSpec(paths, options.platformTrust ?? [], options.ifApproved);
  const { weightsOfFile } = await import('./demand-file.ts');
  const nowMs = Date.now();
  const weights = await weightsOfFile(options.demand, nowMs);
  const progress = showProgress();
  const frozen = freezeInForce(platform, nowMs);
  const connect = (name: ProviderName) => connectReader(name, options, progress);
  const asked = {
    probe: probeFromHere,
    weights,
    by: personAndMachine(),
    ...withoutUndefined({ reason: options.reason }),
  };
  const plans = await make(platform, { connect, nowMs, asked }).finally(progress.end);
  return { platform, plans, ...withoutUndefined({ frozen, said }) };
}

/** Looks at an entry from this machine. */
export const probeFromHere: Probe = async (check) => {
  const { askHealth } = await import('../../observe/ask-health.ts');
  const seen = await askHealth({ ...check, host: check.hosts[0] ?? '', cluster: '', policy: '' }, probeMs);
  if (!('healthy' in seen)) return 'silent';
  return seen.healthy ? 'healthy' : seen.answered ? 'unhealthy' : 'silent';
};

/** Is told what a provider is asked, and what goes wrong on the way. */
export type Watcher = Pick<Progress, 'step' | 'trouble'>;

export async function connectReader(
  name: ProviderName,
  options: ProviderChoice,
  progress: Watcher,
  { gate, patienceMs }: Pick<ConnectionOptions, 'gate' | 'patienceMs'> = {},
): Promise<ZoneReader> {
  const connection = await connectionOptionsOf(name, options, progress, gate);
  const reader = await providers[name].reader({ ...connection, ...withoutUndefined({ patienceMs }) });
  return {
    ...reader,
    read: (zone) => {
      progress.step(`${name}: reading zone ${zone}`);
      return reader.read(zone);
    },
  };
}

export async function connectProvider(
  name: ProviderName,
  options: ProviderChoice,
  progress: Watcher,
  gate?: Gate,
): Promise<ZoneProvider> {
  return providers[name].provider(await connectionOptionsOf(name, options, progress, gate));
}

async function connectionOptionsOf(
  name: ProviderName,
  options: ProviderChoice,
  progress: Watcher,
  gate: Gate | undefined,
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
    ...withoutUndefined({ url: typeof address === 'string' ? address : undefined, gate }),
    variables: present,
    clock: systemClock,
    random: Math.random,
    onRetry: progress.trouble,
    onWait: progress.trouble,
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

/** The option for the address of the API of a provider. */
export function urlOption({ flags, variable, description, preset }: (typeof providers)[ProviderName]['url']): Option {
  const option = new Option(flags, description).argParser(parseUrl).default(preset);
  return variable === undefined ? option : option.env(variable);
}

/** Records of a zone have room for so much. */
const longestReason = 120;

function parseReason(text: string): string {
  const reason = text.trim();
  if (reason === '' || reason.length > longestReason)
    throw new InvalidArgumentError(`Expected a text of ${longestReason} characters at most.`);
  return reason;
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('Expected http://host:port.');
  return text;
}
