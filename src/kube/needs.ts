import { systemNamespace } from '../model/contract.ts';
import type { CalicoGroup } from './calico.ts';
import { type Kind, kindFacts } from './kinds.ts';

/** Which objects of a kind are read; the server applies it. */
export interface Selector {
  /** E.g. `type=kubernetes.io/tls`. */
  readonly fields?: string;
  /** E.g. `app in (web,api)`. */
  readonly labels?: string;
}

/**
 * The resource that is needed: a kind that we read, whose group and plural its own file states; or a resource of which no object
 * ever enters a ClusterState. A resource of Calico is in the group that the cluster serves, and may have another name in each.
 */
type Subject =
  | { readonly kind: Kind; readonly subresource?: string }
  | { readonly apiGroup: string; readonly resource: string }
  | { readonly calico: string | Readonly<Record<CalicoGroup, string>> };

/**
 * One thing that a plane needs of a cluster. It is stated once, in the `needs.ts` of the plane: the objects that its source
 * reads, the rights in `deploy/rbac` and the checks of `tideline check --cluster` are all derived from it.
 */
export interface Need {
  readonly of: Subject;
  readonly verbs: readonly string[];
  /** What it is needed for, as part of a sentence. */
  readonly why: string;
  /** Only these objects are read. RBAC cannot express this, so the right is to all objects of the kind. */
  readonly select?: Selector;
  /** The need is limited to this namespace; when absent, it is for all. */
  readonly namespace?: string;
  /** The need is limited to objects of these names. */
  readonly names?: readonly string[];
  /** A cluster without any such object is not at fault. */
  readonly mayLack?: true;
}

/** The need to follow the objects of a kind, or a selection of them, as they change: the source of the plane reads them. */
export function follow(kind: Kind, why: string, only: Pick<Need, 'select' | 'mayLack'> = {}): Need {
  return { of: { kind }, verbs: ['list', 'watch'], why, ...only };
}

/** The need to list every object of a kind, once. */
export function list(of: Subject, why: string): Need {
  return { of, verbs: ['list'], why };
}

/** The need to get single objects by their names, once. */
export function getNamed(of: Subject, names: readonly string[], why: string): Need {
  return { of, verbs: ['get'], names, why };
}

/** The need to ask what others may do. */
export function askRightsOfOthers(why: string): Need {
  return { of: { apiGroup: 'authorization.k8s.io', resource: 'subjectaccessreviews' }, verbs: ['create'], why };
}

/** The need to know the identity of the cluster, as `kube/watch/identity.ts` does. */
export const knowIdentity: Need = getNamed(
  { apiGroup: '', resource: 'namespaces' },
  ['kube-system'],
  'the identity of the cluster (its uid)',
);

/** The need to write the status of objects, as `kube/status/writer.ts` does. */
export function writeStatus(of: Subject, why: string): Need {
  return { of, verbs: ['patch'], why };
}

/** The need to write Events, as `kube/status/events.ts` does. */
export function writeEvents(why: string): Need {
  return { of: { apiGroup: 'events.k8s.io', resource: 'events' }, verbs: ['create', 'patch'], why };
}

/** The need to elect a leader, as `kube/lease/election.ts` does. */
export function electLeader(why: string): Need {
  const of = { apiGroup: 'coordination.k8s.io', resource: 'leases' };
  return { of, verbs: ['get', 'create', 'update'], namespace: systemNamespace, why };
}

/** Whether a kind is read for these needs. */
export function reads(needs: readonly Need[], kind: Kind): boolean {
  return needs.some(({ of, verbs }) => 'kind' in of && of.kind === kind && verbs.includes('list'));
}

/** The kinds that are followed, and which objects of them. */
export interface SourceSelection {
  readonly kinds: readonly Kind[];
  readonly selectors: Readonly<Partial<Record<Kind, Selector>>>;
}

/**
 * The kinds and selectors that a source must have to meet these needs: those of the cluster's own objects, or those of the platform
 * spec, which have a source of their own, so that neither waits for the other.
 */
export function sourceSelection(needs: readonly Need[], whose: 'cluster' | 'platform' = 'cluster'): SourceSelection {
  const followed = needs.flatMap(({ of, verbs, select }) =>
    'kind' in of && verbs.includes('watch') && (kindFacts[of.kind].own === true) === (whose === 'platform')
      ? [{ kind: of.kind, select }]
      : [],
  );
  return {
    kinds: followed.map(({ kind }) => kind),
    selectors: Object.fromEntries(
      followed.flatMap(({ kind, select }) => (select === undefined ? [] : [[kind, select]])),
    ),
  };
}
