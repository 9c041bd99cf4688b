import { type CalicoGroup, calicoGroups } from '../kube/rights.ts';
import type { Questions } from './ask.ts';
import type { Answer } from './finding.ts';
import { apiVersionOf, type CalicoFacts, configResource, type IpamConfig, type Pool } from './judge/calico.ts';
import type { Crd } from './judge/crds.ts';
import type { ClassFacts } from './judge/ingress.ts';
import type { NodeFacts } from './judge/nodes.ts';

/** The group that Calico is read from: the one that the Kubernetes source takes too. */
export async function calicoGroup(questions: Questions): Promise<Answer<CalicoGroup | undefined>> {
  const answer = await questions.plain<{ readonly groups?: readonly { readonly name: string }[] }>('/apis');
  if (!('got' in answer)) return answer;
  const served = new Set((answer.got.groups ?? []).map(({ name }) => name));
  return { got: calicoGroups.find((group) => served.has(group)) };
}

interface Named<Spec> {
  readonly metadata: { readonly name: string };
  readonly spec?: Spec;
}

export async function gatherCalico(questions: Questions, group: CalicoGroup): Promise<CalicoFacts> {
  const version = apiVersionOf(group).split('/')[1] ?? '';
  const list = <Spec>(resource: string) => questions.list<Named<Spec>>({ apiGroup: group, version, resource });
  const config = configResource(group).split('.')[0] ?? '';
  const [pools, affinities, information, configs, bgp, peers] = await Promise.all([
    list<Omit<Pool, 'name'>>('ippools'),
    list<{ node?: string; type?: string; deleted?: string | boolean }>('blockaffinities'),
    list<{ datastoreReady?: boolean }>('clusterinformations'),
    list<IpamConfig>(config),
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

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

export async function gatherNodes(questions: Questions): Promise<Answer<readonly NodeFacts[]>> {
  return map(await questions.list<NodeObject>({ apiGroup: '', version: 'v1', resource: 'nodes' }), nodeFacts);
}

export function nodeFacts({ metadata, spec, status }: NodeObject): NodeFacts {
  return {
    name: metadata.name,
    podCIDRs: spec?.podCIDRs ?? [],
    addresses: (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
  };
}

interface ClassObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly controller?: string };
}

export async function gatherClasses(questions: Questions): Promise<Answer<readonly ClassFacts[]>> {
  const resource = { apiGroup: 'networking.k8s.io', version: 'v1', resource: 'ingressclasses' };
  return map(await questions.list<ClassObject>(resource), classFacts);
}

export function classFacts({ metadata, spec }: ClassObject): ClassFacts {
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
  const group = { apiGroup: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
  const answers = names.map(async (name) => [name, await questions.get<Crd>({ ...group, name })] as const);
  return new Map(await Promise.all(answers));
}

function map<A, B>(answer: Answer<readonly A[]>, change: (item: A) => B): Answer<readonly B[]> {
  return 'got' in answer ? { got: answer.got.map(change) } : answer;
}
