import { describe, expect, it, test } from 'vitest';
import type { CalicoGroup } from '../../kube/calico.ts';
import { rightsOf } from '../../kube/rights.ts';
import { parsePrefix } from '../../model/address.ts';
import { withoutUndefined } from '../../model/values.ts';
import { needsOf } from '../agents.ts';
import type { Answer, Finding } from '../finding.ts';
import { type CalicoFacts, judgeCalico } from './calico.ts';
import { type Crd, judgeCrds } from './crds.ts';
import { type ClassFacts, judgeIngress } from './ingress.ts';
import { judgeNodes } from './nodes.ts';
import { type DaemonSet, judgePolicies, type KeptNode, type PolicyFacts } from './policies.ts';
import { judgePools } from './pools.ts';
import { type Granted, judgeExcess, judgeRights, type Rule, unlistedRights } from './rights.ts';
import { compareSchemas } from './schema-difference.ts';

const prefix = (text: string) => parsePrefix(text) ?? expect.unreachable(text);
const reasons = (findings: readonly Finding[]) => findings.map(({ state, reason }) => reason ?? state);

describe('schemas', () => {
  const schema = (properties: object, more = {}) => ({ type: 'object', properties, ...more });
  const text = { type: 'string' };

  test.each([
    ['the same', schema({ a: text }), schema({ a: text }), [[], [], []]],
    ['descriptions', schema({ a: { ...text, description: 'x' } }), schema({ a: text }), [[], [], []]],
    ['the order of required', schema({}, { required: ['a', 'b'] }), schema({}, { required: ['b', 'a'] }), [[], [], []]],
    ['lacking', schema({ a: schema({ b: text }) }), schema({}), [['a'], [], []]],
    [
      'extra, in a list',
      schema({ a: { type: 'array', items: schema({}) } }),
      schema({ a: { type: 'array', items: schema({ c: text }) } }),
      [[], ['a[].c'], []],
    ],
    ['other rules', schema({ a: text }), schema({ a: { ...text, maxLength: 3 } }), [[], [], ['a']]],
    ['a whole schema', schema({ a: text }), undefined, [['the object itself'], [], []]],
  ])('%s', (_, wanted, actual, [lacking, extra, different]) => {
    expect(compareSchemas(wanted, actual)).toEqual({ lacking, extra, different });
  });
});

describe('CRDs', () => {
  const crd = (properties: object, status: Crd['status']): Crd => ({
    metadata: { name: 'sites.tideline.dev' },
    spec: {
      versions: [
        { name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } },
      ],
    },
    ...withoutUndefined({ status }),
  });
  const established = [{ type: 'Established', status: 'True' }];
  const want = crd({ a: { type: 'string' } }, undefined);
  const judge = (answer: Answer<Crd>) =>
    reasons(judgeCrds([{ crd: want, file: 'sites.yaml' }], new Map([['sites.tideline.dev', answer]]), 'ops'));

  test.each([
    [{ got: crd({ a: { type: 'string' } }, { conditions: established }) }, ['ok']],
    [{ missing: true }, ['CrdMissing']],
    [{ forbidden: 'get x' }, ['RightMissing']],
    [{ failed: 'no answer' }, ['AnswerFailed']],
    [{ got: crd({}, { conditions: established }) }, ['CrdOlder']],
    [{ got: crd({ a: { type: 'string' }, b: { type: 'string' } }, { conditions: established }) }, ['CrdNewer']],
    [{ got: crd({ a: { type: 'integer' } }, { conditions: established }) }, ['CrdDiffers']],
    [
      { got: crd({ a: { type: 'string' } }, { conditions: [{ type: 'Established', status: 'False', message: 'x' }] }) },
      ['CrdNotEstablished'],
    ],
    [
      { got: crd({ a: { type: 'string' } }, { conditions: established, storedVersions: ['v1alpha0', 'v1alpha1'] }) },
      ['CrdStoredVersions'],
    ],
  ] as const)('%#', (answer, expected) => {
    expect(judge(answer)).toEqual(expected);
  });
});

describe('rights', () => {
  const needs = rightsOf(needsOf('edge', 'calico'), undefined);
  const all: Rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const nothing: Granted = { everywhere: [], inSystem: [] };
  const exact: readonly Rule[] = needs.map(({ verbs, apiGroup, resource }) => ({
    verbs,
    apiGroups: [apiGroup],
    resources: [resource],
  }));
  const who = { username: 'ops', groups: [] };

  it('are met by exactly what is stated, and by a star', () => {
    expect(unlistedRights(needs, { everywhere: exact, inSystem: exact })).toEqual([]);
    expect(unlistedRights(needs, { everywhere: [all], inSystem: [all] })).toEqual([]);
    expect(unlistedRights(needs, nothing).length).toBe(needs.flatMap(({ verbs }) => verbs).length);
  });

  it('in one namespace are no rights everywhere', () => {
    expect(
      unlistedRights(needs, { everywhere: [], inSystem: [all] }).some(({ right }) => right.namespace !== undefined),
    ).toBe(false);
    expect(unlistedRights(needs, { everywhere: [], inSystem: [all] }).length).toBeGreaterThan(5);
  });

  it('to some objects are no rights to all, and to a subresource none to its parent', () => {
    const rule = { verbs: ['*'], apiGroups: [''], resources: ['services'] };
    const services = needs.filter(({ resource }) => resource === 'services');
    expect(unlistedRights(services, { everywhere: [{ ...rule, resourceNames: ['web'] }], inSystem: [] })).toHaveLength(
      2,
    );
    expect(
      unlistedRights(services, { everywhere: [{ ...rule, resources: ['services/status'] }], inSystem: [] }),
    ).toHaveLength(2);
  });

  test.each([
    [exact, undefined],
    [[{ verbs: ['get'], apiGroups: [''], resources: ['services'] }], undefined],
    [[{ verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectrulesreviews'] }], undefined],
    [[{ verbs: ['delete'], apiGroups: [''], resources: ['secrets'] }], 'ops may also delete secrets'],
    [[{ verbs: ['create'], apiGroups: [''], resources: ['pods/exec'] }], 'ops may also create pods/exec'],
    [[all], 'ops may also do everything: it is an administrator'],
  ] as const)('too many of %#', (everywhere, found) => {
    const finding = judgeExcess(needs, { everywhere, inSystem: [] }, who);
    expect(finding.state === 'ok' ? undefined : finding.found).toBe(found);
  });
});

describe('the fix of missing rights', () => {
  const denied = (group: CalicoGroup) =>
    unlistedRights(rightsOf(needsOf('network', 'calico'), group), { everywhere: [], inSystem: [] });

  it('applies deploy/rbac for its own groups, and binds the role for others', () => {
    const own = { username: 'tideline:network:w1', groups: ['tideline:network'] };
    const apply = 'kubectl apply --server-side --force-conflicts -k deploy/rbac';
    expect(judgeRights('network', denied('crd.projectcalico.org'), own, 'deploy/rbac').fix).toBe(apply);
    expect(
      judgeRights('network', denied('crd.projectcalico.org'), { username: 'ops', groups: [] }, 'deploy/rbac').fix,
    ).toBe(
      `${apply} && kubectl create clusterrolebinding tideline-network-ops --clusterrole=tideline-network --user=ops`,
    );
  });

  it('adds a rule where Calico is in its other group', () => {
    const account = { username: 'system:serviceaccount:tideline-system:tideline-network', groups: [] };
    const v3 = denied('projectcalico.org').filter(({ right }) => right.apiGroup !== '');
    expect(judgeRights('network', v3, account, 'deploy/rbac').fix).toBe(
      `kubectl patch clusterrole tideline-network --type=json -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["projectcalico.org"],"resources":["blockaffinities","ipamblocks","ippools"],"verbs":["list","watch"]}}]'`,
    );
  });
});

describe('Calico', () => {
  const facts: CalicoFacts = {
    group: 'projectcalico.org',
    pools: { got: [] },
    affinities: { got: ['w1'] },
    information: { got: [{ datastoreReady: true }] },
    config: { got: [] },
    bgp: { got: [{ name: 'default', mesh: false }] },
    peers: { got: [] },
  };
  const judge = (changed: Partial<CalicoFacts>) =>
    reasons(judgeCalico({ ...facts, ...changed }, { who: 'ops', nodes: ['w1'], maxRoutes: 100 })).filter(
      (one) => one !== 'ok',
    );

  test.each([
    [{}, []],
    [{ information: { got: [] } }, ['DatastoreNotReady']],
    [{ information: { missing: true } }, ['DatastoreNotReady']],
    [{ information: { forbidden: 'list x' } }, ['RightMissing']],
    [{ affinities: { got: [] } }, ['IpamNotCalico']],
    [{ config: { got: [{ maxBlocksPerHost: 500 }] } }, ['BlocksOverLimit']],
    [{ config: { missing: true } }, []],
    [{ bgp: { got: [] } }, ['CalicoMeshOn']],
    [{ bgp: { got: [{ name: 'default' }] } }, ['CalicoMeshOn']],
    [{ bgp: { got: [{ name: 'node.w1', mesh: false }] } }, ['CalicoMeshOn']],
    [{ peers: { got: ['tor'] } }, ['CalicoPeers']],
  ] as const)('%#: %j', (changed, expected) => {
    expect(judge(changed)).toEqual(expected);
  });

  test.each([
    [{ cidr: '10.10.0.0/16' }, ['ok']],
    [{ cidr: '10.10.4.0/24', ipipMode: 'Never', nodeSelector: 'all()' }, ['ok']],
    [{ cidr: '10.0.0.0/8' }, ['PoolOutsideSites']],
    [{ cidr: 'fd00::/48' }, ['PoolOutsideSites']],
    [{ cidr: 'nonsense' }, ['PoolUnreadable']],
    [{ cidr: '10.10.0.0/16', vxlanMode: 'Always', natOutgoing: true }, ['PoolEncapsulated', 'PoolNatOutgoing']],
    [{ cidr: '10.10.0.0/16', nodeSelector: 'zone == "a"' }, ['PoolsNotForAllNodes']],
    [{ cidr: '10.10.0.0/16', disabled: true }, ['PoolsMissing']],
    [{ cidr: '10.10.0.0/16', allowedUses: ['Tunnel'] }, ['PoolsMissing']],
  ])('pool %j', (pool, expected) => {
    const context = {
      who: 'ops',
      group: 'crd.projectcalico.org' as const,
      allowed: [prefix('10.10.0.0/16')],
      sites: ['paris'],
    };
    expect(reasons(judgePools({ got: [{ name: 'pods', ...pool }] }, context))).toEqual(expected);
  });
});

describe('nodes', () => {
  const allowed = { servers: [prefix('10.1.0.0/24')], pods: [prefix('10.10.0.0/16')] };

  test.each([
    ['calico', [{ addresses: ['10.1.0.11'], podCIDRs: [] }], ['ok']],
    ['calico', [{ addresses: ['172.16.0.1', '10.1.0.11'], podCIDRs: [] }], ['ok']],
    ['calico', [{ addresses: ['10.2.0.11'], podCIDRs: [] }], ['NodeOutsideSites']],
    ['calico', [{ addresses: [], podCIDRs: [] }], ['NodeOutsideSites']],
    ['calico', [], ['NodesMissing']],
    ['podCIDRs', [{ addresses: ['10.1.0.11'], podCIDRs: ['10.10.3.0/24'] }], ['ok']],
    ['podCIDRs', [{ addresses: ['10.1.0.11'], podCIDRs: [] }], ['NodeWithoutPodCidr']],
    ['podCIDRs', [{ addresses: ['10.1.0.11'], podCIDRs: ['10.11.3.0/24'] }], ['PodCidrOutsideSites']],
  ] as const)('pods from %s: %j', (podsFrom, nodes, expected) => {
    const got = nodes.map((node, index) => ({ name: `w${index}`, ...node }));
    expect(reasons(judgeNodes({ got }, { who: 'ops', podsFrom, allowed }))).toEqual(expected);
  });
});

describe('IngressClasses', () => {
  const one = (name: string, controller: string, isDefault = false): ClassFacts => ({ name, controller, isDefault });
  const ours = 'tideline.dev/edge';

  test.each([
    [[one('tideline', ours)], ['ok', 'ok']],
    [[one('tideline', ours, true)], ['ok', 'ok']],
    [[], ['ClassMissing', 'ok']],
    [[one('tideline', 'k8s.io/ingress-nginx')], ['ClassOfOther', 'ok']],
    [
      [one('tideline', ours), one('nginx', 'k8s.io/ingress-nginx', true)],
      ['ok', 'OtherDefaultClass'],
    ],
    [
      [one('tideline', ours, true), one('nginx', 'k8s.io/ingress-nginx', true)],
      ['ok', 'DefaultClassTwice'],
    ],
  ])('%j', (classes, expected) => {
    expect(reasons(judgeIngress({ got: classes }, ['tideline'], 'ops'))).toEqual(expected);
  });
});

describe('NetworkPolicies', () => {
  const node = (name: string, fleet: boolean, reason?: string): KeptNode => ({
    metadata: { name, labels: fleet ? { 'tideline.dev/server-class': 'plain' } : {} },
    status: { conditions: reason === undefined ? [] : [{ type: 'NetworkUnavailable', status: 'False', reason }] },
  });
  const agent = (name: string, ready: number, privileged: boolean): DaemonSet => ({
    metadata: { namespace: 'kube-system', name },
    spec: { template: { spec: { hostNetwork: true, containers: [{ name, securityContext: { privileged } }] } } },
    status: { desiredNumberScheduled: 2, numberReady: ready },
  });
  const judge = (facts: Partial<PolicyFacts>) => {
    const { state, reason } = judgePolicies(
      {
        policies: { got: { first: 'shop/deny', count: 3 } },
        nodes: { got: [node('one', true), node('two', true)] },
        daemonSets: { got: [] },
        felix: { got: false },
        ...facts,
      },
      'ops',
    );
    return reason ?? state;
  };
  const strangers = { got: [node('one', false), node('two', false)] };

  test.each<[string, Partial<PolicyFacts>, string]>([
    ['no policy', { policies: { got: { first: undefined, count: 0 } }, nodes: { forbidden: 'list nodes' } }, 'ok'],
    ['servers of a Fleet with Felix', { felix: { got: true } }, 'ok'],
    ['servers of a Fleet without it', {}, 'PoliciesNotKept'],
    [
      'a server of a Fleet beside one that has Calico',
      { nodes: { got: [node('one', true), node('two', false, 'CalicoIsUp')] } },
      'PoliciesNotKept',
    ],
    [
      'Felix of a Fleet and a Node of somebody else',
      { felix: { got: true }, nodes: { got: [node('one', true), node('two', false)] } },
      'PoliciesKeptUnknown',
    ],
    [
      'Calico by its condition',
      { nodes: { got: [node('one', false, 'CalicoIsUp'), node('two', true, 'CalicoIsUp')] } },
      'ok',
    ],
    ['Cilium by its condition', { nodes: { got: [node('one', false, 'CiliumIsUp')] } }, 'ok'],
    ['flannel, which keeps none', { nodes: { got: [node('one', false, 'FlannelIsUp')] } }, 'PoliciesKeptUnknown'],
    ['Nodes of which nothing is known', { nodes: strangers }, 'PoliciesKeptUnknown'],
    [
      'calico-node without its condition',
      { nodes: strangers, daemonSets: { got: [agent('calico-node', 2, true)] } },
      'ok',
    ],
    [
      'calico-node on one Node of two',
      { nodes: strangers, daemonSets: { got: [agent('calico-node', 1, true)] } },
      'PoliciesKeptUnknown',
    ],
    [
      'an agent that may filter, on servers of a Fleet',
      { daemonSets: { got: [agent('somebodys-firewall', 2, true)] } },
      'PoliciesKeptUnknown',
    ],
    ['an exporter, which may not', { daemonSets: { got: [agent('node-exporter', 2, false)] } }, 'PoliciesNotKept'],
    ['a right that is missing', { daemonSets: { forbidden: 'list daemonsets.apps' } }, 'RightMissing'],
    ['Nodes that may not be seen', { nodes: { forbidden: 'list nodes' } }, 'RightMissing'],
  ])('%s', (_, facts, expected) => {
    expect(judge(facts)).toBe(expected);
  });
});
