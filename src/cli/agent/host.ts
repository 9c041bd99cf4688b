import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import type { KubeClient } from '../../kube/api/client.ts';
import type { SnapshotFile } from '../../kube/last-good.ts';
import type { Need } from '../../kube/needs.ts';
import type { ClusterSource } from '../../kube/source.ts';
import type { Prefix } from '../../model/address.ts';
import { acceptFileOf, agentPaths, folderCopyOf, historyFileOf } from '../../model/contract.ts';
import { freezeInForce } from '../../model/platform/freezes.ts';
import { serverPrefixes } from '../../model/platform/places.ts';
import type { EdgePool } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { type DoubtPart, statusVersion } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Verdict } from '../../platform/spec-api.ts';
import type { PlatformStatus, PlatformWatch } from '../../platform/watch.ts';
import type { PlatformApi } from '../../platform-api/source.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, LogLevel } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { AgentAccess } from '../../runtime/tls/line.ts';
import type { ServerName } from '../../runtime/tls/names.ts';
import type { Door } from '../../runtime/visitors.ts';
import { clusterSource, describePlace, noCluster, type SourceArguments } from '../cluster-source.ts';
import { useCompileCache, writeCompileCache } from '../compile-cache.ts';
import type { ListenAddress } from '../options.ts';
import { namedFolder } from '../platform-copy.ts';
import type { TlsArguments } from '../tls.ts';
import type { History } from './history.ts';
import { ownCluster, placeOf } from './place.ts';
import { type SpecArguments, specSources } from './spec-sources.ts';
import { Started } from './started.ts';
import { endpointView, followCertificates, gatesOf } from './tls.ts';

/** The options that every agent has. */
export interface AgentArguments extends SourceArguments, SpecArguments, TlsArguments {
  /** The Cluster of the agent; where absent, the platform says it, so without a folder it must be there. */
  readonly cluster?: string;
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
  /** Name of the Cluster that the agent reads; undefined for one that has none. */
  readonly cluster: (view: View, given: Given) => string | undefined;
  /** True when the agent may have no cluster, also where no folder says which one it has. */
  readonly mayLackCluster?: true;
  /** What the agent needs of its cluster. */
  readonly needs: (given: Given) => Promise<readonly Need[]>;
  /** Where the agent's own endpoint listens. */
  readonly listen: (view: View, given: Given) => ListenAddress;
  /** The pool whose blades ask this agent; absent when none do. */
  readonly pool?: (view: View) => EdgePool;
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
  /** The digest of the last good platform. */
  readonly specDigest: () => string;
  readonly source: ClusterSource;
  /** The last good state of the cluster, against which the source judges its first list. */
  readonly lastGood: SnapshotFile;
  /** The file into which a person writes what the status names, to accept it. */
  readonly acceptFile: string;
  /** The APIs that are a source of the platform, and what became of each of their objects. */
  readonly apis: readonly PlatformApi[];
  readonly verdicts: () => readonly Verdict[];
  /** Undefined where the cluster is a folder of manifests. */
  readonly client: KubeClient | undefined;
  readonly listen: ListenAddress;
  /** The certificate by which the agent asks others; undefined where certificates are not used. */
  readonly access: AgentAccess | undefined;
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
  /** What the plane doubts beside what its source does; absent when it never doubts. */
  doubting?(): DoubtPart;
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
  said: Given,
  outside?: Process,
): Promise<void> {
  const given = namedFolder(said);
  useCompileCache(given.runDir);
  await plane.notifyStarting?.(given);
  const { shutdown, createLog } = outside ?? (await thisProcess());
  const asked = shutdown();
  const log = createLog(plane.name, given.logLevel).child(plane.identity(given));
  const started = new Started(log);
  let withdraw = false;
  try {
    await start({ plane, given, log, started, asked, withdraw: () => withdraw });
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
  /** Resolves when somebody asks for the end. */
  readonly asked: Promise<unknown>;
  /** True when the agent ends by a planned stop; it is asked at the end only. */
  readonly withdraw: () => boolean;
}

async function start<Given extends AgentArguments, View>(how: Start<Given, View>): Promise<void> {
  const { plane, given, log, started } = how;
  const { systemClock: clock } = await import('../../runtime/clock.ts');
  const { createRegistry } = await import('../../runtime/metrics.ts');
  const { joined, measureDoubts } = await import('../../runtime/doubts.ts');
  const { serveAgentEndpoint } = await import('../../runtime/endpoint.ts');
  const { identityMetrics } = await import('../../runtime/identity.ts');
  const registry = createRegistry(plane.name);
  const identity = identityMetrics(registry, packageJson.version);

  const tls = await followCertificates(given, { clock, registry, started, log: log.child({ room: 'tls' }) });
  const watch = await watchPlatform(how, clock);
  const cluster = watch.started ? plane.cluster(watch.current().view, given) : clusterWithoutFolder(plane, given);
  const reading = { watch, cluster, clock, registry };
  const { place, source, client, lastGood, acceptFile, apis } = await readSources(how, reading);
  if (!(await isReady(watch, how))) return;
  const { viewOf } = await import('../../platform-api/view.ts');
  const listen = plane.listen(watch.current().view, given);
  const agent = await plane.agent({
    given,
    platform: () => watch.current().view,
    platformStatus: () => watch.status(),
    specDigest: () => watch.current().digest,
    source,
    lastGood,
    acceptFile,
    apis,
    verdicts: () => watch.verdicts(),
    client,
    listen,
    access: tls?.access,
    runFile: (name) => resolve(given.runDir, name),
    clock,
    log,
    registry,
  });
  const doubting = (): DoubtPart => joined([source, ...apis, agent].flatMap((part) => part.doubting?.() ?? []));
  measureDoubts(registry, clock, () => doubting().doubts);
  const common = {
    agent: plane.name,
    version: packageJson.version,
    statusVersion,
    ...withoutUndefined({ cluster }),
    startedAtMs: clock.now(),
  };
  const status = () => ({
    ...common,
    platform: { ...watch.status(), digest: watch.current().digest, ...viewOf(apis, watch.verdicts()) },
    ...withoutUndefined({ credentials: client?.credentials?.() }),
    endpoint: endpointView(tls),
    ...withoutUndefined({ frozen: freezeInForce(watch.current().platform, clock.now())?.spec }),
    ...doubting(),
    ...agent.status(),
  });
  const history = await keepHistory(how, { cluster, status, clock });
  const endpoint = await serveAgentEndpoint({
    ...listen,
    registry,
    status,
    documents: { ...agent.documents, [agentPaths.history]: (query) => history.answer(query) },
    health: () => agent.health?.() ?? [],
    door: () => doorOf(how, listen, watch.current()),
    ...withoutUndefined({ tls: tls?.rules }),
    names: [listen.host, ...Object.values(plane.identity(given)), ...given.metricsName],
    clock,
    log: log.child({ room: 'endpoint' }),
  });
  started.add('endpoint', () => endpoint.stop());

  started.add('agent', () => agent.stop({ withdraw: how.withdraw() }));
  identity.setDigest(watch.current().digest);
  watch.onChange(() => {
    identity.setDigest(watch.current().digest);
    agent.platformChanged();
  });
  agent.start();
  history.start();
  log.info(
    { ...withoutUndefined({ cluster, source: place && describePlace(place) }), endpoint: endpoint.url },
    `${plane.name} agent started`,
  );
}

function clusterWithoutFolder<Given extends AgentArguments, View>(
  { mayLackCluster }: AgentPlane<Given, View>,
  given: Given,
): string | undefined {
  return mayLackCluster === true ? given.cluster : ownCluster(given);
}

/** Waits for a platform where there is no folder. Resolves with false when somebody asks for the end before there is one. */
async function isReady(
  watch: Pick<PlatformWatch<unknown>, 'started' | 'start'>,
  { asked }: { readonly asked: Promise<unknown> },
): Promise<boolean> {
  if (!watch.started) await Promise.race([watch.start(), asked]);
  return watch.started;
}

/** Opens the journal of what this agent decides; it is closed after the agent has ended. */
async function keepHistory<Given extends AgentArguments, View>(
  { plane, given, log, started }: Start<Given, View>,
  {
    cluster,
    status,
    clock,
  }: { readonly cluster: string | undefined; readonly status: () => object; readonly clock: Clock },
): Promise<History> {
  const { Journal } = await import('../../runtime/journal.ts');
  const { History: AgentHistory } = await import('./history.ts');
  const path = resolve(given.stateDir ?? given.runDir, historyFileOf(plane.name, cluster));
  const roomLog = log.child({ room: 'history' });
  const journal = new Journal({ path, clock, log: roomLog });
  await journal.open();
  const history = new AgentHistory({ journal, status, clock, log: roomLog });
  started.add('history', () => history.stop(serverName(plane, given)));
  return history;
}

/** Makes the source of the cluster's objects, and makes its API a source of the platform spec. */
async function readSources<Given extends AgentArguments, View>(
  { plane, given, log, started }: Start<Given, View>,
  {
    watch,
    cluster,
    clock,
    registry,
  }: {
    readonly watch: PlatformWatch<Seen<View>>;
    readonly cluster: string | undefined;
    readonly clock: Clock;
    readonly registry: Registry;
  },
) {
  // Decided at the start alone: an edit of where a cluster is read must not keep an agent from obeying the rest, a Drain say.
  const platform = watch.started ? watch.current().platform : undefined;
  const place = cluster === undefined ? undefined : placeOf(platform, cluster, given);
  const needs = await plane.needs(given);
  const kubeLog = log.child({ room: 'kube' });
  const { stateDir = given.runDir } = given;
  await mkdir(stateDir, { recursive: true });
  const { snapshotFile } = await import('../../kube/last-good.ts');
  const lastGood = snapshotFile(resolve(stateDir, plane.lastGood), kubeLog);
  const acceptFile = resolve(stateDir, acceptFileOf(plane.name, cluster ?? 'none'));
  const access = { needs, acceptFile, lastGood: () => lastGood.read(), clock, log: kubeLog, registry };
  const { source, client } = place === undefined ? { source: noCluster } : await clusterSource({ ...access, place });
  if (client !== undefined) started.add('kube client', () => client.close());
  const { followSpecApis } = await import('./spec-api.ts');
  const apiLog = log.child({ room: 'platform-api' });
  const sources = specSources(given, cluster, client !== undefined);
  const common = { agent: plane.name, cluster, needs, sources, client, stateDir, watch, clock, registry, started };
  const apis = await followSpecApis({ ...common, log: apiLog });
  return { place, source, client, lastGood, acceptFile, apis };
}

/** The platform, and the agent's view of it. */
interface Seen<View> {
  readonly platform: Platform;
  readonly view: View;
  readonly digest: string;
}

/**
 * Programs of this host, the servers of every site, and the networks that a person named may visit an agent; where certificates are
 * required, they need one besides.
 */
function doorOf<Given extends AgentArguments, View>(
  { plane, given }: Start<Given, View>,
  { host }: ListenAddress,
  { platform, view }: Seen<View>,
): Door {
  const pool = plane.pool?.(view);
  const self: ServerName = { name: serverName(plane, given), address: host };
  return {
    peers: pool?.spec.blades.map(({ address }) => address) ?? [],
    networks: [...serverPrefixes(platform), ...given.metricsFrom],
    gates: gatesOf(platform, pool, self),
  };
}

/** The server whose agent this is. */
function serverName<Given extends AgentArguments, View>({ name, identity }: AgentPlane<Given, View>, given: Given) {
  return Object.values(identity(given)).at(-1) ?? name;
}

/** Without a folder it is not started: the APIs come first. */
async function watchPlatform<Given extends AgentArguments, View>(
  { plane, given, log, started }: Start<Given, View>,
  clock: Clock,
): Promise<PlatformWatch<Seen<View>>> {
  const { platformDigest } = await import('../../platform/digest.ts');
  const { PlatformWatch: Watch } = await import('../../platform/watch.ts');
  const { folderCopy } = await import('../../platform/folder-copy.ts');
  const viewOf = await plane.view(given);
  const { stateDir = given.runDir } = given;
  const watch = new Watch({
    path: given.platform,
    copy: folderCopy(resolve(stateDir, folderCopyOf(plane.name)), log),
    view: (platform) => ({ platform, view: viewOf(platform), digest: platformDigest(platform) }),
    clock,
    log,
    intervalMs: platformIntervalMs,
  });
  started.add('platform', () => watch.stop());
  if (given.platform !== undefined) await watch.start();
  return watch;
}
