import { contains, hostPrefix, type Prefix, parseAddress, parsePrefix } from '../../model/address.ts';
import type { PodsFrom } from '../../planes/network/needs.ts';
import { type Answer, count, type Finding, failed, names, ok, unanswered } from '../finding.ts';

export interface NodeFacts {
  readonly name: string;
  readonly podCIDRs: readonly string[];
  /** The addresses of type InternalIP. */
  readonly addresses: readonly string[];
}

export interface NodeContext {
  readonly who: string;
  readonly podsFrom: PodsFrom;
  /** Prefixes of the cluster's sites; absent without a platform spec. */
  readonly allowed: { readonly servers: readonly Prefix[]; readonly pods: readonly Prefix[] } | undefined;
}

/** Judges whether every Node has an address in a site, and a podCIDR when podCIDRs are announced. */
export function judgeNodes(answer: Answer<readonly NodeFacts[]>, context: NodeContext): readonly Finding[] {
  if ('forbidden' in answer || 'failed' in answer) return [unanswered('nodes', answer, context.who)];
  const nodes = 'got' in answer ? answer.got : [];
  if (nodes.length === 0)
    return [
      failed('nodes', 'NodesMissing', {
        found: 'the cluster has no Node',
        expected: 'at least one; network agents hold until then',
        fix: 'kubeadm token create --print-join-command',
      }),
    ];
  const findings = [
    ...nodesOutsideSites(nodes, context),
    ...nodesWithoutPodCidr(nodes, context),
    ...podCidrsOutsideSites(nodes, context),
  ];
  return findings.length === 0 ? [ok('nodes', describe(nodes, context))] : findings;
}

function describe(nodes: readonly NodeFacts[], { podsFrom, allowed }: NodeContext): string {
  const place = allowed === undefined ? '' : ', each with an address in a site';
  return `${count(nodes.length, 'Node')}${place}${podsFrom === 'podCIDRs' ? ', each with a podCIDR' : ''}`;
}

function nodesOutsideSites(nodes: readonly NodeFacts[], { allowed }: NodeContext): readonly Finding[] {
  if (allowed === undefined) return [];
  const bad = nodes.filter(({ addresses }) => !addresses.some((text) => isInside(text, allowed.servers)));
  if (bad.length === 0) return [];
  return [
    failed('nodes', 'NodeOutsideSites', {
      found: `no InternalIP of ${names(bad.map(({ name, addresses }) => `${name} (${addresses.join(', ') || 'none'})`))} is in a site`,
      expected: `one inside ${allowed.servers.map(({ text }) => text).join(', ') || 'the server prefixes of a site'}; its agent holds until then`,
      fix: `in the platform spec, add the prefix to spec.prefixes.servers of the Site; or kubelet --node-ip=ADDRESS on ${bad[0]?.name ?? 'the node'}`,
    }),
  ];
}

function nodesWithoutPodCidr(nodes: readonly NodeFacts[], { podsFrom }: NodeContext): readonly Finding[] {
  const bad = podsFrom === 'podCIDRs' ? nodes.filter(({ podCIDRs }) => podCIDRs.length === 0) : [];
  if (bad.length === 0) return [];
  return [
    failed('nodes', 'NodeWithoutPodCidr', {
      found: `${names(bad.map(({ name }) => name))} ${bad.length === 1 ? 'has' : 'have'} no podCIDR`,
      expected: 'kube-controller-manager with --allocate-node-cidrs and --cluster-cidr, or spec.podCIDRs set by hand',
      fix: `kubectl patch node ${bad[0]?.name ?? ''} --type=merge -p '{"spec":{"podCIDR":"PREFIX","podCIDRs":["PREFIX"]}}'`,
    }),
  ];
}

function podCidrsOutsideSites(nodes: readonly NodeFacts[], { podsFrom, allowed }: NodeContext): readonly Finding[] {
  if (podsFrom !== 'podCIDRs' || allowed === undefined) return [];
  const bad = nodes.flatMap(({ name, podCIDRs }) =>
    podCIDRs.filter((text) => !isInside(text, allowed.pods)).map((text) => ({ name, text })),
  );
  const [first] = bad;
  if (first === undefined) return [];
  return [
    failed('nodes', 'PodCidrOutsideSites', {
      found: `${names(bad.map(({ name, text }) => `${text} of ${name}`))} ${bad.length === 1 ? 'is' : 'are'} outside the sites`,
      expected: `inside ${allowed.pods.map(({ text }) => text).join(', ') || 'the pod prefixes of a site'}: others are never announced`,
      fix: `in the platform spec, add ${first.text} to spec.prefixes.pods of the Site`,
    }),
  ];
}

function isInside(text: string, prefixes: readonly Prefix[]): boolean {
  const address = parseAddress(text);
  const prefix = address === undefined ? parsePrefix(text) : hostPrefix(address);
  return prefix !== undefined && prefixes.some((outer) => contains(outer, prefix));
}
