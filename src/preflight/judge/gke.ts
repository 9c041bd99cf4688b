import { contains, hostPrefix, overlaps, type Prefix, parseAddress, parsePrefix } from '../../model/address.ts';
import { type Answer, count, type Finding, failed, names, ok, unanswered, warning } from '../finding.ts';

/** A Node, as far as Google's clusters are judged by it. */
export interface GkeNode {
  readonly name: string;
  /** `gce://PROJECT/ZONE/INSTANCE` at Google. */
  readonly providerId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly podCIDRs: readonly string[];
  /** The addresses of type InternalIP. */
  readonly addresses: readonly string[];
}

export interface GkeService {
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface GkeContext {
  readonly who: string;
  /** Pod prefixes of the cluster's sites; absent without a platform spec. */
  readonly pods: readonly Prefix[] | undefined;
  /** The prefixes of every other Site, with its name. */
  readonly others: readonly { readonly site: string; readonly prefix: Prefix }[];
}

const poolLabel = 'cloud.google.com/gke-nodepool';
const zoneLabel = 'topology.kubernetes.io/zone';
const identityLabel = 'iam.gke.io/gke-metadata-server-enabled';
const negAnnotation = 'cloud.google.com/neg';
const negStatus = 'cloud.google.com/neg-status';

/** Whether these are the Nodes of a GKE cluster. Machines of Google that somebody made a cluster of have no node pool. */
export function isGke(nodes: readonly GkeNode[]): boolean {
  return nodes.some(({ providerId, labels }) => providerId.startsWith('gce://') && Object.hasOwn(labels, poolLabel));
}

/** Judges a cluster of Google behind its load balancer: no agent of ours runs there. */
export function judgeGke(
  nodes: readonly GkeNode[],
  services: Answer<readonly GkeService[]>,
  context: GkeContext,
): readonly Finding[] {
  return [...judgeRanges(nodes, context), ...judgeNegs(nodes, services, context.who), judgeIdentity(nodes)];
}

function judgeRanges(nodes: readonly GkeNode[], { pods, others }: GkeContext): readonly Finding[] {
  const ranges = nodes.flatMap(({ name, podCIDRs, addresses }) => [
    ...podCIDRs.flatMap((text) => rangeOf(name, parsePrefix(text))),
    ...addresses.flatMap((text) => rangeOf(name, hostOf(text))),
  ]);
  const taken = ranges.flatMap(({ name, prefix }) =>
    others
      .filter((other) => overlaps(other.prefix, prefix))
      .map((other) => `${prefix.text} of ${name} is in ${other.prefix.text} of Site/${other.site}`),
  );
  const podRanges = nodes.flatMap(({ name, podCIDRs }) => podCIDRs.flatMap((text) => rangeOf(name, parsePrefix(text))));
  const outside = podRanges.filter(({ prefix }) => pods?.some((outer) => contains(outer, prefix)) !== true);
  const findings: Finding[] = [];
  if (taken.length > 0)
    findings.push(
      failed('gke-network', 'RangeOfOtherSite', {
        found: names(taken),
        expected:
          'ranges of nodes and pods that no other Site has: of an address that exists twice, each side reaches its own',
        fix: 'make the cluster anew in a subnet with other ranges (deploy/gke/network.yaml); they cannot be changed',
      }),
    );
  else if (pods !== undefined && outside[0] !== undefined)
    findings.push(
      warning('gke-network', 'CloudPodsUnsaid', {
        found: `${names(outside.map(({ name, prefix }) => `${prefix.text} of ${name}`))}: in no pod prefix of the cluster's sites`,
        expected: 'the range of the pods in the platform spec, so that no Site can be given the same one',
        fix: 'in the platform spec, add the range of the pods to spec.prefixes.pods of the Site of this region',
      }),
    );
  return findings.length > 0
    ? findings
    : [ok('gke-network', `${count(nodes.length, 'Node')} of GKE, in ranges of their own`)];
}

function judgeNegs(nodes: readonly GkeNode[], answer: Answer<readonly GkeService[]>, who: string): readonly Finding[] {
  if ('forbidden' in answer || 'failed' in answer) return [unanswered('gke-balancer', answer, who)];
  const services = ('got' in answer ? answer.got : []).filter(({ annotations }) => annotations[negAnnotation]);
  if (services.length === 0)
    return [
      failed('gke-balancer', 'NegMissing', {
        found: `no Service has the annotation ${negAnnotation}`,
        expected: 'one with a name that the backend service knows: the load balancer then sends straight to pods',
        fix: `kubectl annotate service SERVICE -n NAMESPACE '${negAnnotation}={"exposed_ports":{"PORT":{"name":"NAME"}}}'`,
      }),
    ];
  const zones = new Set(nodes.flatMap(({ labels }) => labels[zoneLabel] ?? []));
  const findings = services.flatMap((service) => judgeNeg(service, zones));
  return findings.length > 0
    ? findings
    : [ok('gke-balancer', `${names(services.map(nameOf))}: endpoint groups in ${[...zones].toSorted().join(', ')}`)];
}

function judgeNeg(service: GkeService, zones: ReadonlySet<string>): readonly Finding[] {
  const { annotations, name, namespace } = service;
  const text = annotations[negAnnotation] ?? '';
  const wanted = read(text);
  const ports = objectAt(wanted, 'exposed_ports');
  const show = `kubectl get service ${name} -n ${namespace} -o yaml`;
  if (wanted === undefined || (ports === undefined && wanted['ingress'] !== true))
    return [
      failed('gke-balancer', 'NegUnreadable', {
        found: `${nameOf(service)} has the annotation ${negAnnotation} ${text}`,
        expected: 'JSON with exposed_ports, and a name for each port',
        fix: `kubectl annotate --overwrite service ${name} -n ${namespace} '${negAnnotation}={"exposed_ports":{"PORT":{"name":"NAME"}}}'`,
      }),
    ];
  const status = read(annotations[negStatus] ?? '');
  const made = objectAt(status, 'network_endpoint_groups') ?? {};
  const lacking = Object.keys(ports ?? {}).filter((port) => !Object.hasOwn(made, port));
  if (status === undefined || lacking.length > 0)
    return [
      failed('gke-balancer', 'NegNotMade', {
        found: `GKE has made no endpoint group for ${nameOf(service)}${lacking.length > 0 ? ` and port ${lacking.join(', ')}` : ''}`,
        expected: `the annotation ${negStatus}; GKE sets it in VPC-native clusters with httpLoadBalancing`,
        fix: `kubectl describe service ${name} -n ${namespace}`,
      }),
    ];
  const there = Array.isArray(status['zones']) ? status['zones'].map(String) : [];
  const without = [...zones].filter((zone) => !there.includes(zone)).toSorted();
  if (without.length === 0) return [];
  return [
    warning('gke-balancer', 'NegNotInEveryZone', {
      found: `${nameOf(service)} has no endpoint group in ${without.join(', ')}, where Nodes are`,
      expected: 'one in each zone: pods in others get nothing from the load balancer',
      fix: show,
    }),
  ];
}

function judgeIdentity(nodes: readonly GkeNode[]): Finding {
  const off = nodes.filter(({ labels }) => labels[identityLabel] !== 'true');
  const pool = off[0]?.labels[poolLabel] ?? 'POOL';
  if (off.length === 0) return ok('gke-identity', `${count(nodes.length, 'Node')} with the metadata server of GKE`);
  return warning('gke-identity', 'WorkloadIdentityOff', {
    found: `${names(off.map(({ name }) => name))} ${off.length === 1 ? 'has' : 'have'} no metadata server of GKE`,
    expected: 'Workload Identity: pods else act as the service account of their node',
    fix: `gcloud container node-pools update ${pool} --cluster=CLUSTER --location=REGION --workload-metadata=GKE_METADATA`,
  });
}

function nameOf({ namespace, name }: GkeService): string {
  return `${namespace}/${name}`;
}

function rangeOf(
  name: string,
  prefix: Prefix | undefined,
): readonly { readonly name: string; readonly prefix: Prefix }[] {
  return prefix === undefined ? [] : [{ name, prefix }];
}

function hostOf(text: string): Prefix | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : hostPrefix(address);
}

/** A JSON object; undefined for anything else. */
function read(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectAt({ value: JSON.parse(text) as unknown }, 'value');
  } catch {
    return undefined;
  }
}

function objectAt(
  value: Readonly<Record<string, unknown>> | undefined,
  key: string,
): Readonly<Record<string, unknown>> | undefined {
  const found = value?.[key];
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as Readonly<Record<string, unknown>>)
    : undefined;
}
