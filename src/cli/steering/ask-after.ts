import { type Command, InvalidArgumentError, Option } from 'commander';
import { clusterByAddress } from '../../model/platform/entries.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { NameServer } from '../../observe/ask-dns.ts';
import type { ClientQuestion, Heard } from '../../observe/ask-until.ts';
import type { AnswerQuestion, ExpectedAnswers } from '../../planes/steering/plan/expected.ts';
import type { DownNow } from '../../planes/steering/plan/impact.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import type { Probe } from '../../planes/steering/plan/present.ts';
import type { ZoneReader } from '../../planes/steering/providers/provider.ts';
import { addNameServerOption, addressOfNameServer, type NameServerArguments } from '../name-servers.ts';
import type { Progress } from '../progress.ts';
import { nameServersIn } from './delegations.ts';

export interface AskArguments extends NameServerArguments {
  /** False with `--no-ask`. */
  readonly ask: boolean;
  readonly askSeconds: number;
}

/** Adds the options of a command that asks name servers when it has written. */
export function addAskOptions(command: Command): Command {
  addNameServerOption(command)
    .option('--no-ask', 'do not ask the name servers afterwards what they answer')
    .addOption(
      new Option('--ask-seconds <seconds>', 'ask again for so long until all of them answer as planned')
        .argParser(parseSeconds)
        .default(60),
    );
  return command;
}

/** What the name servers of one zone answer after a plan was carried out there. */
export interface AskedZone {
  readonly provider: ZonePlan['provider'];
  readonly zone: string;
  readonly hosts: number;
  readonly countries: readonly string[];
  readonly nameServers: readonly Heard[];
  /** Why no name server could be asked; absent when one was. */
  readonly problem?: string;
}

/** True when every name server was heard, and all that it answered was as planned. */
export function isAnswered({ nameServers, problem }: AskedZone): boolean {
  return problem === undefined && nameServers.every(({ asked, right }) => asked === right);
}

export interface AskMeans {
  readonly platform: Platform;
  readonly progress: Pick<Progress, 'step'>;
  /** The addresses that are down now, by host. */
  readonly downNow: (plan: ZonePlan) => Promise<DownNow>;
  /** Ends the asking before its time. */
  readonly ended?: AbortSignal;
}

/** The addresses that are down when it is called: the health that answers follow is read again, as it is after the write. */
export function downNowBy(connect: (provider: ZonePlan['provider']) => Promise<ZoneReader>, probe: Probe) {
  return async ({ provider, zone, intent }: ZonePlan): Promise<DownNow> => {
    const { downByHost, presentHealth } = await import('../../planes/steering/plan/present.ts');
    const reader = await connect(provider);
    const state = await reader.read(zone);
    const policies = new Set(intent.policies.map(({ policy }) => policy.metadata.name));
    return downByHost(intent, await presentHealth(intent, policies, { reader, state, probe }));
  };
}

/** Asks the name servers of each plan that is about answers what they answer, until it is what the plan says or the time is over. */
export async function askAfter(
  plans: readonly ZonePlan[],
  { nameServer: named, askSeconds }: AskArguments,
  means: AskMeans,
): Promise<readonly AskedZone[]> {
  const concerned = plans.filter(({ impacts }) => impacts.length > 0);
  if (concerned.length === 0) return [];
  const { ExpectedAnswers: Expected } = await import('../../planes/steering/plan/expected.ts');
  const zones = concerned.map((plan) => ({ plan, expected: new Expected(plan) }));
  return Promise.all(
    zones.map(({ plan, expected }) =>
      askZone(plan, expected, {
        ...means,
        named,
        limitMs: askSeconds * 1000,
        // Name servers that a person names may be those of any provider of the zone.
        rivals: named.length === 0 ? [] : zones.filter((one) => one.plan !== plan && one.plan.zone === plan.zone),
      }),
    ),
  );
}

interface ZoneMeans extends AskMeans {
  readonly named: readonly NameServer[];
  readonly limitMs: number;
  readonly rivals: readonly { readonly plan: ZonePlan; readonly expected: ExpectedAnswers }[];
}

async function askZone(plan: ZonePlan, expected: ExpectedAnswers, means: ZoneMeans): Promise<AskedZone> {
  const { askDns } = await import('../../observe/ask-dns.ts');
  const { askUntilRight } = await import('../../observe/ask-until.ts');
  const { clientOutside } = await import('../../geo/prefixes.ts');
  const { networksOfPolicy } = await import('../../model/platform/policies.ts');
  const { systemClock } = await import('../../runtime/clock.ts');
  const networks = plan.intent.policies.flatMap(({ policy }) => networksOfPolicy(policy.spec));
  const clientIn = (country: string): string | undefined => clientOutside(country, networks);
  const questions = expected
    .questions((country) => clientIn(country) !== undefined)
    .flatMap((question) => {
      const subnet = clientIn(question.country);
      return subnet === undefined ? [] : [{ ...question, subnet }];
    });
  const { provider, zone } = plan;
  const of = {
    provider,
    zone,
    hosts: new Set(questions.map(({ host }) => host)).size,
    countries: [...new Set(questions.map(({ country }) => country))].sort(),
  };
  const servers = means.named.length > 0 ? means.named.map(nameServerOf) : await nameServersOf(plan);
  const asked = servers.flatMap(({ name, server }) => (server === undefined ? [] : [{ name, server, questions }]));
  const unknown = servers.filter(({ server }) => server === undefined);
  if (asked.length === 0)
    return {
      ...of,
      nameServers: [],
      problem: `${unknown.map(({ name }) => name).join(', ') || 'nobody'} has no address here`,
    };
  const heard = await askUntilRight<ClientQuestion>(asked, {
    dns: askDns,
    judge: judgeOf(plan, expected, means),
    clock: systemClock,
    limitMs: means.limitMs,
    ...withoutUndefined({ ended: means.ended }),
    onRound: (all) => {
      const done = all.filter((one) => one.asked === one.right).length;
      means.progress.step(`${zone}: ${done} of ${all.length} name servers of ${provider} answer as planned`);
    },
  });
  const lost = unknown.map(({ name }) => ({ name, asked: questions.length, right: 0, wrong: ['has no address here'] }));
  return { ...of, nameServers: [...heard, ...lost] };
}

/** Answers are right when the plan gives them while all is healthy, or with what is down now, which is only asked for when it matters. */
function judgeOf(plan: ZonePlan, expected: ExpectedAnswers, { platform, downNow, rivals }: ZoneMeans) {
  const clusterOf = clusterByAddress(platform);
  const named = (addresses: Iterable<string>): string =>
    [...addresses].map((one) => `${clusterOf.get(one) ?? 'no cluster'} (${one})`).join(', ') || 'nothing';
  let known: Promise<DownNow> | undefined;
  return async (question: AnswerQuestion, addresses: readonly string[], rcode: string): Promise<string | undefined> => {
    const wanted = [expected, ...rivals.map((rival) => rival.expected)];
    if (wanted.some((one) => isOf(addresses, one.addresses(question)))) return undefined;
    known ??= downNow(plan);
    const down = (await known).get(question.host) ?? new Set<string>();
    if (wanted.some((one) => isOf(addresses, one.addresses(question, down)))) return undefined;
    const answered = addresses.length === 0 ? `nothing (${rcode})` : named(addresses);
    const planned = named(expected.addresses(question, down));
    return `answers ${question.country} for ${question.host} ${question.type} with ${answered}; the plan says ${planned}`;
  };
}

function isOf(addresses: readonly string[], wanted: ReadonlySet<string>): boolean {
  if (addresses.length === 0) return wanted.size === 0;
  return addresses.every((address) => wanted.has(address));
}

interface Found {
  readonly name: string;
  readonly server?: NameServer;
}

const nameServerOf = (server: NameServer): Found => ({
  name: server.port === 53 ? server.address : `${server.address} port ${server.port}`,
  server,
});

/** The name servers that the provider has for the zone: those of the NS record in it. */
async function nameServersOf(plan: ZonePlan): Promise<readonly Found[]> {
  return Promise.all(
    nameServersIn(plan).map(async (name): Promise<Found> => {
      const server = await addressOfNameServer(name).catch(() => undefined);
      return server === undefined ? { name } : { name: `${name} (${server.address})`, server };
    }),
  );
}

/** So many faults of one name server are told one by one. */
const mostFaults = 3;

/** Lines for people. */
export function renderAsked({ provider, zone, hosts, countries, nameServers, problem }: AskedZone): readonly string[] {
  const title = `${provider} zone ${zone}`;
  if (problem !== undefined)
    return [`${title}: no name server could be asked whether it answers: ${problem}; name them with --name-server`];
  const good = nameServers.filter(({ asked, right }) => asked === right);
  const as = `asked for ${hosts} ${hosts === 1 ? 'host' : 'hosts'} as clients in ${countries.join(', ')}`;
  return [
    `${title}: ${good.length} of ${nameServers.length} name servers answer as planned, ${as}`,
    ...nameServers.flatMap((one) => faultOf(one) ?? []).map((fault) => `  ! ${fault}`),
  ];
}

/** What is wrong with each name server that is not right, a clause each. */
export function faultsOf({ nameServers, problem }: AskedZone): readonly string[] {
  if (problem !== undefined) return [`no name server could be asked whether it answers: ${problem}`];
  return nameServers.flatMap((one) => faultOf(one) ?? []);
}

function faultOf({ name, asked, right, wrong }: Heard): string | undefined {
  const more = wrong.length > mostFaults ? [`and ${wrong.length - mostFaults} more like this`] : [];
  const faults = [...wrong.slice(0, mostFaults), ...more];
  return asked === right ? undefined : `${name}: ${faults.join('; ')} (${right} of ${asked} answers are right)`;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,4}$/.test(text) || seconds < 1 || seconds > 3600)
    throw new InvalidArgumentError('Expected a number of seconds from 1 to 3600.');
  return seconds;
}
