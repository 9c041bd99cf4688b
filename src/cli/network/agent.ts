import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { agentPorts, defaultRunDir, runFiles } from '../../model/contract.ts';
import { InputError } from '../../model/problem.ts';
import type { Drain, Site } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { LogLevel } from '../../runtime/log.ts';
import {
  clusterSource,
  describePlace,
  type SourceArguments,
  type SourcePlace,
  sourcePlace,
  wantedByNetwork,
} from '../cluster-source.ts';
import { keepCompileCache, useCompileCache } from '../compile-cache.ts';
import { addSourceOptions, logLevelOption, parseListenAddress } from '../options.ts';

interface AgentArguments extends SourceArguments {
  readonly platform: string;
  readonly node: string;
  readonly cluster: string;
  readonly runDir: string;
  readonly metricsAddress: { readonly host: string; readonly port: number };
  readonly podsFrom: 'calico' | 'podCIDRs';
  readonly withdrawOnStop: boolean;
  readonly logLevel: LogLevel;
}

/** `tideline network agent`: announces this worker's pods. */
export function registerAgent(network: Command): void {
  const agent = network
    .command('agent')
    .description('Announce the pods of this worker through ExaBGP, with blackholes in the kernel')
    .requiredOption('--platform <path>', 'the platform spec, file or folder')
    .requiredOption('--node <name>', 'name of this worker, as Kubernetes and Calico have it')
    .requiredOption('--cluster <name>', 'the Cluster it belongs to')
    .option('--run-dir <folder>', "where the relay's socket bgp.sock is", defaultRunDir)
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
    .option('--withdraw-on-stop', 'withdraw every route before ending (default: routes stay)', false)
    .addOption(logLevelOption())
    .action(run);
  addSourceOptions(agent);
}

async function run(options: AgentArguments): Promise<void> {
  useCompileCache(options.runDir);
  const { createSpeaker } = await import('../../bgp/driver/speaker.ts');
  const { NetworkAgent } = await import('../../planes/network/agent.ts');
  const { limitsOfSites } = await import('../../planes/network/limits.ts');
  const { kernelBlackholes } = await import('../../planes/network/kernel/blackholes.ts');
  const { createLog } = await import('../../runtime/log.ts');
  const { systemClock: clock } = await import('../../runtime/clock.ts');
  const { createRegistry, serveAgentEndpoint } = await import('../../runtime/metrics.ts');
  const { waitForShutdown } = await import('../../runtime/shutdown.ts');
  const { PlatformWatch } = await import('../../platform/watch.ts');

  const stopped = waitForShutdown();
  const log = createLog('network', options.logLevel).child({ node: options.node });
  const registry = createRegistry('network');
  const watch = new PlatformWatch({
    path: options.platform,
    view: (platform) => nodePlatform(platform, options),
    clock,
    log,
    intervalMs: 3000,
  });
  await watch.start();
  const { place, sites } = watch.current();
  const { source, client } = await clusterSource({
    place,
    wanted: wantedByNetwork(options.node, options.podsFrom),
    cluster: options.cluster,
    runDir: options.runDir,
    clock,
    log,
    registry,
  });
  const agent = new NetworkAgent({
    node: options.node,
    podsFrom: options.podsFrom,
    spec: () => watch.current(),
    specProblem: () => watch.status().message,
    source,
    speaker: createSpeaker({
      socketPath: resolve(options.runDir, runFiles.relaySocket),
      limits: limitsOfSites(sites),
      clock,
      log,
      registry,
    }),
    blackholes: kernelBlackholes,
    clock,
    log,
    registry,
  });
  const endpoint = await serveAgentEndpoint({ ...options.metricsAddress, registry, status: () => agent.status() });
  watch.onChange(() => agent.refresh());
  agent.start();
  log.info({ cluster: options.cluster, source: describePlace(place), endpoint: endpoint.url }, 'network agent started');
  keepCompileCache();
  const signal = await stopped;
  log.info({ signal, withdraw: options.withdrawOnStop }, 'network agent stops');
  await watch.stop();
  try {
    await agent.stop(options.withdrawOnStop ? { timeoutMs: 10_000 } : undefined);
  } finally {
    await client?.close();
    await endpoint.stop();
  }
}

/** The platform as a worker sees it. */
interface NodePlatform {
  readonly place: SourcePlace;
  readonly sites: readonly Site[];
  readonly drains: readonly Drain[];
}

function nodePlatform(platform: Platform, given: AgentArguments): NodePlatform {
  const { cluster: name, platform: path } = given;
  const cluster = platform.clusters.get(name);
  if (cluster === undefined) {
    const names = [...platform.clusters.keys()].join(', ') || 'none';
    throw new InputError(`--cluster: no Cluster ${JSON.stringify(name)} in ${path} (there are: ${names})`);
  }
  return {
    place: sourcePlace(platform, name, given),
    sites: cluster.spec.sites.flatMap((site) => platform.sites.get(site) ?? []),
    drains: [...platform.drains.values()],
  };
}
