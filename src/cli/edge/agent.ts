import { resolve } from 'node:path';
import type { Command } from 'commander';
import { agentPaths, agentPorts, defaultRunDir, runFiles } from '../../model/contract.ts';
import { bladeOf } from '../../model/platform/places.ts';
import type { BladePlatform } from '../../planes/edge/compile/platform.ts';
import { type Agent, type AgentPlane, runAgent } from '../agent/host.ts';
import { addSpecOptions } from '../agent/spec-sources.ts';
import { addSourceOptions, addVisitorOptions, logLevelOption, parseListenAddress, parsePort } from '../options.ts';
import { type BladeArguments, type BladeHost, dataPlane, pairs, peers, publisher, speaker, vipBrake } from './parts.ts';

/** `tideline edge agent`: the agent of one blade, beside its nginx and its ExaBGP. */
export function registerAgent(edge: Command): void {
  const agent = edge
    .command('agent')
    .description("Keep a blade's nginx at the state of its cluster, and announce its VIPs while it is fit")
    .requiredOption('--pool <name>', 'the EdgePool')
    .requiredOption('--blade <name>', 'this blade')
    .option('--cluster <name>', 'the Cluster that the pool serves; needed without --platform')
    .option('--run-dir <dir>', 'folder of nginx-control, bgp.sock and the snapshots', defaultRunDir)
    .option(
      '--metrics-address <host:port>',
      `/metrics, /status and /healthz (default: <address of the blade>:${agentPorts.edge})`,
      parseListenAddress,
    )
    .option('--peer-port <port>', "port of the other blades' /vips (default: the same port)", parsePort)
    .option(
      '--withdraw-on-stop',
      'on SIGTERM drain and withdraw first (planned stop); without it everything stays as it is',
      false,
    )
    .addOption(logLevelOption())
    .action((given: BladeArguments) => runAgent(bladePlane, given));
  addSpecOptions(agent);
  addVisitorOptions(agent);
  addSourceOptions(agent);
}

const bladePlane: AgentPlane<BladeArguments, BladePlatform> = {
  name: 'edge',
  identity: ({ pool, blade }) => ({ pool, blade }),
  // The relay keeps the VIPs for two leases more while this agent loads and reads its cluster.
  notifyStarting: async ({ runDir }) => {
    const { sendStarting } = await import('../../bgp/driver/starting.ts');
    await sendStarting(resolve(runDir, runFiles.relaySocket));
  },
  view: async ({ pool, blade, cluster }) => {
    const { bladePlatform } = await import('../../planes/edge/compile/platform.ts');
    return (platform) => bladePlatform(platform, { pool, blade, cluster });
  },
  cluster: ({ pool }) => pool.spec.cluster,
  needs: async () => (await import('../../planes/edge/needs.ts')).edgeNeeds,
  // The other blades of the pool look for the endpoint at this address.
  listen: ({ pool }, { blade, metricsAddress }) => {
    const own = bladeOf(pool, blade)?.address.text ?? '127.0.0.1';
    return metricsAddress ?? { host: own, port: agentPorts.edge };
  },
  pool: ({ pool }) => pool,
  lastGood: runFiles.edgeSnapshot,
  agent: bladeAgent,
};

/** Makes the agent of a blade from its parts. */
async function bladeAgent(outside: BladeHost): Promise<Agent> {
  const brake = await vipBrake(outside);
  // All parts see the VIPs that are in force, those that leave their pool among them.
  const host: BladeHost = { ...outside, platform: () => brake.platform() };
  const { EdgeAgent } = await import('../../planes/edge/agent.ts');
  const { createCertificateReader } = await import('../../planes/edge/tables/certificate.ts');
  const { LeftOvers } = await import('../../planes/edge/vips/leftovers.ts');
  const { kernelLoopback: loopback } = await import('../../planes/edge/vips/loopback.ts');
  const { edgeMetrics } = await import('../../planes/edge/metrics.ts');
  const { httpProbe, tlsProbe } = await import('../../planes/edge/vips/probe.ts');
  const { tryEndpoint } = await import('../../planes/edge/vips/reach.ts');
  const { outageLines } = await import('../../bgp/faults.ts');
  const bgp = await speaker(host, () => brake.beyond);
  const { given, platform, platformStatus, source, lastGood, clock, log, registry } = host;
  const proxyProtocol = platform().pool.spec.trustedProxies?.via === 'proxyProtocol';
  const probing = { timeoutMs: 1000, proxyProtocol };
  const agent = new EdgeAgent({
    blade: given.blade,
    platform,
    specDigest: host.specDigest,
    brake,
    platformStatus,
    source,
    dataPlane: await dataPlane(host),
    speaker: bgp,
    peers: await peers(host),
    // A request from this host to the VIP on its loopback interface passes the whole data path; one is made every tick.
    probe: httpProbe(probing),
    probeTls: tlsProbe(probing),
    tryEndpoint,
    addAddresses: (vips) => loopback.add(vips),
    leftOvers: new LeftOvers({ loopback, platform, speaker: bgp, clock, log }),
    readCertificate: createCertificateReader(),
    // A blade that starts while its cluster cannot be reached serves the last state it knew.
    pairs: await pairs(host),
    snapshot: lastGood,
    ...(await publisher(host)),
    clock,
    log,
    metrics: edgeMetrics(registry),
  });
  return {
    start: () => agent.start(),
    platformChanged: () => agent.platformChanged(),
    status: () => agent.status(),
    doubting: () => agent.doubting(),
    documents: {
      [agentPaths.vips]: () => agent.vips(),
      [agentPaths.route]: (query) => agent.route({ host: query.get('host') ?? '', path: query.get('path') ?? '/' }),
    },
    health: () => [...outageLines(bgp.status()), ...agent.faults()],
    stop: async ({ withdraw }) => {
      try {
        if (withdraw) await agent.withdraw();
      } finally {
        await agent.stop();
      }
    },
  };
}
