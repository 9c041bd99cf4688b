import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kindNames } from '../model/spec/kinds.ts';
import { calicoGroups } from './calico.ts';
import { ownCrds, type Right, rightsOf, rightText } from './rights.ts';

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

/** Every single right of the roles in a file, as a line of text. */
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
  it.each(['edge', 'network'] as const)('%s', (party) => {
    const stated = rightsOf(party, 'crd.projectcalico.org').flatMap(lines).toSorted();
    expect(granted(`${party}.yaml`)).toEqual(stated);
  });

  it('check, for whichever group Calico is in', () => {
    const stated = new Set(calicoGroups.flatMap((group) => rightsOf('check', group).flatMap(lines)));
    expect(granted('check.yaml')).toEqual([...stated].toSorted());
  });
});

it('names the CRD of every kind of the platform spec', () => {
  expect(ownCrds).toHaveLength(kindNames.length);
});

it('asks nothing of Calico when pods have podCIDRs', () => {
  expect(rightsOf('network', undefined).map(({ resource }) => resource)).toEqual(['nodes']);
});
