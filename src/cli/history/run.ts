import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { unknownName } from '../../model/spec/unknown-name.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Asked } from '../../observe/ask-history.ts';
import type { ToldHistory } from '../../observe/history.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLog } from '../../runtime/log.ts';
import { localAgents } from '../accept/local.ts';
import { lookAt } from '../look.ts';
import type { ListenAddress } from '../options.ts';
import { type OutputArguments, printResult } from '../output.ts';
import { commandJournal, thisMachine } from '../record.ts';
import type { SteeringAgentsArguments } from '../steering-agents.ts';
import { accessOf, type TlsArguments } from '../tls.ts';

export interface HistoryArguments extends OutputArguments, TlsArguments, SteeringAgentsArguments {
  /** Milliseconds. */
  readonly since: number;
  readonly country?: string;
  readonly host?: string;
  readonly agent: readonly ListenAddress[];
}

/** A history of 2,000 decisions has less than two megabytes. */
const patienceMs = 5000;

export async function run(paths: readonly string[], options: HistoryArguments): Promise<void> {
  const { askHistory, nameOf, toldApart } = await import('../../observe/ask-history.ts');
  const { concerns, mergeHistories } = await import('../../observe/history.ts');
  const { renderHistory } = await import('../../observe/history-text.ts');
  const nowMs = systemClock.now();
  const sinceMs = nowMs - options.since;
  const platform = await platformOf(paths, options);
  const {
    asked,
    silent: unasked,
    hint,
  } = platform === undefined ? await askedHere(options) : await askedOf(platform, options);
  const asking = { timeoutMs: patienceMs, access: await accessOf(options) };
  const steering = options.steering.map(steeringAgentAt);
  const answers = await Promise.all(toldApart([...asked, ...steering]).map((one) => askHistory(one, sinceMs, asking)));
  const told = answers.flatMap((one) => ('silent' in one ? [] : [one]));
  const silent = [...unasked, ...answers.flatMap((one) => ('silent' in one ? [`${nameOf(one)} ${one.silent}`] : []))];
  const commands = await commandsHere();
  const all = mergeHistories([...told, commands], sinceMs);
  const decisions =
    platform === undefined
      ? all
      : all.filter(
          concerns(platform, { ...options, ...withoutUndefined({ country: options.country?.toUpperCase() }) }, nowMs),
        );
  const faulty = [...told, commands].flatMap((one) => faultsOf(nameOf(one), one));
  await printResult(options.output, {
    lines: () => [
      ...(decisions.length === 0 ? ['nothing was decided in this time'] : renderHistory(decisions)),
      ...silent.map((text) => `not known: ${text}`),
      ...faulty.map((text) => `not complete: ${text}`),
      ...hint,
    ],
    value: () => ({ sinceMs, decisions, silent, faulty }),
  });
  if (silent.length > 0) process.exitCode = 1;
}

function faultsOf(server: string, { damaged, problem }: ToldHistory): readonly string[] {
  return [
    ...(damaged === 0 ? [] : [`${server} has ${damaged} lines in its journal that cannot be read`]),
    ...(problem === undefined ? [] : [`${server}: ${problem}`]),
  ];
}

async function platformOf(
  paths: readonly string[],
  { country, host }: HistoryArguments,
): Promise<Platform | undefined> {
  if (paths.length === 0) {
    if (country === undefined && host === undefined) return undefined;
    throw new InputError({
      reason: 'OptionAlone',
      message: '--country and --host need the platform spec, which says who serves whom',
      fix: 'name the folder of the platform spec',
    });
  }
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const platform = await loadPlatformOrThrow(paths);
  if (country !== undefined) await checkCountry(country);
  const hosts = [...platform.policies.values()].flatMap(({ spec }) => spec.hosts);
  if (host !== undefined && !hosts.includes(host)) throw new InputError(unknownName('host', host, hosts));
  return platform;
}

async function checkCountry(country: string): Promise<void> {
  const { countryOf } = await import('../../model/geo/countries.ts');
  const { stateOf } = await import('../../model/geo/states.ts');
  const { placeFix } = await import('../../model/geo/meant.ts');
  const code = country.toUpperCase();
  if (countryOf(code) !== undefined || stateOf(code) !== undefined) return;
  const message = `${country} is not a country or state that decisions can be about`;
  throw new InputError({ reason: 'UnknownCountry', message, fix: placeFix(country) });
}

interface ToAsk {
  readonly asked: readonly Asked[];
  /** Where to ask instead, when nobody answers. */
  readonly hint: readonly string[];
  readonly silent: readonly string[];
}

async function askedHere(options: HistoryArguments): Promise<ToAsk> {
  const agents = await localAgents(options.agent, options);
  return { asked: agents, hint: [], silent: agents.length === 0 ? ['no agent answers on this server'] : [] };
}

/** The agents that answered for their status, which is asked for first: so it is known who should have. */
async function askedOf(platform: Platform, options: TlsArguments): Promise<ToAsk> {
  const { fromOutside } = await import('../../observe/from-outside.ts');
  const { agents, clusters } = await lookAt(platform, options);
  const unread = clusters.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`workers of ${name}: ${problem}`],
  );
  const silent = agents.flatMap((part) => ('problem' in part ? [`${part.target.server} ${part.problem}`] : []));
  const asked = agents.flatMap((part) => {
    if ('problem' in part) return [];
    const { server, plane: agent, cluster, address, port } = part.target;
    return [{ server, agent, cluster, at: { address, port, server } }];
  });
  return { asked, hint: fromOutside({ agents }, 'tideline history FOLDER'), silent: [...silent, ...unread] };
}

/** A steering agent is in no spec, and may run anywhere: it is called by where it answers. */
function steeringAgentAt({ host, port }: ListenAddress): Asked {
  return { server: `${host}:${port}`, agent: 'steering', at: { address: host, port } };
}

/** What was asked for by commands on this machine. */
async function commandsHere(): Promise<ToldHistory> {
  const { Journal } = await import('../../runtime/journal.ts');
  const { readDecisions } = await import('../../observe/history.ts');
  const journal = new Journal({ path: commandJournal(), clock: systemClock, log: silentLog });
  await journal.open();
  const { entries, damaged, problem } = journal.told(0);
  const decisions = readDecisions(entries);
  const lost = damaged + entries.length - decisions.length;
  const server = thisMachine();
  return { server, agent: 'command', decisions, damaged: lost, ...(problem === undefined ? {} : { problem }) };
}
