import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KubeClient } from '../../kube/api/client.ts';
import type { SnapshotFile } from '../../kube/last-good.ts';
import type { Need } from '../../kube/needs.ts';
import type { ClusterSource } from '../../kube/source.ts';
import type { Address, Prefix } from '../../model/address.ts';
import { acceptFileOf } from '../../model/contract.ts';
import { serverPrefixes } from '../../model/platform/places.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { statusVersion } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { PlatformStatus, PlatformWatch } from '../../platform/watch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, LogLevel } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Door } from '../../runtime/visitors.ts';
import { clusterSource, describePlace, type SourceArguments, sourcePlace } from '../cluster-source.ts';
import { useCompileCache, writeCompileCache } from '../compile-cache.ts';
import type { ListenAddress } from '../options.ts';
import { Started } from './started.ts';

/** The options that every agent has. */
export interface AgentArguments extends SourceArguments {
  readonly platform: string;
  readonly runDir: string;
  /** Folder of the last-good state, and of the file by which a person accepts a loss; where absent, `runDir`. */
  readonly stateDir?: string;
  readonly withdrawOnStop: boolean;
  readonly logLevel: LogLevel;
  /** Networks that may visit the agent's endpoint, besides the servers of the platform. */
  readonly metricsFrom: readonly Prefix[];
  /** Names by which the endpoint may be called, besides the server's own. */
  readonly metricsName: readonly string[];
}

/**
 * What a plane provides to become an agent. The host calls the functions in this order; each imports what it needs when it is
 * called.
 */
export interface AgentPlane<Given extends AgentArguments, View> {
  /** Name of the agent, and the `component` of its logs and metrics. */
  readonly name: string;
  /** Fields that every line of its log has. */
  readonly identity: (given: Given) => Readonly<Record<string, string>>;
  /** Tells others that the agent starts; called before anything large is loaded, even if the start then fails. */
  readonly notifyStarting?: (given: Given) => Promise<void>;
  /**
   * Makes the function from a platform to the agent's view of it, which throws InputError when the platform lacks what the
   * agent needs.
   */
  readonly view: (given: Given) => Promise<(platform: Platform) => View>;
  /** Name of the Cluster that the agent reads. */
  readonly cluster: (view: View, given: Given) => string;
  /** What the agent needs of its cluster. */
  readonly needs: (given: Given) => Promise<readonly Need[]>;
  /** Where the agent's own endpoint listens. */
  readonly listen: (view: View, given: Given) => ListenAddress;
  /** The servers whose agents ask this one; absent when none does. */
  readonly peers?: (view: View) => readonly Address[];
  /** Name of the file that holds the last good state of the cluster. */
  readonly lastGood: string;
  /** Makes the agent from its parts, without starting anything. */
  readonly agent: (host: AgentHost<Given, View>) => Promise<Agent>;
}

/** What the host provides for the parts of an agent. */
export interface AgentHost<Given, View> {
  readonly given: Given;
  /** The view of the last good platform. */
  readonly platform: () => View;
  readonly platformStatus: () => PlatformStatus;
  readonly source: ClusterSource;
  /** The last good state of the cluster, against which the source judges its first list. */
  readonly lastGood: SnapshotFile;
  /** The file into which a person writes what the status names, to accept it. */
  readonly acceptFile: string;
  /** Undefined where the cluster is a folder of manifests. */
  readonly client: KubeClient | undefined;
  readonly listen: ListenAddress;
  /** Path of a file in the run directory. */
  readonly runFile: (name: string) => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

/** The agent of a plane, as the host sees it. */
export interface Agent {
  start(): void;
  /** Called when the platform, or its status, has changed. */
  platformChanged(): void;
  /** The plane's part of `/status`. */
  status(): object;
  /** What the plane tells agents of other servers and people beside its status, by path; absent when they ask nothing. */
  readonly documents?: Readonly<Record<string, (query: URLSearchParams) => object>>;
  /** What keeps this server from its work, a line each, for `/healthz`; absent when the plane cannot tell. */
  health?(): readonly string[];
  /** Ends the agent and leaves everything as it is; with `withdraw` it first withdraws, in order, what others can take over. */
  stop(how: { readonly withdraw: boolean }): Promise<void>;
}

/** What the host needs from the process; tests hand in their own. */
export interface Process {
  /** Resolves with the name of the first signal that asks for the end. */
  readonly shutdown: () => Promise<string>;
  readonly createLog: (component: string, level: LogLevel) => Log;
}

/** Every agent notices an edit of the platform folder within a second, so that a drain begins everywhere at once. */
const platformIntervalMs = 1000;

/**
 * Runs the agent of a plane until a signal asks for its end: platform, cluster, endpoint and agent are started in this order
 * and stopped in reverse. When a start fails half way, what was started is stopped, and this rejects with the failure; when
 * a stop fails, everything else is stopped nevertheless, and this rejects with that.
 */
export async function runAgent<Given extends AgentArguments, View>(
  plane: AgentPlane<Given, View>,
  given: Given,
  outside?: Process,
): Promise<void> {
  useCompileCache(given.runDir);
  await plane.notifyStarting?.(given);
  const { shutdown, createLog } = outside ?? (await thisProcess());
  const asked = shutdown();
  const log = createLog(plane.name, given.logLevel).child(plane.identity(given));
  const started = new Started(log);
  let withdraw = false;
  try {
    await start({ plane, given, log, started, withdraw: () => withdraw });
    writeCompileCache();
    const signal = await asked;
    withdraw = given.withdrawOnStop;
    log.info({ signal, withdraw }, `${plane.name} agent stops`);
  } catch (error) {
    await started.stop().catch(() => log.debug({}, 'stopping failed as well; the failure of the start is reported'));
    throw error;
  }
  await started.stop();
}

async function thisProcess(): Promise<Process> {
  const { createLog } = await import('../../runtime/log.ts');
  const { waitForShutdown } = await import('../../runtime/shutdown.ts');
  return { shutdown: waitForShutdown, createLog };
}

interface Start<Given extends AgentArguments, View> {
  readonly plane: AgentPlane<Given, View>;
  readonly given: Given;
  readonly log: Log;
  readonly started: Started;
  /** True when the agent ends by a planned stop; it is asked at the end only. */
  readonly withdraw: () => boolean;
}

async function start<Given extends AgentArguments, View>(how: Start<Given, View>): Promise<void> {
  const { plane, given, log, started } = how;
  const { systemClock: clock } = await import('../../runtime/clock.ts');
  const { createRegistry } = await import('../../runtime/metrics.ts');
  const { serveAgentEndpoint } = await import('../../runtime/endpoint.ts');
  const registry = createRegistry(plane.name);

  const watch = await watchPlatform(how, clock);
  const { view, platform } = watch.current();
  const cluster = plane.cluster(view, given);
  // Decided at the start alone: an edit of where a cluster is read must not keep an agent from obeying the rest, a Drain say.
  const place = sourcePlace(platform, cluster, given);
  const needs = await plane.needs(given);
  const kubeLog = log.child({ room: 'kube' });
  const runFile = (name: string): string => resolve(given.runDir, name);
  const { stateDir = given.runDir } = given;
  await mkdir(stateDir, { recursive: true });
  const { snapshotFile } = await import('../../kube/last-good.ts');
  const lastGood = snapshotFile(resolve(stateDir, plane.lastGood), kubeLog);
  const acceptFile = resolve(stateDir, acceptFileOf(plane.name, cluster));
  const { source, client } = await clusterSource({
    place,
    needs,
    acceptFile,
    lastGood: lastGood.read(),
    clock,
    log: kubeLog,
    registry,
  });
  if (client !== undefined) started.add('kube client', () => client.close());

  const listen = plane.listen(view, given);
  const agent = await plane.agent({
    given,
    platform: () => watch.current().view,
    platformStatus: () => watch.status(),
    source,
    lastGood,
    acceptFile,
    client,
    listen,
    runFile,
    clock,
    log,
    registry,
  });
  const common = { agent: plane.name, statusVersion, cluster, startedAtMs: clock.now() };
  const status = () => ({
    ...common,
    platform: watch.status(),
    ...withoutUndefined({ credentials: client?.credentials?.() }),
    ...agent.status(),
  });
  const endpoint = await serveAgentEndpoint({
    ...listen,
    registry,
    status,
    ...withoutUndefined({ documents: agent.documents }),
    health: () => agent.health?.() ?? [],
    door: () => doorOf(plane, given, watch.current()),
    names: [listen.host, ...Object.values(plane.identity(given)), ...given.metricsName],
    clock,
    log: log.child({ room: 'endpoint' }),
  });
  started.add('endpoint', () => endpoint.stop());

  started.add('agent', () => agent.stop({ withdraw: how.withdraw() }));
  watch.onChange(() => agent.platformChanged());
  agent.start();
  log.info({ cluster, source: describePlace(place), endpoint: endpoint.url }, `${plane.name} agent started`);
}

/** The platform, and the agent's view of it. */
interface Seen<View> {
  readonly platform: Platform;
  readonly view: View;
}

/** Programs of this host, the servers of every site, and the networks that a person named may visit an agent. */
function doorOf<Given extends AgentArguments, View>(
  { peers }: AgentPlane<Given, View>,
  { metricsFrom }: Given,
  { platform, view }: Seen<View>,
): Door {
  return { peers: peers?.(view) ?? [], networks: [...serverPrefixes(platform), ...metricsFrom] };
}

async function watchPlatform<Given extends AgentArguments, View>(
  { plane, given, log, started }: Start<Given, View>,
  clock: Clock,
): Promise<PlatformWatch<Seen<View>>> {
  const { PlatformWatch: Watch } = await import('../../platform/watch.ts');
  const viewOf = await plane.view(given);
  const watch = new Watch({
    path: given.platform,
    view: (platform) => ({ platform, view: viewOf(platform) }),
    clock,
    log,
    intervalMs: platformIntervalMs,
  });
  await watch.start();
  started.add('platform', () => watch.stop());
  return watch;
}
