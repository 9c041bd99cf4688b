import { type Answer, count, type Finding, failed, names, ok, unanswered, warning } from '../finding.ts';

/** What is read of a Node to know who keeps policies there. */
export interface KeptNode {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

export interface DaemonSet {
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly hostNetwork?: boolean; readonly containers?: readonly Container[] };
    };
  };
  readonly status?: { readonly desiredNumberScheduled?: number; readonly numberReady?: number };
}

interface Container {
  readonly name: string;
  readonly securityContext?: {
    readonly privileged?: boolean;
    readonly capabilities?: { readonly add?: readonly string[] };
  };
}

export interface PolicyFacts {
  /** One NetworkPolicy by namespace and name, if there is any. */
  readonly policies: Answer<{ readonly first: string | undefined; readonly count: number }>;
  readonly nodes: Answer<readonly KeptNode[]>;
  readonly daemonSets: Answer<readonly DaemonSet[]>;
  /** Whether the cluster has the rights of Felix, which a Fleet brings when it runs Felix on every worker. */
  readonly felix: Answer<boolean>;
}

/** The label that the kubelet of every server of a Fleet gives its Node. */
const fleetLabel = 'tideline.dev/server-class';
/** What the agents of Calico and Cilium, which keep policies, write into the condition NetworkUnavailable of their Node. */
const keepers: readonly string[] = ['CalicoIsUp', 'CiliumIsUp'];
/** The containers of DaemonSets that keep policies, as their makers name them. */
const engines: readonly string[] = ['calico-node', 'cilium-agent', 'antrea-agent', 'kube-router'];

/**
 * Judges whether something keeps the NetworkPolicies on every Node. Only of servers of a Fleet can it be said that nothing does: what
 * else runs on the machines of others does not stand in the API.
 */
export function judgePolicies({ policies, nodes, daemonSets, felix }: PolicyFacts, who: string): Finding {
  for (const answer of [policies, daemonSets, felix])
    if ('forbidden' in answer || 'failed' in answer) return unanswered('policies', answer, who);
  const { first, count: number } = 'got' in policies ? policies.got : { first: undefined, count: 0 };
  if (first === undefined) return ok('policies', 'there is no NetworkPolicy');
  if ('forbidden' in nodes || 'failed' in nodes) return unanswered('policies', nodes, who);
  return judgeKeepers({
    what: number === 1 ? `NetworkPolicy ${first}` : `${number} NetworkPolicies, one of them ${first}`,
    nodes: 'got' in nodes ? nodes.got : [],
    daemonSets: 'got' in daemonSets ? daemonSets.got : [],
    felix: 'got' in felix && felix.got,
  });
}

interface Kept {
  /** The policies, in words. */
  readonly what: string;
  readonly nodes: readonly KeptNode[];
  readonly daemonSets: readonly DaemonSet[];
  readonly felix: boolean;
}

function judgeKeepers({ what, nodes, daemonSets, felix }: Kept): Finding {
  const open = nodes.filter((node) => !(felix && isOfFleet(node)) && !saysItIsKept(node));
  const engine = daemonSets.find((one) => containersOf(one).some(({ name }) => engines.includes(name)));
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = engine?.status ?? {};
  if (open.length === 0 || (engine !== undefined && ready >= wanted && ready >= nodes.length))
    return ok('policies', `${what}: kept on ${count(nodes.length, 'Node')}`);
  const namesOf = (some: readonly KeptNode[]) => names(some.map(({ metadata }) => metadata.name));
  const bare = open.filter(isOfFleet);
  if (bare.length > 0 && !daemonSets.some(mayKeepPolicies))
    return failed('policies', 'PoliciesNotKept', {
      found: `${what}: no policy is kept on ${namesOf(bare)}, where every pod reaches every other`,
      expected: 'Felix on every worker of the Fleet, which has ipam.calico; or no NetworkPolicy',
      fix: 'in the platform spec, add the artifact calico-felix to spec.artifacts of the Release of the Fleet, and bring it by tideline fleet plan and apply',
    });
  const expected =
    'an agent that keeps NetworkPolicies on every Node: of Calico, Cilium or another plugin of the network';
  if (engine === undefined)
    return warning('policies', 'PoliciesKeptUnknown', {
      found: `${what}: nothing shows whether policies are kept on ${namesOf(open)}`,
      expected,
      fix: 'kubectl get daemonsets -A',
    });
  const { namespace, name } = engine.metadata;
  return warning('policies', 'PoliciesKeptUnknown', {
    found: `${what}: DaemonSet ${namespace}/${name} is ready on ${ready} of ${count(nodes.length, 'Node')}`,
    expected,
    fix: `kubectl -n ${namespace} describe daemonset ${name}`,
  });
}

function containersOf({ spec }: DaemonSet): readonly Container[] {
  return spec?.template?.spec?.containers ?? [];
}

function isOfFleet({ metadata }: KeptNode): boolean {
  return metadata.labels?.[fleetLabel] !== undefined;
}

function saysItIsKept({ status }: KeptNode): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is, reason = '' }) => type === 'NetworkUnavailable' && is === 'False' && keepers.includes(reason),
  );
}

/** Whether its pods have what it takes to filter the packets of others. */
function mayKeepPolicies(daemonSet: DaemonSet): boolean {
  return (
    daemonSet.spec?.template?.spec?.hostNetwork === true &&
    containersOf(daemonSet).some(
      ({ securityContext: { privileged = false, capabilities } = {} }) =>
        privileged || (capabilities?.add ?? []).some((name) => name === 'NET_ADMIN' || name === 'ALL'),
    )
  );
}
