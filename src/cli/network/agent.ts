import { type Command, Option } from 'commander';
import { agentPorts, defaultRunDir, runFiles } from '../../model/contract.ts';
import { findObject } from '../../model/platform/find.ts';
import { freezeInForce } from '../../model/platform/freezes.ts';
import { sitesOfCluster } from '../../model/platform/places.ts';
import type { Drain, Site } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { PodsFrom } from '../../planes/network/needs.ts';
import { type Agent, type AgentArguments, type AgentHost, type AgentPlane, runAgent } from '../agent/host.ts';
import { addSpecOptions } from '../agent/spec-sources.ts';
import {
  addSourceOptions,
  addVisitorOptions,
  type ListenAddress,
  logLevelOption,
  parseListenAddress,
} from '../options.ts';

interface WorkerArguments extends AgentArguments {
  readonly node: string;
  readonly cluster: string;
  readonly metricsAddress: ListenAddress;
  readonly podsFrom: PodsFrom;
  readonly writeStatus: boolean;
}

/** `tideline network agent`: announces this worker's pods. */
export function registerAgent(network: Command): void {
  const agent = network
    .command('agent')
    .description('Announce the pods of this worker through ExaBGP, with blackholes in the kernel')
    .requiredOption('--node <name>', 'name of this worker, as Kubernetes and Calico have it')
    .requiredOption('--cluster <name>', 'the Cluster it belongs to')
    .option('--run-dir <folder>', "where the relay's socket bgp.sock is", defaultRunDir)
    .option(
      '--state-dir <folder>',
      'where the last-good state of the cluster is kept, and a loss is accepted (default: --run-dir)',
    )
    .addOption(
      new Option('--metrics-address <host:port>', 'where /metrics, /status and /healthz are served')
        .argParser(parseListenAddress)
        .default({ host: '127.0.0.1', port: agentPorts.network }, `127.0.0.1:${agentPorts.network}`),
    )
    .addOption(
      new Option('--pods-from <source>', "where the pods' prefixes come from")
        .choices(['calico', 'podCIDRs'])
        .default('calico'),
    )
    .option(
      '--write-status',
      'stand as the one worker that writes the status of Drains, in a cluster without an edge pool',
      false,
    )
    .option('--withdraw-on-stop', 'withdraw every route before ending (default: routes stay)', false)
    .addOption(logLevelOption())
    .action((given: WorkerArguments) => runAgent(workerPlane, given));
  addSpecOptions(agent);
  addVisitorOptions(agent);
  addSourceOptions(agent);
}

/** The platform as a worker sees it. */
interface WorkerPlatform {
  readonly sites: readonly Site[];
  readonly drains: readonly Drain[];
  readonly freezes: Platform['freezes'];
  readonly whole: Platform;
}

type WorkerHost = AgentHost<WorkerArguments, WorkerPlatform>;

const workerPlane: AgentPlane<WorkerArguments, WorkerPlatform> = {
  name: 'network',
  identity: ({ node }) => ({ node }),
  view:
    async ({ cluster, platform: path }) =>
    (platform) => ({
      sites: sitesOfCluster(
        platform,
        findObject(platform, 'Cluster', cluster, { option: '--cluster', place: path ?? 'the APIs' }).metadata.name,
      ),
      drains: [...platform.drains.values()],
      freezes: platform.freezes,
      whole: platform,
    }),
  cluster: (_, { cluster }) => cluster,
  needs: async ({ node, podsFrom }) => {
    const { networkNeeds } = await import('../../planes/network/needs.ts');
    return networkNeeds({ node, podsFrom });
  },
  listen: (_, { metricsAddress }) => metricsAddress,
  lastGood: runFiles.networkSnapshot,
  agent: workerAgent,
};

/** Makes the agent of a worker from its parts. */
async function workerAgent(host: WorkerHost): Promise<Agent> {
  const { createSpeaker } = await import('../../bgp/driver/speaker.ts');
  const { outageLines } = await import('../../bgp/faults.ts');
  const { AcceptFile } = await import('../../kube/watch/accept-file.ts');
  const { NetworkAgent } = await import('../../planes/network/agent.ts');
  const { addressesHere } = await import('../../planes/network/kernel/addresses.ts');
  const { kernelBlackholes } = await import('../../planes/network/kernel/blackholes.ts');
  const { given, platform, platformStatus, source, lastGood, acceptFile, runFile, clock, log, registry } = host;
  // The ExaBGP of this worker, driven through its relay. There is no lease: a worker's routes stay when its agent falls silent.
  const speaker = createSpeaker({
    socketPath: runFile(runFiles.relaySocket),
    // An edit of a Site is judged by the agent first: it may wait.
    limits: () => agent.limits(),
    clock,
    log: log.child({ room: 'bgp' }),
    registry,
  });
  const agent = new NetworkAgent({
    node: given.node,
    podsFrom: given.podsFrom,
    spec: () => {
      const { sites, drains, freezes } = platform();
      return { sites, drains, frozen: freezeInForce({ freezes }, clock.now()) !== undefined };
    },
    specProblem: () => platformStatus().message,
    source,
    // A worker that starts while its cluster cannot be reached announces the last state it knew.
    snapshot: lastGood,
    speaker,
    // Packets to an address of a block that no pod has end in a blackhole, instead of looping.
    accepts: new AcceptFile(acceptFile, log),
    blackholes: kernelBlackholes,
    addresses: addressesHere,
    clock,
    log,
    registry,
  });
  const { workerStatuses } = await import('./statuses.ts');
  const statuses = given.writeStatus ? await workerStatuses(host, () => platform().whole) : undefined;
  return {
    start: () => {
      agent.start();
      statuses?.start();
    },
    platformChanged: () => agent.refresh(),
    status: () => ({ ...agent.status(), ...withoutUndefined({ writing: statuses?.status() }) }),
    doubting: () => agent.doubting(),
    health: () => [...outageLines(speaker.status()), ...agent.faults()],
    stop: async ({ withdraw }) => {
      await statuses?.stop();
      await agent.stop(withdraw ? { timeoutMs: 10_000 } : undefined);
    },
  };
}
