import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Election } from '../../kube/lease/election.ts';
import { agentPorts, defaultRunDir, knownZonesFile, systemNamespace } from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { trustTopics } from '../../model/platform/trust.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { AskNameServers } from '../../planes/steering/after-apply.ts';
import type { Hands, SteeringAgentOptions } from '../../planes/steering/agent.ts';
import type { ZonePlan } from '../../planes/steering/plan/plan.ts';
import type { SpecTrouble, SteeringMode } from '../../planes/steering/step.ts';
import { type Agent, type AgentArguments, type AgentHost, type AgentPlane, runAgent } from '../agent/host.ts';
import { addSpecOptions } from '../agent/spec-sources.ts';
import {
  addSourceOptions,
  addVisitorOptions,
  type ListenAddress,
  logLevelOption,
  parseListenAddress,
} from '../options.ts';
import type { AgentStatuses } from './agent-statuses.ts';
import { type AskArguments, addAskOptions } from './ask-after.ts';
import {
  addProviderChoice,
  connectProvider,
  connectReader,
  type ProviderChoice,
  probeFromHere,
  type Watcher,
} from './connect.ts';
import { addDemandOption } from './demand-file.ts';

interface SteeringArguments extends AgentArguments, ProviderChoice, AskArguments {
  readonly mode: SteeringMode;
  /** Seconds. */
  readonly every: number;
  readonly metricsAddress: ListenAddress;
}

/** `tideline steering agent`: keeps the zones as the policies want them. */
export function register(steering: Command): void {
  const agent = steering
    .command('agent')
    .description('Follow the platform, and keep the DNS zones as its policies and Drains want them')
    .addOption(
      new Option(
        '--mode <mode>',
        'observe: look and show, without anything to write with; recommend: also ask a person to apply; automatic: apply what lies inside the guards',
      )
        .choices(['observe', 'recommend', 'automatic'])
        .default('observe'),
    )
    .option('--every <seconds>', 'look at the zones so often when nothing changes', parseEvery, 30)
    .option(
      '--cluster <name>',
      'the Cluster whose API holds the Lease by which one of several agents leads (default: none)',
    )
    .option('--run-dir <folder>', 'folder of its files', defaultRunDir)
    .option('--state-dir <folder>', 'where the last-good spec and the history are kept (default: --run-dir)')
    .addOption(
      new Option('--metrics-address <host:port>', 'where /metrics, /status and /healthz are served')
        .argParser(parseListenAddress)
        .default({ host: '127.0.0.1', port: agentPorts.steering }, `127.0.0.1:${agentPorts.steering}`),
    )
    .addOption(logLevelOption())
    .action((given: SteeringArguments) => runAgent(steeringPlane, { ...given, withdrawOnStop: false }));
  addProviderChoice(addDemandOption(agent));
  addAskOptions(agent);
  addSpecOptions(agent);
  addVisitorOptions(agent);
  addSourceOptions(agent);
}

type SteeringHost = AgentHost<SteeringArguments, Platform>;

const steeringPlane: AgentPlane<SteeringArguments, Platform> = {
  name: 'steering',
  identity: () => ({ server: hostname() }),
  view:
    async ({ cluster }) =>
    (platform) => {
      if (cluster !== undefined) findObject(platform, 'Cluster', cluster, { option: '--cluster' });
      return platform;
    },
  cluster: (_, { cluster }) => cluster,
  mayLackCluster: true,
  needs: async () => (await import('../../planes/steering/needs.ts')).steeringNeeds,
  listen: (_, { metricsAddress }) => metricsAddress,
  // Nothing of a cluster is read, so this is never written.
  lastGood: 'steering-snapshot.json',
  agent: steeringAgent,
};

/** A provider that does not answer for so long is said to fail; the agent tries again by itself. */
const soonMs = 10_000;

/** Makes the steering agent from its parts. */
async function steeringAgent(host: SteeringHost): Promise<Agent> {
  const { SteeringAgent } = await import('../../planes/steering/agent.ts');
  const { knownZonesIn } = await import('../../planes/steering/known-zones.ts');
  const { weightsOfFile } = await import('./demand-file.ts');
  const { given, platform, clock, log, registry } = host;
  const roomLog = log.child({ room: 'provider' });
  const watcher: Watcher = {
    step: (step) => roomLog.debug({ step }, 'a provider is asked'),
    trouble: (line) => roomLog.info({ detail: line }, 'a provider lets the agent wait'),
  };
  const lead = await leadershipOf(host, () => agent.refresh());
  const options: SteeringAgentOptions = {
    platform,
    trouble: () => troubleOf(host),
    hands: handsOf(given, watcher),
    read: (name, gate) => connectReader(name, given, watcher, { gate, patienceMs: soonMs }),
    providers: given.provider,
    probe: probeFromHere,
    ask: given.ask ? (plan, how) => askNameServers(plan, how, { given, platform: platform(), watcher }) : undefined,
    parity: async (spec) => (await import('../parity.ts')).parityNow(spec, host.access),
    weights: async () => weightsOfFile(given.demand, clock.now()),
    by: `agent@${hostname()}`,
    specWords: specWordsOf(given),
    candidate: lead?.election,
    known: await knownZonesIn(resolve(given.stateDir ?? given.runDir, knownZonesFile), log),
    onLooked: lead?.statuses?.looked,
    everyMs: given.every * 1000,
    clock,
    random: Math.random,
    log,
    registry,
  };
  const agent = new SteeringAgent(options);
  return {
    start: () => agent.start(),
    platformChanged: () => agent.refresh(),
    status: () => ({ server: hostname(), ...agent.status() }),
    stop: async () => {
      await lead?.statuses?.stop();
      await agent.stop();
    },
  };
}

/** Only in the mode in which it applies does an agent have a way to write. */
function handsOf(given: SteeringArguments, watcher: Watcher): Hands {
  const { mode } = given;
  if (mode !== 'automatic') return { mode };
  return { mode, write: (name, gate) => connectProvider(name, given, watcher, gate) };
}

/** How long a name server that was not right is asked at each further look. */
const againSeconds = 5;

/** What is wrong with the name servers of a zone in which a plan was applied, as after `apply`. */
async function askNameServers(
  plan: ZonePlan,
  { isAgain, ended }: Parameters<AskNameServers>[1],
  { given, platform, watcher }: { given: SteeringArguments; platform: Platform; watcher: Watcher },
): Promise<readonly string[]> {
  const { askAfter, downNowBy, faultsOf } = await import('./ask-after.ts');
  const downNow = downNowBy((name) => connectReader(name, given, watcher), probeFromHere);
  const { nameServer, ask } = given;
  const asked = { ask, nameServer, askSeconds: isAgain ? againSeconds : given.askSeconds };
  return (await askAfter([plan], asked, { platform, progress: watcher, downNow, ended })).flatMap(faultsOf);
}

/** What speaks against acting on the spec that is in force. */
function troubleOf({ platformStatus, apis, verdicts }: SteeringHost): SpecTrouble {
  const { phase, message = 'the newest platform spec is not valid' } = platformStatus();
  return {
    ...(phase === 'invalid' ? { invalid: message } : {}),
    unread: apis.flatMap((api) => api.trouble() ?? []),
    doubts: apis.flatMap((api) => api.doubting().doubts.map((doubt) => doubt.message)),
    odd: verdicts()
      .filter(({ reason }) => reason !== 'InForce')
      .map(({ place, kind, name, reason, message }) => `${kind}/${name} in the ${place}: ${message} (${reason})`),
  };
}

/**
 * One candidate for the Lease of the agent's cluster, and what it writes to that API while it leads; undefined where there is no API that could
 * hold a Lease.
 */
async function leadershipOf(
  { client, apis: [api], platform, verdicts, clock, log, registry }: SteeringHost,
  changed: () => void,
): Promise<{ readonly election: Election; readonly statuses: AgentStatuses | undefined } | undefined> {
  if (client === undefined) return undefined;
  const { Election: Candidate } = await import('../../kube/lease/election.ts');
  const { writeMetrics } = await import('../../kube/status/metrics.ts');
  const metrics = writeMetrics(registry);
  const election = new Candidate({
    client,
    namespace: systemNamespace,
    name: 'tideline-steering',
    fieldManager: 'tideline-steering',
    identity: `${hostname()}_${randomUUID()}`,
    clock,
    random: Math.random,
    log: log.child({ room: 'lease' }),
    metrics,
    onChange: changed,
  });
  if (api === undefined) return { election, statuses: undefined };
  const { agentStatuses } = await import('./agent-statuses.ts');
  const roomLog = log.child({ room: 'status' });
  return {
    election,
    statuses: await agentStatuses({ api, client, election, platform, verdicts, clock, log: roomLog, metrics }),
  };
}

/** The spec as a person names it to a command. */
function specWordsOf({ platform, platformTrust, demand }: SteeringArguments): readonly string[] {
  const trusts = platformTrust.flatMap(({ cluster, topics }) => [
    '--platform-trust',
    topics.size === trustTopics.length ? cluster : `${cluster}=${[...topics].join(',')}`,
  ]);
  return [platform ?? 'FOLDER', ...trusts, ...(demand === undefined ? [] : ['--demand', demand])];
}

function parseEvery(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,4}$/.test(text) || seconds < 5 || seconds > 3600)
    throw new InvalidArgumentError('Expected seconds, from 5 to 3600.');
  return seconds;
}
