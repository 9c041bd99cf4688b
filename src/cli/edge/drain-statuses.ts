import type { KubeClient } from '../../kube/api/client.ts';
import type { StatusWish } from '../../kube/status/contest.ts';
import { parseAddress } from '../../model/address.ts';
import { agentPaths, agentPorts } from '../../model/contract.ts';
import { poolsOfCluster, siteOfServer } from '../../model/platform/places.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { compareText, messageOf } from '../../model/values.ts';
import type { BladePlatform } from '../../planes/edge/compile/platform.ts';
import type { AgentArguments, AgentHost } from '../agent/host.ts';

const patienceMs = 2000;
/** The status of a worker with 10,000 routes has about two megabytes. */
const mostBytes = 8 << 20;
const noWishes: readonly StatusWish[] = [];

type Host = Pick<AgentHost<AgentArguments, BladePlatform>, 'apis' | 'verdicts' | 'platform' | 'clock' | 'access'>;

/** The status of the Drains in the API, and of the Sites, Clusters and Freezes where agents read them there. Of several pools of a cluster the first one by name writes it. */
export async function drainStatuses(
  { apis, verdicts, platform, clock, access }: Host,
  client: KubeClient,
  leads: () => boolean,
): Promise<(() => readonly StatusWish[]) | undefined> {
  const [api] = apis;
  if (api === undefined) return undefined;
  const { askAgentOf } = await import('../../planes/edge/vips/ask-agent.ts');
  const { DrainLefts } = await import('../../platform-api/drain-left.ts');
  const { DrainStatuses } = await import('../../platform-api/drain-status.ts');
  const { SpecStatuses } = await import('../../platform-api/spec-status.ts');
  const isFirst = (): boolean => {
    const { platform: whole, pool } = platform();
    const names = poolsOfCluster(whole, pool.spec.cluster).map(({ metadata }) => metadata.name);
    return names.toSorted(compareText)[0] === pool.metadata.name;
  };
  const ask = async (server: string, address: string, port: number): Promise<unknown> => {
    const question = { address, port, path: agentPaths.status, timeoutMs: patienceMs, maxBytes: mostBytes };
    return (await askAgentOf(server, question, access)).body;
  };
  const lefts = new DrainLefts({
    platform: () => platform().platform,
    isWriting: () => leads() && isFirst(),
    askBlade: (blade, address) => ask(blade, address, agentPorts.edge),
    askWorker: async (node) => ask(node, await addressOf(client, platform().platform, node), agentPorts.network),
    clock,
  });
  const statuses = new DrainStatuses({ api, verdicts, left: (names) => lefts.of(names), now: () => clock.now() });
  const plain = new SpecStatuses({ api, verdicts, now: () => clock.now() });
  let [drains, others, all] = [noWishes, noWishes, noWishes];
  return () => {
    if (!isFirst()) return noWishes;
    const [drainsNow, othersNow] = [statuses.wishes(), plain.wishes()];
    if (drainsNow !== drains || othersNow !== others) all = [...drainsNow, ...othersNow];
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
