import { contains, type Prefix, parsePrefix } from '../../model/address.ts';
import type { AgentPart, NetworkPart, Snapshot } from '../snapshot.ts';
import { inputHops, sessionHop, silence, silentHop } from './agent.ts';
import { fails, type Hop, holds, unknown } from './chain.ts';

type Answered = Extract<AgentPart, { readonly network: NetworkPart }>;

/** The place that a route is asked for. */
interface Wanted {
  readonly prefix: Prefix;
  readonly cluster: string;
  /** The worker that has the pod, where the cluster says so. */
  readonly node?: string;
}

/** From the worker that has an address to the session by which routers hear of it. */
export function routeOfWorker(snapshot: Snapshot, { prefix, cluster, node }: Wanted): readonly Hop[] {
  const workers = snapshot.agents.filter(({ target }) => target.plane === 'network' && target.cluster === cluster);
  const named = workers.find(({ target }) => target.server === node);
  if (named !== undefined && 'problem' in named) return [silentHop(snapshot, named)];
  const answered = workers.filter((part): part is Answered => 'network' in part);
  const holder = holderOf(answered, prefix);
  // A drained worker keeps the routes of pods that are still Ready.
  if (holder === undefined && named !== undefined && 'network' in named && named.network.reason === 'NodeDrained')
    return [
      fails(
        'worker',
        named.target.server,
        'WorkerDrained',
        'announces no pods, because a Drain takes it out of service (NodeDrained)',
      ),
    ];
  if (holder === undefined)
    return [missingHop(snapshot, { prefix, cluster, ...(node === undefined ? {} : { node }) }, workers)];
  const { part, route } = holder;
  const name = part.target.server;
  if (node !== undefined && name !== node)
    return [
      fails('block', prefix.text, 'RouteElsewhere', `is led to ${name} by ${route.text}, and its Pod is on ${node}`),
    ];
  return [
    holds('worker', name, `has ${route.text} (${Math.max(1, Math.round(part.ageMs))} ms)`),
    ...inputHops(name, part.network),
    blockHop(name, part.network, route),
    kernelHop(name, part.network, route),
    sessionHop(name, part.network, route.text),
  ];
}

/** The worker that announces or wants the longest prefix which holds the address, as a router chooses. */
function holderOf(
  workers: readonly Answered[],
  prefix: Prefix,
): { readonly part: Answered; readonly route: Prefix } | undefined {
  const routes = workers.flatMap((part) =>
    [...part.network.announced, ...part.network.wanted].flatMap((one) => {
      const route = parsePrefix(one.prefix);
      return route !== undefined && contains(route, prefix) ? [{ part, route }] : [];
    }),
  );
  return routes.toSorted((a, b) => b.route.length - a.route.length)[0];
}

/** Why no worker that answers has a route to it. */
function missingHop(snapshot: Snapshot, { prefix, cluster, node }: Wanted, workers: readonly AgentPart[]): Hop {
  const { text } = prefix;
  const refusal = workers
    .flatMap((part) =>
      'network' in part ? part.network.refusals.map((one) => ({ ...one, name: part.target.server })) : [],
    )
    .find(({ subject }) => {
      const refused = parsePrefix(subject);
      return refused !== undefined && contains(refused, prefix);
    });
  if (refusal !== undefined) {
    const { name, subject, message, reason } = refusal;
    return fails(
      'block',
      text,
      'RouteRefused',
      `is in ${subject}, which ${name} does not announce: ${message} (${reason})`,
    );
  }
  const problem = snapshot.clusters.find(({ name }) => name === cluster)?.problem;
  if (problem !== undefined)
    return unknown(
      'worker',
      text,
      `may be on a worker that is not known here: cluster ${cluster}: ${problem} (WorkersUnknown)`,
    );
  const silent = workers.filter((part) => 'problem' in part);
  const where = node === undefined ? '' : `, and its Pod is on ${node}`;
  if (silent.length > 0) {
    const why = silent.map((part) => `${part.target.server}: ${silence(snapshot, part)}`).join('; ');
    const what = `is announced by no worker that answers${where}; silent: ${why}`;
    const isClosed = silent.every(({ refuses }) => refuses === true);
    return isClosed ? unknown('worker', text, what) : fails('worker', text, 'WorkerSilent', what);
  }
  return fails(
    'block',
    text,
    'RouteMissing',
    `is announced by none of the ${workers.length} workers of cluster ${cluster}${where}`,
  );
}

function blockHop(name: string, network: NetworkPart, { text }: Prefix): Hop {
  if (network.action === 'hold')
    return fails(
      'block',
      text,
      'WorkerHolds',
      `stays as it is on ${name}, which holds its routes (${network.reason ?? 'no reason given'})`,
    );
  const refusal = network.refusals.find(({ subject }) => subject === text);
  if (network.announced.some(({ prefix }) => prefix === text)) return holds('block', text, `is announced by ${name}`);
  const why = refusal === undefined ? 'ExaBGP does not have it (yet)' : `${refusal.message} (${refusal.reason})`;
  return fails('block', text, 'RouteRefused', `is wanted and not announced by ${name}: ${why}`);
}

/** Whether the kernel of the worker has what is under the block, and nothing of another program before it. */
function kernelHop(name: string, { blackholes, notices }: NetworkPart, block: Prefix): Hop {
  const shadow = notices.find(
    ({ subject, reason }) => subject === block.text && (reason === 'RouteShadows' || reason === 'RuleShadows'),
  );
  if (shadow !== undefined)
    return fails(
      'kernel',
      name,
      'KernelShadows',
      `sends packets to ${block.text} elsewhere: ${shadow.message} (${shadow.reason})`,
    );
  if (blackholes === undefined) return unknown('kernel', name, 'does not say which blackholes its kernel has');
  const under = blackholes.wanted.filter((text) => {
    const hole = parsePrefix(text);
    return hole !== undefined && contains(block, hole);
  });
  const missing = under.filter((text) => !blackholes.installed.includes(text));
  if (missing.length > 0)
    return fails('kernel', name, 'BlackholeMissing', `lacks the blackhole of ${missing.join(', ')} in its kernel`);
  const what = under.length === 0 ? 'needs no blackhole for it' : `has the blackhole of ${under.join(', ')}`;
  return holds('kernel', name, what);
}
