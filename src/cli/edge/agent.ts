import { join } from 'node:path';
import type { Command } from 'commander';
import { agentPorts, defaultRunDir, runFiles } from '../../model/contract.ts';
import type { EdgeAgentOptions } from '../../planes/edge/agent/agent.ts';
import type { BladePlatform } from '../../planes/edge/agent/platform.ts';
import type { SnapshotFile } from '../../planes/edge/agent/snapshot.ts';
import type { Log, LogLevel } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { clusterSource, type SourceArguments, sourcePlace, wantedByEdge } from '../cluster-source.ts';
import { keepCompileCache, useCompileCache } from '../compile-cache.ts';
import { addSourceOptions, type ListenAddress, logLevelOption, parseListenAddress, parsePort } from '../options.ts';
import { edgePublisher } from './publisher.ts';

interface AgentArguments extends SourceArguments {
  readonly platform: string;
  readonly pool: string;
  readonly blade: string;
  readonly runDir: string;
  readonly metricsAddress?: ListenAddress;
  readonly peerPort?: number;
  readonly withdrawOnStop: boolean;
  readonly logLevel: LogLevel;
}

/** `tideline edge agent`: the agent of one blade, beside its nginx and its ExaBGP. */
export function registerAgent(edge: Command): void {
  const agent = edge
    .command('agent')
    .description("Keep a blade's nginx at the state of its cluster, and announce its VIPs while it is fit")
    .requiredOption('--platform <dir>', 'folder of the platform spec; watched, a bad edit changes nothing')
    .requiredOption('--pool <name>', 'the EdgePool')
    .requiredOption('--blade <name>', 'this blade')
    .option('--run-dir <dir>', 'folder of nginx.sock, bgp.sock and the snapshot', defaultRunDir)
    .option(
      '--metrics-address <host:port>',
      `/metrics, /status and /healthz (default: <address of the blade>:${agentPorts.edge})`,
      parseListenAddress,
    )
    .option('--peer-port <port>', "port of the other blades' /status (default: the same port)", parsePort)
    .option(
      '--withdraw-on-stop',
      'on SIGTERM drain and withdraw first (planned stop); without it everything stays as it is',
      false,
    )
    .addOption(logLevelOption())
    .action(run);
  addSourceOptions(agent);
}

async function run(options: AgentArguments): Promise<void> {
  useCompileCache(options.runDir);
  const { tellStarting } = await import('../../bgp/driver/starting.ts');
  await tellStarting(relaySocket(options.runDir));
  const { mkdir } = await import('node:fs/promises');
  const { EdgeAgent } = await import('../../planes/edge/agent/agent.ts');
  const { bladePlatform } = await import('../../planes/edge/agent/platform.ts');
  const { PlatformWatch } = await import('../../platform/watch.ts');
  const { systemClock } = await import('../../runtime/clock.ts');
  const { createLog } = await import('../../runtime/log.ts');
  const { createRegistry, serveAgentEndpoint } = await import('../../runtime/metrics.ts');
  const { waitForShutdown } = await import('../../runtime/shutdown.ts');

  const shutdown = waitForShutdown();
  const log = createLog('edge', options.logLevel).child({ pool: options.pool, blade: options.blade });
  const registry = createRegistry('edge');
  const watch = new PlatformWatch({
    path: options.platform,
    view: (platform) => bladePlatform(platform, options.pool, options.blade),
    clock: systemClock,
    log,
    intervalMs: 1000,
  });
  await watch.start();
  try {
    await mkdir(options.runDir, { recursive: true });
    const listen = options.metricsAddress ?? { host: addressOf(watch.current(), options.blade), port: agentPorts.edge };
    const peerPort = options.peerPort ?? listen.port;
    const parts = await composeParts({ options, platform: () => watch.current(), log, registry, peerPort });
    const agent = new EdgeAgent({ ...parts, platformStatus: () => watch.status() });
    watch.onChange(() => agent.platformChanged());
    const endpoint = await serveAgentEndpoint({ ...listen, registry, status: () => agent.status() });
    agent.start();
    log.info({ url: endpoint.url }, 'edge agent started');
    keepCompileCache();
    const signal = await shutdown;
    log.info({ signal, withdraw: options.withdrawOnStop }, 'edge agent stops');
    if (options.withdrawOnStop) await agent.withdraw();
    await agent.stop();
    await endpoint.stop();
  } finally {
    await watch.stop();
  }
}

interface Composition {
  readonly options: AgentArguments;
  readonly platform: () => BladePlatform;
  readonly log: Log;
  readonly registry: Registry;
  readonly peerPort: number;
}

async function composeParts({
  options,
  platform,
  log,
  registry,
  peerPort,
}: Composition): Promise<Omit<EdgeAgentOptions, 'platformStatus'>> {
  const { createSpeaker } = await import('../../bgp/driver/speaker.ts');
  const { limitsOf } = await import('../../bgp/render/limits.ts');
  const { resolveServer } = await import('../../bgp/render/server.ts');
  const { createCertificateReader } = await import('../../planes/edge/agent/certificate.ts');
  const { addToLoopback } = await import('../../planes/edge/agent/loopback.ts');
  const { edgeMetrics } = await import('../../planes/edge/agent/metrics.ts');
  const { HttpPeers } = await import('../../planes/edge/agent/peers.ts');
  const { httpProbe } = await import('../../planes/edge/agent/probe.ts');
  const { createDataPlane } = await import('../../planes/edge/nginx/driver.ts');
  const { systemClock: clock } = await import('../../runtime/clock.ts');

  const { blade, runDir } = options;
  const now = platform();
  const server = resolveServer(now.platform, blade, undefined);
  const { cluster } = now.pool.spec;
  const { source, client } = await clusterSource({
    place: sourcePlace(now.platform, cluster, options),
    wanted: wantedByEdge,
    cluster,
    runDir,
    clock,
    log: log.child({ room: 'kube' }),
    registry,
  });
  return {
    blade,
    platform,
    source,
    ...(await edgePublisher({ client, platform, blade, clock, log, registry })),
    dataPlane: createDataPlane({
      socketPath: join(runDir, runFiles.nginxSocket),
      clock,
      log: log.child({ room: 'nginx' }),
    }),
    speaker: createSpeaker({
      socketPath: relaySocket(runDir),
      limits: limitsOf(server.site),
      ...(server.blade === undefined ? {} : { lease: server.blade.lease }),
      clock,
      log: log.child({ room: 'bgp' }),
      registry,
    }),
    peers: new HttpPeers({
      clock,
      port: peerPort,
      peers: () =>
        platform()
          .pool.spec.blades.filter(({ name }) => name !== blade)
          .map(({ name, address }) => ({ name, address: address.text })),
      intervalMs: 1000,
      timeoutMs: 500,
    }),
    probe: httpProbe(1000),
    addAddresses: addToLoopback,
    readCertificate: createCertificateReader(),
    snapshot: snapshotFile(join(runDir, runFiles.edgeSnapshot), log),
    clock,
    log,
    metrics: edgeMetrics(registry),
  };
}

/** The snapshot of this blade; that none is there yet is no news. */
function snapshotFile(file: string, log: Log): SnapshotFile {
  return {
    async read() {
      const { readSnapshot } = await import('../../kube/snapshot.ts');
      const read = await readSnapshot(file);
      if (read.ok) return read.state;
      const reason = read.reason === 'SourceMissing' ? 'SnapshotMissing' : 'SnapshotUnreadable';
      log.warn({ reason, file, problem: read.message }, 'no snapshot to serve');
      return undefined;
    },
    async write(state) {
      const { writeSnapshot } = await import('../../kube/snapshot.ts');
      await writeSnapshot(file, state);
    },
  };
}

function relaySocket(runDir: string): string {
  return join(runDir, runFiles.relaySocket);
}

function addressOf({ pool }: BladePlatform, blade: string): string {
  return pool.spec.blades.find(({ name }) => name === blade)?.address.text ?? '127.0.0.1';
}
