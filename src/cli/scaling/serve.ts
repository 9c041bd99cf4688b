import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { type Address, parseAddress } from '../../model/address.ts';
import {
  agentPorts,
  defaultRunDir,
  demandHistoryOf,
  metricsApiPort,
  scalingMemoryFileOf,
} from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { DemandHistory } from '../../planes/scaling/agent.ts';
import type { Endpoints } from '../../planes/scaling/serve/endpoints.ts';
import type { KedaScaler, KedaScalerOptions } from '../../planes/scaling/serve/keda.ts';
import type { ServingFiles } from '../../planes/scaling/serve/serving-files.ts';
import type { MeasuredNow } from '../../planes/scaling/step.ts';
import { type Agent, type AgentArguments, type AgentHost, type AgentPlane, runAgent } from '../agent/host.ts';
import { addSpecOptions } from '../agent/spec-sources.ts';
import {
  addSourceOptions,
  addVisitorOptions,
  type ListenAddress,
  logLevelOption,
  parseListenAddress,
} from '../options.ts';
import { addReckoningOptions } from './world.ts';

interface ServeArguments extends AgentArguments {
  readonly cluster: string;
  readonly listen: ListenAddress;
  readonly announce?: Address;
  readonly kedaListen?: ListenAddress;
  readonly kedaCa?: string;
  readonly servingCert: string;
  readonly servingKey: string;
  readonly demand?: string;
  readonly share: ReadonlyMap<string, number>;
  readonly margin: number;
  /** Seconds. */
  readonly every: number;
  readonly metricsAddress: ListenAddress;
}

/** `tideline scaling serve`: the metrics APIs of a cluster, for its autoscalers. */
export function register(scaling: Command): void {
  const command = scaling
    .command('serve')
    .description('Serve floors and measured demand to the autoscalers of a cluster, as custom and external metrics')
    .requiredOption('--cluster <name>', 'the Cluster whose autoscalers ask')
    .requiredOption('--serving-cert <file>', 'the certificate by which that cluster knows the server, in PEM')
    .requiredOption('--serving-key <file>', 'its key')
    .addOption(
      new Option('--listen <host:port>', 'where the metrics APIs are served')
        .argParser(parseListenAddress)
        .default({ host: '0.0.0.0', port: metricsApiPort }, `0.0.0.0:${metricsApiPort}`),
    )
    .addOption(
      new Option('--keda-listen <host:port>', 'serve the same numbers to KEDA there, as an external scaler').argParser(
        parseListenAddress,
      ),
    )
    .option('--keda-ca <file>', 'the authority whose certificates KEDA may ask with, in PEM')
    .option(
      '--announce <address>',
      'keep an EndpointSlice with this address, by which the cluster reaches this server; leave it out where a selector does that',
      parseAnnounced,
    )
    .addOption(
      new Option(
        '--demand <file>',
        'take demand from this file, read again each time, instead of asking the blades of the platform',
      ).env('TIDELINE_DEMAND'),
    )
    .option('--every <seconds>', 'ask blades, entry addresses and the cluster so often', parseEvery, 15)
    .option('--run-dir <folder>', 'folder of its files', defaultRunDir)
    .option('--state-dir <folder>', 'where the last-good spec and what was told are kept (default: --run-dir)')
    .addOption(
      new Option('--metrics-address <host:port>', 'where /metrics, /status and /healthz are served')
        .argParser(parseListenAddress)
        .default({ host: '127.0.0.1', port: agentPorts.scaling }, `127.0.0.1:${agentPorts.scaling}`),
    )
    .addOption(logLevelOption())
    .action((given: ServeArguments) => runAgent(scalingPlane, { ...given, withdrawOnStop: false }));
  addReckoningOptions(command);
  addSpecOptions(command);
  addVisitorOptions(command);
  addSourceOptions(command);
}

type ScalingHost = AgentHost<ServeArguments, Platform>;

const scalingPlane: AgentPlane<ServeArguments, Platform> = {
  name: 'scaling',
  identity: () => ({ server: hostname() }),
  view:
    async ({ cluster }) =>
    (platform) => {
      findObject(platform, 'Cluster', cluster, { option: '--cluster' });
      return platform;
    },
  cluster: (_, { cluster }) => cluster,
  needs: async () => (await import('../../planes/scaling/needs.ts')).scalingAgentNeeds,
  listen: (_, { metricsAddress }) => metricsAddress,
  // Nothing of a cluster is followed, so this is never written.
  lastGood: 'scaling-snapshot.json',
  agent: scalingAgent,
};

/** For each entry address, blade and object; they are asked beside each other. */
const patienceMs = 5000;

/** Makes the scaling agent and the server of the metrics APIs from their parts. */
async function scalingAgent(host: ScalingHost): Promise<Agent> {
  const { ScalingAgent } = await import('../../planes/scaling/agent.ts');
  const { MemoryFile } = await import('../../planes/scaling/follow/memory.ts');
  const { MetricsServer } = await import('../../planes/scaling/serve/server.ts');
  const { presentHealth } = await import('./health.ts');
  const { given, platform, client, clock, log, registry } = host;
  const { cluster, margin, stateDir = given.runDir } = given;
  if (client === undefined) throw folderHasNoAutoscalers(cluster);
  const agent = new ScalingAgent({
    platform,
    cluster,
    measure: (spec) => measureNow(spec, host),
    health: presentHealth,
    observe: async (spec, targets) => {
      const { observe } = await import('../../planes/scaling/replicas.ts');
      const all = await Promise.all(
        targets.flatMap((name) => {
          const target = spec.scalingTargets.get(name)?.spec;
          return target === undefined
            ? []
            : [observe(client, target, patienceMs).then((seen) => [name, seen] as const)];
        }),
      );
      return new Map(all);
    },
    margin,
    history: await historyOf(host),
    memory: new MemoryFile(resolve(stateDir, scalingMemoryFileOf(cluster)), log),
    everyMs: given.every * 1000,
    clock,
    log,
    registry,
  });
  const files = await openFiles(host);
  const server = new MetricsServer({
    ...given.listen,
    files,
    client,
    book: () => agent.book(),
    version: packageJson.version,
    clock,
    log: log.child({ room: 'metrics-api' }),
    registry,
  });
  await server.start();
  const keda = await kedaOf(host, { files, book: () => agent.book() });
  await keda?.start();
  const endpoints = await endpointsOf(host, () => server.problems().length === 0);
  endpoints?.start();
  const serving = (): readonly string[] => [
    ...server.problems(),
    ...[endpoints?.problem(), keda?.problem()].filter((one) => one !== undefined),
  ];
  return {
    start: () => agent.start(),
    platformChanged: () => agent.refresh(),
    status: () => {
      const { problems, ...status } = agent.status();
      return { server: hostname(), ...status, problems: [...problems, ...serving()], serves: server.url };
    },
    health: serving,
    stop: async () => {
      await endpoints?.stop();
      await agent.stop();
      files.stop();
      keda?.stop();
      await server.stop();
    },
  };
}

/** Undefined where demand comes from a file, which says nothing of single minutes. */
async function historyOf({ given }: ScalingHost): Promise<DemandHistory | undefined> {
  const { cluster, demand, runDir, stateDir = runDir } = given;
  if (demand !== undefined) return undefined;
  const { appendStep } = await import('../../planes/scaling/history/store.ts');
  const { forecastInThread } = await import('../../planes/scaling/history/forecast-run.ts');
  const folder = resolve(stateDir, demandHistoryOf(cluster));
  return {
    append: (step) => appendStep(folder, step),
    forecast: async (question) => (await forecastInThread({ folder, question })).forecast,
  };
}

/** Undefined where somebody else tells the cluster how this server is reached. */
async function endpointsOf(
  { given, client, clock, log }: ScalingHost,
  isReady: () => boolean,
): Promise<Endpoints | undefined> {
  const { announce, listen, kedaListen } = given;
  if (announce === undefined || client === undefined) return undefined;
  const { Endpoints: Kept } = await import('../../planes/scaling/serve/endpoints.ts');
  const server = announce.text.replaceAll(':', '-');
  return new Kept({
    client,
    address: announce.text,
    port: listen.port,
    ...withoutUndefined({ kedaPort: kedaListen?.port }),
    server,
    isReady,
    clock,
    log,
  });
}

/** Undefined where KEDA is not served. */
async function kedaOf(
  { given, clock, log }: ScalingHost,
  parts: Pick<KedaScalerOptions, 'files' | 'book'>,
): Promise<KedaScaler | undefined> {
  const { kedaListen, kedaCa } = given;
  if (kedaListen === undefined && kedaCa === undefined) return undefined;
  const { messageOf } = await import('../../model/values.ts');
  if (kedaListen === undefined || kedaCa === undefined)
    throw new InputError({
      reason: 'OptionAlone',
      path: kedaListen === undefined ? '--keda-listen' : '--keda-ca',
      message: 'KEDA is served with both --keda-listen and --keda-ca',
      fix: 'give both, or none',
    });
  const { KedaScaler: Scaler } = await import('../../planes/scaling/serve/keda.ts');
  const { authoritiesIn } = await import('../../planes/scaling/serve/door/certificates.ts');
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  try {
    const clients = (await readBounded(kedaCa, 256 << 10)).toString('utf8');
    if (authoritiesIn(clients).length === 0) throw new Error('it holds no certificate in PEM');
    return new Scaler({ ...kedaListen, ...parts, clients, clock, log: log.child({ room: 'keda' }) });
  } catch (error) {
    throw new InputError({
      reason: 'TlsFilesUnusable',
      path: '--keda-ca',
      message: `${kedaCa} cannot be used: ${messageOf(error)}`,
      fix: 'name the authority that issued the certificates of KEDA, in PEM',
    });
  }
}

async function openFiles({ given, clock, log }: ScalingHost): Promise<ServingFiles> {
  const { ServingFiles: Files } = await import('../../planes/scaling/serve/serving-files.ts');
  const { messageOf } = await import('../../model/values.ts');
  try {
    return await Files.open({ cert: given.servingCert, key: given.servingKey, clock, log });
  } catch (error) {
    throw new InputError({
      reason: 'TlsFilesUnusable',
      path: '--serving-cert, --serving-key',
      message: `the metrics APIs cannot be served: ${messageOf(error)}`,
      fix: 'name a certificate and its own key, in PEM, that this user may read',
    });
  }
}

function folderHasNoAutoscalers(cluster: string): InputError {
  return new InputError({
    reason: 'NoCluster',
    path: '--cluster',
    message: `Cluster ${cluster} is a folder of manifests, which has no autoscalers`,
    fix: 'name a Cluster whose source is a kubeconfig, or give one with --kubeconfig',
  });
}

/** Demand as the blades count it, or as somebody wrote it down. */
async function measureNow(platform: Platform, { given, access, clock }: ScalingHost): Promise<MeasuredNow> {
  if (given.demand !== undefined) {
    const { readDemandFile } = await import('../steering/demand-file.ts');
    const read = await readDemandFile(given.demand, clock.now());
    const partial = clustersOf(platform, read.silent);
    return { ...read, shares: given.share, seconds: 3600, hosts: new Map(), partial };
  }
  const { askAgent } = await import('../../observe/ask.ts');
  const { bladeTargets } = await import('../../observe/targets.ts');
  const { demandOf, hostRatesOf } = await import('../../observe/demand.ts');
  const { sharesByHosts } = await import('../../planes/scaling/demand.ts');
  const options = { timeoutMs: patienceMs, monotonic: () => clock.monotonic(), access };
  const agents = await Promise.all(bladeTargets(platform).map((target) => askAgent(target, options)));
  const measured = demandOf(platform, { agents, takenAtMs: clock.now() }, 'minute');
  if (measured.clusters.length === 0)
    throw new Error('no blade told what it measured: name a file with --demand where there are none');
  const { measuredAtMs, requestsPerSecond, unknownPerSecond, silent, unmeasured, seconds } = measured;
  const hosts = hostRatesOf({ agents });
  return {
    rates: { measuredAtMs, requestsPerSecond },
    unknownPerSecond,
    silent: silent.map(({ blade }) => blade),
    unmeasured,
    shares: given.share.size > 0 ? given.share : sharesByHosts(platform, hosts),
    seconds,
    hosts,
    partial: clustersOf(
      platform,
      silent.map(({ blade }) => blade),
    ),
  };
}

/** The clusters to which these blades belong. */
function clustersOf({ edgePools }: Platform, blades: readonly string[]): ReadonlySet<string> {
  const named = new Set(blades);
  const pools = [...edgePools.values()].filter(({ spec }) => spec.blades.some(({ name }) => named.has(name)));
  return new Set(pools.map(({ spec }) => spec.cluster));
}

function parseAnnounced(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError('Expected an IP address, such as 10.1.0.11.');
  if (address.text.startsWith('127.') || address.text === '::1')
    throw new InvalidArgumentError('The cluster cannot reach a loopback address: Kubernetes refuses it.');
  return address;
}

function parseEvery(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,3}$/.test(text) || seconds < 1 || seconds > 300)
    throw new InvalidArgumentError('Expected seconds, from 1 to 300.');
  return seconds;
}
