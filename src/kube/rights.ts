import { withoutUndefined } from '../model/values.ts';
import type { CalicoGroup } from './calico.ts';
import { type Kind, kindFacts } from './kinds.ts';
import type { Need } from './needs.ts';

/** One right at a kube-apiserver, as a rule of RBAC grants it. */
export interface Right {
  readonly apiGroup: string;
  /** The plural of the resource; a subresource follows after a slash. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** The right is limited to this namespace; when absent, it is for all. */
  readonly namespace?: string;
  /** The right is limited to objects of these names. */
  readonly names?: readonly string[];
  /** What the right is needed for, as part of a sentence. */
  readonly why: string;
}

/**
 * The rights that are required for these needs in a cluster that serves Calico in this group. When `calico` is undefined the
 * cluster serves no group of Calico, and its resources are left out. `deploy/rbac` grants exactly these rights, and the
 * preflight checks exactly these.
 */
export function rightsOf(needs: readonly Need[], calico: CalicoGroup | undefined): readonly Right[] {
  return needs.flatMap(({ of, verbs, why, namespace, names }) => {
    const resource = resourceOf(of, calico);
    return resource === undefined ? [] : [{ ...resource, verbs, why, ...withoutUndefined({ namespace, names }) }];
  });
}

function resourceOf(of: Need['of'], calico: CalicoGroup | undefined): Pick<Right, 'apiGroup' | 'resource'> | undefined {
  if ('apiGroup' in of) return of;
  if ('kind' in of) {
    const apiGroup = groupOf(of.kind, calico);
    const resource =
      of.subresource === undefined ? kindFacts[of.kind].plural : `${kindFacts[of.kind].plural}/${of.subresource}`;
    return apiGroup === undefined ? undefined : { apiGroup, resource };
  }
  if (calico === undefined) return undefined;
  return { apiGroup: calico, resource: typeof of.calico === 'string' ? of.calico : of.calico[calico] };
}

/** The API group of a kind. A kind with several groups belongs to Calico, and is read from the group that the cluster serves. */
function groupOf(kind: Kind, calico: CalicoGroup | undefined): string | undefined {
  const groups = kindFacts[kind].apiVersions.map((version) => (version.includes('/') ? version.split('/')[0] : ''));
  return groups.length === 1 ? groups[0] : groups.find((group) => group === calico);
}

/** `verb resource.group`, as `kubectl auth can-i` and error messages write it. */
export function rightText(verb: string, right: Pick<Right, 'apiGroup' | 'resource'>): string {
  const [resource = '', subresource] = right.resource.split('/');
  const group = right.apiGroup === '' ? '' : `.${right.apiGroup}`;
  return `${verb} ${resource}${group}${subresource === undefined ? '' : `/${subresource}`}`;
}
