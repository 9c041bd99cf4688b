import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Platform } from '../src/model/spec/platform.ts';
import type { SteeringStatus } from '../src/model/steering-status.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { Ledger } from './clients/ledger.ts';
import type { ClientsConfig, Outcome } from './clients/protocol.ts';
import {
  type AgentCertificates,
  agentCertificateFolder,
  makeAgentCertificates,
} from './clusters/agent-certificates.ts';
import { makeCertificate, type SelfMadeCertificate } from './clusters/certificate.ts';
import { type ControlPlanePrograms, makeCluster } from './clusters/make.ts';
import type { RunningCluster } from './clusters/running.ts';
import { stillMissing } from './missing.ts';
import { labNetworks, Network } from './net/network.ts';
import { type Service, Supervisor } from './supervise.ts';
import { application } from './world/application.ts';
import { Cloud } from './world/cloud.ts';
import { planAndApply, startNameServers } from './world/dns.ts';
import { buildNetwork, type Link, linksOf } from './world/links.ts';
import { preparePlatform } from './world/platform.ts';
import { prometheusAddress, startPrometheus } from './world/prometheus.ts';
import { type Router, routersOf } from './world/routers.ts';
import { startBlade, startWorker } from './world/servers.ts';
import { startSteering, steeringAddress } from './world/steering.ts';
import { nameServers, type World, worldOf } from './world/topology.ts';

export interface LabOptions {
  /** The folder that is kept after the end: platform, logs, certificates. */
  readonly stateFolder: string;
  /** The folder that ends with the box: sockets, configuration of daemons. */
  readonly runFolder: string;
  /** The platform spec to copy. */
  readonly specFolder: string;
  /** The tideline command; `node` is the Node program that runs it. */
  readonly tideline: string;
  readonly node: string;
  readonly clock: Clock;
  /** The environment of every program of the world. */
  readonly environment: Readonly<Record<string, string>>;
  readonly progress: (step: Progress) => void;
  /** True when agents have certificates, and require them. */
  readonly tls?: boolean;
  /** The file of alerts for a Prometheus of the lab; when absent, there is none. */
  readonly alertRules?: string;
  /** What the steering agent of the lab may do; when absent, there is none. */
  readonly steering?: SteeringStatus['mode'];
  /** The programs of real control planes; when absent, folders of manifests play them. */
  readonly controlPlanes?: ControlPlanePrograms;
}

export interface Progress {
  readonly what: string;
  /** The time since the start of the lab. */
  readonly elapsedMs: number;
}

const podsPerWorker = 2;
const requestsPerSecond = 2.5;
/** Of all users of a flash crowd together: more than the pods of one cloud region serve, and less than those of all. */
const crowdPerSecond = 110;

/**
 * The platform in a box. It must run inside a box of its own (see box.ts), because it makes namespaces and starts everything in
 * them; `start` resolves when a client of every country has been served.
 */
export class Lab {
  readonly options: LabOptions;
  readonly network = new Network(labNetworks);
  readonly ledger = new Ledger();
  readonly supervisor: Supervisor;
  #platform: Platform | undefined;
  #world: World | undefined;
  #links: readonly Link[] = [];
  #routers: readonly Router[] = [];
  #clusters: ReadonlyMap<string, RunningCluster> = new Map();
  /** The file of the certificate that users trust. */
  #trust: string | undefined;
  #certificates: AgentCertificates | undefined;
  #startedAt = 0;
  /** Milliseconds from the start to the first request that a client got served. */
  firstServedAfterMs: number | undefined;

  constructor(options: LabOptions) {
    this.options = options;
    this.supervisor = new Supervisor({
      network: this.network,
      logFolder: this.logFolder,
      clock: options.clock,
      environment: options.environment,
    });
  }

  get logFolder(): string {
    return join(this.options.stateFolder, 'logs');
  }
  get platformFolder(): string {
    return join(this.options.stateFolder, 'platform');
  }
  get platform(): Platform {
    return started(this.#platform);
  }
  get world(): World {
    return started(this.#world);
  }
  get links(): readonly Link[] {
    return this.#links;
  }
  get routers(): readonly Router[] {
    return this.#routers;
  }
  get clusters(): ReadonlyMap<string, RunningCluster> {
    return this.#clusters;
  }
  /** True when the clusters have real control planes. */
  get hasControlPlanes(): boolean {
    return this.options.controlPlanes !== undefined;
  }
  /** The certificate with which the operator asks agents; undefined when they have none. */
  get agentAccess() {
    return this.#certificates?.operator.pem;
  }
  /** Where the lab's Prometheus answers. */
  get alerts(): string | undefined {
    return this.options.alertRules === undefined ? undefined : prometheusAddress;
  }
  /** Where the lab's steering agent answers. */
  get steering(): string | undefined {
    return this.options.steering === undefined ? undefined : steeringAddress;
  }
  get runFolder(): string {
    return this.options.runFolder;
  }
  get node(): string {
    return this.options.node;
  }
  get clock(): Clock {
    return this.options.clock;
  }
  get uptimeMs(): number {
    return this.clock.monotonic() - this.#startedAt;
  }

  async start(): Promise<void> {
    const { options } = this;
    this.#startedAt = options.clock.monotonic();
    await rm(this.logFolder, { recursive: true, force: true });
    await rm(join(options.stateFolder, agentCertificateFolder), { recursive: true, force: true });
    await mkdir(this.logFolder, { recursive: true });
    await mkdir(options.runFolder, { recursive: true });
    this.#platform = await preparePlatform(options.specFolder, this.platformFolder, this.hasControlPlanes);
    this.#world = worldOf(this.platform, this.hasControlPlanes);
    this.#links = linksOf(this.world);
    this.#routers = routersOf(this.world, this.#links);
    const [certificate] = await Promise.all([
      makeCertificate(join(options.stateFolder, 'tls'), [application.host]),
      buildNetwork(this.network, this.world, this.#links),
    ]);
    this.#reportProgress('network: namespaces, links, addresses');
    if (options.tls === true) this.#certificates = await makeAgentCertificates(options.stateFolder, this.world);
    await this.#makeClusters(certificate);
    await Promise.all([
      this.#startRouters(),
      this.#startClusters(),
      this.#startServers(),
      this.#startCloud(certificate),
      this.#startDns(certificate),
    ]);
    if (options.alertRules !== undefined) await this.#startPrometheus(options.alertRules);
    await this.#waitUntilServed();
    this.#startSteering();
    this.#reportProgress('every country is served');
  }

  #reportProgress(what: string): void {
    this.options.progress({ what, elapsedMs: Math.round(this.uptimeMs) });
  }

  async #startRouters(): Promise<void> {
    const folder = join(this.options.runFolder, 'bird');
    await mkdir(folder, { recursive: true });
    for (const router of this.#routers) {
      const file = join(folder, `${router.name}.conf`);
      await writeFile(file, router.config);
      this.supervisor.start({
        name: `${router.name}/bird`,
        namespace: router.name,
        command: 'bird',
        arguments: ['-f', '-c', file, '-s', this.birdSocket(router.name)],
      });
    }
    this.#reportProgress('routers: BIRD in the transits, racks and cloud regions');
  }

  birdSocket(router: string): string {
    return join(this.options.runFolder, 'bird', `${router}.ctl`);
  }

  async #makeClusters(certificate: SelfMadeCertificate): Promise<void> {
    const clusters = this.world.datacentres.map(async (datacentre, index) => {
      const ingressClass = this.platform.edgePools.get(datacentre.pool)?.spec.ingressClass ?? 'tideline';
      return [datacentre.cluster, await makeCluster(this, { datacentre, index, ingressClass, certificate })] as const;
    });
    this.#clusters = new Map(await Promise.all(clusters));
  }

  async #startClusters(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.start(podsPerWorker)));
    const what = this.hasControlPlanes ? 'control planes' : 'manifests';
    this.#reportProgress(`clusters: ${what}, ${podsPerWorker} pods on each worker`);
  }

  async #startServers(): Promise<void> {
    const { supervisor, options, platformFolder } = this;
    const { tideline, runFolder, environment } = options;
    const certificateOf = (server: string) => this.#certificates?.servers.get(server)?.files;
    const common = { supervisor, tideline, platformFolder, runFolder, environment, certificateOf };
    const starts = [...this.#clusters.values()].flatMap((cluster) => [
      ...cluster.datacentre.blades.map((blade) => () => startBlade(common, cluster, blade)),
      ...cluster.datacentre.workers.map((worker) => () => startWorker(common, cluster, worker)),
    ]);
    // Two agents start at a time: all at once would take the processors from the name servers, which clients wait for.
    const agents: Promise<void>[] = [];
    const lane = async (): Promise<void> => {
      for (let next = starts.shift(); next !== undefined; next = starts.shift()) agents.push((await next()).agent);
    };
    await Promise.all([lane(), lane()]);
    await Promise.all(agents);
    this.#reportProgress('servers: ExaBGP, nginx and the agents on workers and blades');
  }

  async #startPrometheus(rulesFile: string): Promise<void> {
    const { supervisor, world, options } = this;
    const certificate = this.#certificates?.operator.files;
    await startPrometheus({
      supervisor,
      world,
      rulesFile,
      runFolder: options.runFolder,
      certificate,
      steering: this.steering,
    });
    this.#reportProgress('alerts: Prometheus asks every agent');
  }

  /** Starts when all is healthy, so that it has nothing to wait for. */
  #startSteering(): void {
    const { mode, ...options } = { ...this.options, mode: this.options.steering };
    if (mode === undefined) return;
    startSteering({ ...options, supervisor: this.supervisor, platformFolder: this.platformFolder, mode });
    this.#reportProgress(`steering: the agent keeps the zones, in the mode ${mode}`);
  }

  async #startCloud(certificate: SelfMadeCertificate): Promise<void> {
    const cloud = new Cloud({
      ...this.options,
      world: this.world,
      platform: this.platform,
      network: this.network,
      supervisor: this.supervisor,
      certificate,
    });
    await cloud.start();
    this.#reportProgress('cloud: pods in two zones of each region, and a load balancer that knows their capacity');
  }

  async #startDns(certificate: SelfMadeCertificate): Promise<void> {
    const { clock, runFolder, node, tideline, environment } = this.options;
    const { platformFolder, supervisor } = this;
    const zone = this.platform.policies.get(application.policy)?.spec.dns.zone ?? '';
    await startNameServers({ supervisor, clock, runFolder, zone, node, tideline, environment });
    this.#reportProgress('name servers: the Route 53 emulator and PowerDNS answer');
    await planAndApply({ tideline, platformFolder, environment });
    this.#reportProgress('records: tideline steering plan, tideline steering apply');
    this.#startClients(certificate);
  }

  #startClients(certificate: SelfMadeCertificate): void {
    this.#trust = certificate.chainFile;
    for (const { name } of this.world.users) this.supervisor.start(this.#clientsOf(name, 'clients', requestsPerSecond));
  }

  /** More users at one place, each of whom sends much more: the fault `flash-crowd` starts it. */
  crowdOf(users: string): Service {
    const count = this.world.users.find(({ name }) => name === users)?.clients.length ?? 1;
    return this.#clientsOf(users, 'crowd', crowdPerSecond / count);
  }

  #clientsOf(users: string, program: string, perSecond: number): Service {
    const config: ClientsConfig = {
      clients: this.world.users.find(({ name }) => name === users)?.clients ?? [],
      nameServers,
      host: application.host,
      trust: started(this.#trust),
      requestsPerSecond: perSecond,
      timeoutMs: 2000,
    };
    return {
      name: `${users}/${program}`,
      namespace: users,
      command: this.options.node,
      arguments: [join(import.meta.dirname, 'clients', 'main.ts'), JSON.stringify(config)],
      onLine: (line) => this.#record(JSON.parse(line) as Outcome),
    };
  }

  #record(outcome: Outcome): void {
    this.ledger.record(outcome);
    if (outcome.failure !== undefined || this.firstServedAfterMs !== undefined) return;
    this.firstServedAfterMs = Math.round(this.uptimeMs);
    this.#reportProgress(`first request served: ${outcome.country} by ${outcome.pod}`);
  }

  /** Resolves when every country's last request through either name server was served. */
  async #waitUntilServed(): Promise<void> {
    const wanted = this.world.users.flatMap((site) => site.clients).length;
    const unserved = (): string | undefined =>
      this.ledger.servedClients() >= wanted ? undefined : this.ledger.unserved().join(', ');
    const missing = await stillMissing(unserved, { clock: this.clock, timeoutMs: 60_000 });
    if (missing !== undefined)
      throw new Error(`not every country is served after 60 s: ${missing} (see ${this.logFolder})`);
  }

  /** Ends every process; namespaces and mounts end with the box. */
  async stop(): Promise<void> {
    await this.supervisor.stop();
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.stop()));
  }
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the lab has not started');
  return value;
}
