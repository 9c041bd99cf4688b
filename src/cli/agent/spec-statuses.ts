import type { KubeClient } from '../../kube/api/client.ts';
import type { StatusWish } from '../../kube/status/contest.ts';
import { parseAddress } from '../../model/address.ts';
import { agentPaths, agentPorts } from '../../model/contract.ts';
import { policiesOfDrain } from '../../model/platform/drain-answers.ts';
import { siteOfServer } from '../../model/platform/places.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { messageOf } from '../../model/values.ts';
import type { AgentArguments, AgentHost } from './host.ts';

const patienceMs = 2000;
/** The status of a worker with 10,000 routes has about two megabytes. */
const mostBytes = 8 << 20;
const noWishes: readonly StatusWish[] = [];

export interface SpecStatusesOptions
  extends Pick<AgentHost<AgentArguments, unknown>, 'apis' | 'verdicts' | 'clock' | 'access'> {
  readonly client: KubeClient;
  readonly platform: () => Platform;
  /** False while another agent writes: nothing is wished then. */
  readonly isWriter: () => boolean;
  /** Whether this agent may write now: only then are agents asked what is left. */
  readonly leads: () => boolean;
}

/**
 * The status of the Drains in the API of the agent's cluster, and of the Sites, Clusters and Freezes where agents read them there; undefined where
 * that API is no source of the spec. The one writer of a cluster is a blade where it has an edge pool, and else a worker.
 */
export async function specStatuses(options: SpecStatusesOptions): Promise<(() => readonly StatusWish[]) | undefined> {
  const { apis, client, verdicts, platform, isWriter, leads, clock, access } = options;
  const [api] = apis;
  if (api === undefined) return undefined;
  const { askAgentOf } = await import('../../planes/edge/vips/ask-agent.ts');
  const { DrainLefts } = await import('../../platform-api/drain-left.ts');
  const { DrainStatuses } = await import('../../platform-api/drain-status.ts');
  const { SpecStatuses } = await import('../../platform-api/spec-status.ts');
  const ask = async (server: string, address: string, port: number): Promise<unknown> => {
    const question = { address, port, path: agentPaths.status, timeoutMs: patienceMs, maxBytes: mostBytes };
    return (await askAgentOf(server, question, access)).body;
  };
  const lefts = new DrainLefts({
    platform,
    isWriting: () => leads() && isWriter(),
    askBlade: (blade, address) => ask(blade, address, agentPorts.edge),
    askWorker: async (node) => ask(node, await addressOf(client, platform(), node), agentPorts.network),
    clock,
  });
  const concernsDns = (name: string): boolean => {
    const drain = platform().drains.get(name);
    return drain !== undefined && policiesOfDrain(platform(), drain, clock.now()).length > 0;
  };
  const left = (names: readonly string[]) => lefts.of(names);
  const statuses = new DrainStatuses({ api, verdicts, left, concernsDns, now: () => clock.now() });
  const plain = new SpecStatuses({ api, verdicts, now: () => clock.now() });
  let [drains, others, all] = [noWishes, noWishes, noWishes];
  return () => {
    if (!isWriter()) return noWishes;
    const [drainsNow, othersNow] = [statuses.wishes(), plain.wishes()];
    // The one that wrote before in this cluster may have been a blade or a worker: what it owns is left over.
    if (drainsNow !== drains || othersNow !== others) all = [...drainsNow, ...othersNow].map(ours);
    [drains, others] = [drainsNow, othersNow];
    return all;
  };
}

/** The internal address of a Node, if it lies in a Site: nothing else is ours to ask. Rejects with the cause as a clause. */
async function addressOf(client: KubeClient, platform: Platform, name: string): Promise<string> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
  const node = await client.request<Node>({ path, timeoutMs: patienceMs }).catch((error: unknown) => {
    throw new Error(`has a Node that cannot be read: ${messageOf(error)}`);
  });
  const internal = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const address = parseAddress(internal ?? '');
  if (address === undefined || siteOfServer(platform, address) === undefined)
    throw new Error('has a Node whose address lies in no Site');
  return address.text;
}

interface Node {
  readonly status?: { readonly addresses?: readonly { readonly type?: string; readonly address?: string }[] };
}

const exclusives = new WeakMap<StatusWish, StatusWish>();

/** The same wish, of a status that nobody but us may write; of the identical wish the identical one. */
function ours(wish: StatusWish): StatusWish {
  const known = exclusives.get(wish) ?? { ...wish, exclusive: true };
  exclusives.set(wish, known);
  return known;
}
