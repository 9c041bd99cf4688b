import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { calicoGroups } from '../kube/calico.ts';
import { type Need, sourceSelection } from '../kube/needs.ts';
import { type Right, rightsOf, rightText } from '../kube/rights.ts';
import { fleetNeeds } from '../planes/fleet/needs.ts';
import { networkNeeds } from '../planes/network/needs.ts';
import { steeringNeeds } from '../planes/steering/needs.ts';
import { agents, needsOf, usualAgents } from './agents.ts';
import { ownCrds, preflightNeeds } from './needs.ts';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

/** The single rights of the roles in a file, each as a line of text. */
function granted(file: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../deploy/rbac', file), 'utf8');
  const roles = parseAllDocuments(text).map((document) => document.toJS() as Role);
  return roles
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ metadata: { namespace }, rules }) =>
      rules.flatMap(({ apiGroups, resources, verbs, resourceNames: names }) =>
        apiGroups.flatMap((apiGroup) =>
          resources.flatMap((resource) => lines({ apiGroup, resource, verbs, namespace, names })),
        ),
      ),
    )
    .toSorted();
}

type Line = Omit<Right, 'why' | 'namespace' | 'names'> & {
  readonly namespace?: string | undefined;
  readonly names?: readonly string[] | undefined;
};

function lines(right: Line): readonly string[] {
  const where = right.namespace === undefined ? '' : ` in ${right.namespace}`;
  const which = right.names === undefined ? '' : ` named ${right.names.toSorted().join(' ')}`;
  return right.verbs.map((verb) => `${rightText(verb, right)}${where}${which}`);
}

describe('deploy/rbac grants exactly what is stated', () => {
  it('to an agent of each plane that needs anything', () => {
    expect(agents).toEqual(['edge', 'network', 'steering', 'scaling']);
    expect(usualAgents).toEqual(['edge', 'network']);
  });

  it.each(agents)('%s', (agent) => {
    const stated = rightsOf(needsOf(agent, 'calico'), 'crd.projectcalico.org').flatMap(lines).toSorted();
    expect(granted(`${agent}.yaml`)).toEqual(stated);
  });

  it('check, for whichever group Calico is in', () => {
    const stated = new Set(calicoGroups.flatMap((group) => rightsOf(preflightNeeds, group).flatMap(lines)));
    expect(granted('check.yaml')).toEqual([...stated].toSorted());
  });
});

it('looks for the CRDs that are installed, which are of the kinds that agents read', () => {
  const installed = [...readFileSync('deploy/kustomization.yaml', 'utf8').matchAll(/crds\/(\w+)\.yaml/g)];
  expect(installed.map(([, plural]) => `${plural}.tideline.dev`)).toEqual(ownCrds.toSorted());
  const watched = ['edge.yaml', 'network.yaml']
    .flatMap(granted)
    .filter((line) => /\bwatch\b.*tideline\.dev/.test(line));
  expect(watched.map((line) => /(\w+\.tideline\.dev)/.exec(line)?.[1])).toEqual(expect.arrayContaining([...ownCrds]));
});

it('asks nothing of Calico when pods have podCIDRs', () => {
  expect(rightsOf(networkNeeds({ podsFrom: 'calico' }), undefined).map(({ resource }) => resource)).toEqual([
    'namespaces',
    'nodes',
    'pods',
    'drains',
  ]);
  expect(networkNeeds({ podsFrom: 'podCIDRs' })).toHaveLength(4);
});

it('grants whoever runs the fleet what its drains and gates need', () => {
  expect(granted('fleet.yaml')).toEqual(rightsOf(fleetNeeds, undefined).flatMap(lines).toSorted());
  expect(sourceSelection(fleetNeeds).kinds).toEqual([]);
});

it('asks of one cluster for DNS, where the Lease of the steering agents is', () => {
  const stated = rightsOf(steeringNeeds, undefined).flatMap(lines).toSorted();
  expect(granted('steering.yaml')).toEqual(stated);
  expect(sourceSelection(steeringNeeds).kinds).toEqual([]);
});

it.each<[string, readonly Need[], object]>([
  [
    'a blade',
    needsOf('edge', 'calico'),
    {
      kinds: ['Service', 'EndpointSlice', 'Ingress', 'IngressClass', 'Secret'],
      selectors: { Secret: { fields: 'type=kubernetes.io/tls' } },
    },
  ],
  [
    'the worker w1',
    networkNeeds({ podsFrom: 'calico', node: 'w1' }),
    {
      kinds: ['Node', 'Pod', 'IPPool', 'BlockAffinity', 'IPAMBlock'],
      selectors: { Node: { fields: 'metadata.name=w1' }, Pod: { fields: 'spec.nodeName=w1' } },
    },
  ],
  ['whoever only looks', preflightNeeds, { kinds: [], selectors: {} }],
])('the source of %s reads what it needs and no more', (_, needs, selection) => {
  expect(sourceSelection(needs)).toEqual(selection);
});
