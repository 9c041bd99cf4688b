import { isInForce } from '../model/platform/drains.ts';
import { freezeInForce, freezeLine } from '../model/platform/freezes.ts';
import { sitesOfCluster } from '../model/platform/places.ts';
import type { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { messageOf, withoutUndefined } from '../model/values.ts';
import { type Following } from './drain-dns.ts';
import { dnsOf } from './drains.ts';
import type { AgentPart, ClusterPart, DrainPart, Snapshot, Target } from './snapshot.ts';
import { bladeTargets, unplacedOf, type Worker, workerTargets } from './targets.ts';

export interface TakeOptions {
  readonly platform: Platform;
  /** Asks an agent; never rejects. */
  readonly ask: (target: Target) => Promise<AgentPart>;
  /** The workers that a cluster lists; rejects when it cannot be read, resolves with undefined when it is not to be read. */
  readonly workersOf: (cluster: string) => Promise<readonly Worker[] | undefined>;
  /** What name servers answer to users whom Drains lead away, by the keys of the Drains; never rejects. */
  readonly following?: () => Promise<ReadonlyMap<string, Following>>;
  /** The keys of Drains that no folder has. */
  readonly fromApis?: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * What was seen before, of the same platform: its workers are asked at once, and also when their cluster does not list them any
   * more because it cannot be read.
   */
  readonly before?: Snapshot;
}

/** Asks everybody, all beside each other, and joins what they say. */
export async function takeSnapshot(options: TakeOptions): Promise<Snapshot> {
  const { platform, ask, now, following, fromApis } = options;
  const [blades, clusters, answers] = await Promise.all([
    Promise.all(bladeTargets(platform).map(ask)),
    Promise.all([...platform.clusters.keys()].map((name) => askCluster(options, name))),
    following?.() ?? new Map<string, Following>(),
  ]);
  const takenAtMs = now();
  const agents = [...blades, ...clusters.flatMap(({ workers }) => workers)];
  const freeze = freezeInForce(platform, takenAtMs);
  const frozen = freeze === undefined ? undefined : { line: freezeLine(freeze), unheard: unheardOf(agents) };
  return {
    ...withoutUndefined({ frozen }),
    takenAtMs,
    clusters: clusters.map(({ part }) => part),
    pools: [...platform.edgePools.values()].map(({ metadata, spec }) => ({
      name: metadata.name,
      cluster: spec.cluster,
      vips: spec.vips.map(({ address }) => address.text),
    })),
    agents,
    drains: [...platform.drains]
      .filter(([, drain]) => isInForce(drain, takenAtMs))
      .map(([key, drain]) => drainPart(drain, dnsOf(drain, fromApis?.has(key) === true), answers.get(key))),
  };
}

/** What is drained; where users are still led there, or nobody was asked, it says how DNS follows. */
function drainPart({ metadata, spec }: Drain, dns: ReturnType<typeof dnsOf>, said?: Following): DrainPart {
  const follows = said === undefined || said.still ? [dns] : [];
  return {
    name: metadata.name,
    target: `${spec.target.kind}/${spec.target.name}`,
    reason: spec.reason,
    expires: spec.expires,
    ...(dns === 'not concerned' ? {} : { dns: [...follows, ...(said === undefined ? [] : [said.text])].join(': ') }),
  };
}

/** The servers whose agents have not heard of the Freeze, or are too old to say. */
function unheardOf(agents: readonly AgentPart[]): readonly string[] {
  return agents.flatMap((part) => {
    if ('problem' in part) return [];
    const { frozen } = 'edge' in part ? part.edge : part.network;
    return frozen === undefined ? [part.target.server] : [];
  });
}

interface ReadCluster {
  readonly part: ClusterPart;
  readonly targets: readonly Target[];
}

/** What a cluster lists, and what the agents of its workers say. */
async function askCluster(
  { platform, ask, workersOf, before }: TakeOptions,
  name: string,
): Promise<{ readonly part: ClusterPart; readonly workers: readonly AgentPart[] }> {
  const known = (before?.agents ?? []).flatMap(({ target }) =>
    target.plane === 'network' && target.cluster === name ? [target] : [],
  );
  const [{ part, targets }, early] = await Promise.all([
    readCluster(platform, name, workersOf),
    Promise.all(known.map(ask)),
  ]);
  if (part.problem !== undefined) return { part, workers: early };
  const askedAs = ({ server, address }: Target): AgentPart | undefined =>
    early.find(({ target }) => target.server === server && target.address === address);
  return { part, workers: await Promise.all(targets.map(async (target) => askedAs(target) ?? ask(target))) };
}

/** The workers' agents of a cluster. A cluster whose sites have no servers, as a cloud's, has none. */
async function readCluster(
  platform: Platform,
  name: string,
  workersOf: TakeOptions['workersOf'],
): Promise<ReadCluster> {
  const withServers = sitesOfCluster(platform, name).filter(({ spec }) => spec.prefixes.servers.length > 0);
  const sites = withServers.map(({ metadata }) => metadata.name);
  try {
    const workers = sites.length > 0 ? await workersOf(name) : undefined;
    if (workers === undefined) return { part: { name }, targets: [] };
    if (workers.length === 0) return { part: { name, sites, problem: 'it lists no Node' }, targets: [] };
    const targets = workerTargets(platform, name, workers);
    return { part: { name, sites, unplaced: unplacedOf(workers, targets) }, targets };
  } catch (error) {
    return { part: { name, sites, problem: messageOf(error) }, targets: [] };
  }
}
