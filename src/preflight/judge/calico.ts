import { type CalicoGroup, calicoVersion } from '../../kube/calico.ts';
import { type Answer, count, type Finding, failed, names, ok, unanswered, warning } from '../finding.ts';
import { ipamConfigs } from '../needs.ts';

/** The objects of Calico that are judged; both API groups have these fields. */
export interface CalicoFacts {
  readonly group: CalicoGroup;
  readonly pools: Answer<readonly Pool[]>;
  /** The node of every block. */
  readonly affinities: Answer<readonly string[]>;
  readonly information: Answer<readonly { readonly datastoreReady?: boolean | undefined }[]>;
  readonly config: Answer<readonly IpamConfig[]>;
  readonly bgp: Answer<readonly { readonly name: string; readonly mesh?: boolean | undefined }[]>;
  readonly peers: Answer<readonly string[]>;
}

export interface Pool {
  readonly name: string;
  readonly cidr?: string;
  readonly disabled?: boolean;
  readonly ipipMode?: string;
  readonly vxlanMode?: string;
  readonly natOutgoing?: boolean;
  readonly disableBGPExport?: boolean;
  readonly nodeSelector?: string;
  readonly allowedUses?: readonly string[];
}

export interface IpamConfig {
  readonly strictAffinity?: boolean;
  readonly autoAllocateBlocks?: boolean;
  readonly maxBlocksPerHost?: number;
}

export interface CalicoContext {
  readonly who: string;
  /** Names of the nodes, when they may be listed. */
  readonly nodes: readonly string[];
  /** The smallest `maxRoutesPerServer` of the sites; absent without a platform spec. */
  readonly maxRoutes: number | undefined;
}

/** The finding for a cluster that serves no group of Calico. */
export function calicoMissing(): Finding {
  return failed('calico-api', 'CalicoMissing', {
    found: 'neither crd.projectcalico.org nor projectcalico.org is served',
    expected:
      "Calico with the Kubernetes datastore, or `--pods-from podCIDRs` when another IPAM follows the nodes' podCIDRs",
    fix: 'kubectl get crd | grep -i calico; kubectl -n kube-system get pods -l k8s-app=calico-node',
  });
}

/** Judges everything of Calico but its pools. */
export function judgeCalico(facts: CalicoFacts, context: CalicoContext): readonly Finding[] {
  return [
    ok('calico-api', facts.group),
    judgeDatastore(facts, context),
    ...judgeIpam(facts, context),
    ...judgeBgp(facts, context),
  ];
}

function judgeDatastore({ information, group }: CalicoFacts, { who }: CalicoContext): Finding {
  if ('forbidden' in information || 'failed' in information) return unanswered('calico-datastore', information, who);
  const [first] = 'got' in information ? information.got : [];
  if (first?.datastoreReady === true) return ok('calico-datastore', 'ready');
  const patch = `'{"spec":{"datastoreReady":true}}'`;
  return failed('calico-datastore', 'DatastoreNotReady', {
    found:
      first === undefined
        ? 'there is no ClusterInformation: Calico was never started'
        : 'datastoreReady is not true: the datastore is locked',
    expected: 'ClusterInformation/default with datastoreReady true; agents hold until then',
    fix:
      first === undefined
        ? `echo '{"apiVersion":"${calicoVersion(group)}","kind":"ClusterInformation","metadata":{"name":"default"},"spec":{"datastoreReady":true}}' | kubectl create -f -`
        : `kubectl patch clusterinformations.${group} default --type=merge -p ${patch}`,
  });
}

function judgeIpam(
  { affinities, config, group }: CalicoFacts,
  { who, nodes, maxRoutes }: CalicoContext,
): readonly Finding[] {
  const findings: Finding[] = [];
  if ('forbidden' in affinities || 'failed' in affinities) findings.push(unanswered('calico-ipam', affinities, who));
  else {
    const owners = new Set('got' in affinities ? affinities.got : []);
    if (owners.size === 0 && nodes.length > 0)
      findings.push(
        warning('calico-ipam', 'IpamNotCalico', {
          found: `none of ${count(nodes.length, 'Node')} has a block (BlockAffinity)`,
          expected:
            'ipam.type calico-ipam in the CNI configuration; with host-local the agents take `--pods-from podCIDRs`',
          fix: 'grep -A2 \'"ipam"\' /etc/cni/net.d/*calico*   # on a node',
        }),
      );
  }
  const settings = 'got' in config ? config.got[0] : undefined;
  if ('forbidden' in config || 'failed' in config) findings.push(unanswered('calico-ipam', config, who));
  if (settings?.autoAllocateBlocks === false)
    findings.push(
      warning('calico-ipam', 'BlocksNotAutomatic', {
        found: 'autoAllocateBlocks is false: a node without a block gets no pods',
        fix: `kubectl patch ${ipamConfigs[group]}.${group} default --type=merge -p '{"spec":{"autoAllocateBlocks":true}}'`,
      }),
    );
  const most = settings?.maxBlocksPerHost ?? 0;
  if (maxRoutes !== undefined && most > maxRoutes)
    findings.push(
      warning('calico-ipam', 'BlocksOverLimit', {
        found: `maxBlocksPerHost is ${most}, a server may announce ${maxRoutes} routes`,
        expected: 'spec.limits.maxRoutesPerServer of the Site above it',
        fix: `kubectl patch ${ipamConfigs[group]}.${group} default --type=merge -p '{"spec":{"maxBlocksPerHost":${maxRoutes - 1}}}'`,
      }),
    );
  if (findings.length > 0) return findings;
  const borrowing = settings?.strictAffinity === true ? 'strict affinity' : 'borrowed addresses become host routes';
  return [
    ok(
      'calico-ipam',
      `blocks of ${count('got' in affinities ? new Set(affinities.got).size : 0, 'node')}, ${borrowing}`,
    ),
  ];
}

function judgeBgp({ bgp, peers, group }: CalicoFacts, { who }: CalicoContext): readonly Finding[] {
  for (const answer of [bgp, peers])
    if ('forbidden' in answer || 'failed' in answer) return [unanswered('calico-bgp', answer, who)];
  const named = 'got' in bgp ? bgp.got.find(({ name }) => name === 'default') : undefined;
  const findings: Finding[] = [];
  if (named?.mesh !== false)
    findings.push(
      warning('calico-bgp', 'CalicoMeshOn', {
        found: `the node-to-node mesh is on${named === undefined ? ' (it is by default: there is no BGPConfiguration)' : ''}`,
        expected: 'one speaker a node: two that announce the same block hide each other, and both want port 179',
        fix:
          named === undefined
            ? `echo '{"apiVersion":"${calicoVersion(group)}","kind":"BGPConfiguration","metadata":{"name":"default"},"spec":{"nodeToNodeMeshEnabled":false}}' | kubectl create -f -`
            : `kubectl patch bgpconfigurations.${group} default --type=merge -p '{"spec":{"nodeToNodeMeshEnabled":false}}'`,
      }),
    );
  const list = 'got' in peers ? peers.got : [];
  if (list.length > 0)
    findings.push(
      warning('calico-bgp', 'CalicoPeers', {
        found: `Calico peers with ${names(list)}`,
        expected: 'no BGPPeer: Tideline announces the blocks',
        fix: `kubectl delete bgppeers.${group} ${list.join(' ')}`,
      }),
    );
  return findings.length === 0 ? [ok('calico-bgp', "Calico's mesh is off, and it has no peers")] : findings;
}
