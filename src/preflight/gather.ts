import { type CalicoGroup, calicoGroups, calicoVersion } from '../kube/calico.ts';
import { type Kind, kindFacts, type ObjectByKind } from '../kube/kinds.ts';
import type { Answer } from './finding.ts';
import type { CalicoFacts, IpamConfig, Pool } from './judge/calico.ts';
import type { Crd } from './judge/crds.ts';
import type { GkeNode, GkeService } from './judge/gke.ts';
import type { ClassFacts } from './judge/ingress.ts';
import type { NodeFacts } from './judge/nodes.ts';
import type { DaemonSet, KeptNode, PolicyFacts } from './judge/policies.ts';
import { felixRole, ipamConfigs } from './needs.ts';
import type { Questions, Resource } from './questions.ts';

/** The group from which Calico is read, which is the one that the Kubernetes source takes too. */
export async function calicoGroup(questions: Questions): Promise<Answer<CalicoGroup | undefined>> {
  const answer = await questions.getPath<{ readonly groups?: readonly { readonly name: string }[] }>('/apis');
  if (!('got' in answer)) return answer;
  const served = new Set((answer.got.groups ?? []).map(({ name }) => name));
  return { got: calicoGroups.find((group) => served.has(group)) };
}

interface Named<Spec> {
  readonly metadata: { readonly name: string };
  readonly spec?: Spec;
}

export async function gatherCalico(questions: Questions, group: CalicoGroup): Promise<CalicoFacts> {
  const list = <Spec>(resource: string) => questions.list<Named<Spec>>(inVersion(calicoVersion(group), resource));
  const [pools, affinities, information, configs, bgp, peers] = await Promise.all([
    list<Omit<Pool, 'name'>>(kindFacts.IPPool.plural),
    list<{ node?: string; type?: string; deleted?: string | boolean }>(kindFacts.BlockAffinity.plural),
    list<{ datastoreReady?: boolean }>('clusterinformations'),
    list<IpamConfig>(ipamConfigs[group]),
    list<{ nodeToNodeMeshEnabled?: boolean }>('bgpconfigurations'),
    list<unknown>('bgppeers'),
  ]);
  return {
    group,
    pools: map(pools, ({ metadata, spec }) => ({ ...spec, name: metadata.name })),
    affinities: map(affinities, ({ spec }) => spec?.node ?? ''),
    information: map(information, ({ spec }) => ({ datastoreReady: spec?.datastoreReady })),
    config: map(configs, ({ spec }) => spec ?? {}),
    bgp: map(bgp, ({ metadata, spec }) => ({ name: metadata.name, mesh: spec?.nodeToNodeMeshEnabled })),
    peers: map(peers, ({ metadata }) => metadata.name),
  };
}

export interface NodesGathered {
  readonly facts: Answer<readonly NodeFacts[]>;
  readonly kept: Answer<readonly KeptNode[]>;
  /** The same Nodes as Google's clusters are judged by. */
  readonly gke: Answer<readonly GkeNode[]>;
}

/** What a Node has that no agent reads. */
interface CloudNode {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly providerID?: string };
}

export async function gatherNodes(questions: Questions): Promise<NodesGathered> {
  const { apiVersions, plural } = kindFacts.Node;
  const kept = await questions.list<Item<'Node'> & KeptNode & CloudNode>(inVersion(apiVersions[0], plural));
  const gke = map(kept, (node) => ({
    ...nodeFacts(node),
    labels: node.metadata.labels ?? {},
    providerId: node.spec?.providerID ?? '',
  }));
  return { facts: map(kept, nodeFacts), kept, gke };
}

export async function gatherGkeServices(questions: Questions): Promise<Answer<readonly GkeService[]>> {
  interface Annotated {
    readonly metadata: {
      readonly namespace?: string;
      readonly name: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  }
  const { apiVersions, plural } = kindFacts.Service;
  const answer = await questions.list<Annotated>(inVersion(apiVersions[0], plural));
  return map(answer, ({ metadata: { namespace = '', name, annotations = {} } }) => ({ namespace, name, annotations }));
}

export function nodeFacts({ metadata, spec, status }: Item<'Node'>): NodeFacts {
  return {
    name: metadata.name,
    podCIDRs: spec?.podCIDRs ?? [],
    addresses: (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
  };
}

export async function gatherClasses(questions: Questions): Promise<Answer<readonly ClassFacts[]>> {
  return map(await listKind(questions, 'IngressClass'), classFacts);
}

export function classFacts({ metadata, spec }: Item<'IngressClass'>): ClassFacts {
  return {
    name: metadata.name,
    controller: spec?.controller ?? '',
    isDefault: metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true',
  };
}

export async function gatherCrds(
  questions: Questions,
  names: readonly string[],
): Promise<ReadonlyMap<string, Answer<Crd>>> {
  const group = inVersion('apiextensions.k8s.io/v1', 'customresourcedefinitions');
  const answers = names.map(async (name) => [name, await questions.get<Crd>({ ...group, name })] as const);
  return new Map(await Promise.all(answers));
}

export async function gatherPolicies(questions: Questions): Promise<Omit<PolicyFacts, 'nodes'>> {
  interface InNamespace {
    readonly metadata: { readonly namespace?: string; readonly name: string };
  }
  const [policies, daemonSets, felix] = await Promise.all([
    questions.first<InNamespace>(inVersion('networking.k8s.io/v1', 'networkpolicies')),
    questions.list<DaemonSet>(inVersion('apps/v1', 'daemonsets')),
    questions.get<unknown>({ ...inVersion('rbac.authorization.k8s.io/v1', 'clusterroles'), name: felixRole }),
  ]);
  return {
    policies: change(policies, ({ item, count }) => ({
      first: item === undefined ? undefined : `${item.metadata.namespace}/${item.metadata.name}`,
      count,
    })),
    daemonSets,
    felix: 'missing' in felix ? { got: false } : change(felix, () => true),
  };
}

/** An item of a list of a kind. The server leaves `kind` out of items. */
type Item<K extends Kind> = Omit<ObjectByKind[K], 'kind'>;

function listKind<K extends Kind>(questions: Questions, kind: K): Promise<Answer<readonly Item<K>[]>> {
  const { apiVersions, plural } = kindFacts[kind];
  return questions.list<Item<K>>(inVersion(apiVersions[0], plural));
}

function inVersion(apiVersion: string, resource: string): Resource {
  const [version = '', apiGroup = ''] = apiVersion.split('/').toReversed();
  return { apiGroup, version, resource };
}

function map<A, B>(answer: Answer<readonly A[]>, change: (item: A) => B): Answer<readonly B[]> {
  return 'got' in answer ? { got: answer.got.map(change) } : answer;
}

function change<A, B>(answer: Answer<A>, how: (got: A) => B): Answer<B> {
  return 'got' in answer ? { got: how(answer.got) } : answer;
}
