import { systemNamespace } from '../model/contract.ts';
import type { CalicoGroup } from './calico.ts';
import type { Kind } from './kinds.ts';

/** Which objects of a kind are read; the server filters. */
export interface Selector {
  /** E.g. `type=kubernetes.io/tls`. */
  readonly fields?: string;
  /** E.g. `app in (web,api)`. */
  readonly labels?: string;
}

/**
 * What is needed: a kind that we read, whose group and resource its own file states; or a resource of which no object ever
 * enters a ClusterState. One of Calico's is in the group that the cluster serves, and may be called differently in each.
 */
type Subject =
  | { readonly kind: Kind; readonly subresource?: string }
  | { readonly apiGroup: string; readonly resource: string }
  | { readonly calico: string | Readonly<Record<CalicoGroup, string>> };

/**
 * One thing that a plane needs of a cluster. Stated once, in the `needs.ts` of the plane: what its source reads, the rights
 * of `deploy/rbac` and what `tideline check --cluster` looks for are all derived from it.
 */
export interface Need {
  readonly of: Subject;
  readonly verbs: readonly string[];
  /** What for, as part of a sentence. */
  readonly why: string;
  /** Only these objects are asked for. RBAC cannot say it, so the right is to all of them. */
  readonly select?: Selector;
  /** Only in this namespace; absent: everywhere. */
  readonly namespace?: string;
  /** Only objects of these names. */
  readonly names?: readonly string[];
  /** A cluster without any such object is no fault. */
  readonly mayLack?: true;
}

/** Every object of a kind, or those selected, now and as they change: the source of the plane reads it. */
export function follow(kind: Kind, why: string, only: Pick<Need, 'select' | 'mayLack'> = {}): Need {
  return { of: { kind }, verbs: ['list', 'watch'], why, ...only };
}

/** Every object of a kind, once. */
export function list(of: Subject, why: string): Need {
  return { of, verbs: ['list'], why };
}

/** Single objects by their names, once. */
export function getNamed(of: Subject, names: readonly string[], why: string): Need {
  return { of, verbs: ['get'], names, why };
}

/** What `kube/status/writer.ts` does to the status of objects. */
export function writeStatus(of: Subject, why: string): Need {
  return { of, verbs: ['patch'], why };
}

/** What `kube/status/events.ts` does. */
export function writeEvents(why: string): Need {
  return { of: { apiGroup: 'events.k8s.io', resource: 'events' }, verbs: ['create', 'patch'], why };
}

/** What `kube/lease/election.ts` does. */
export function electLeader(why: string): Need {
  const of = { apiGroup: 'coordination.k8s.io', resource: 'leases' };
  return { of, verbs: ['get', 'create', 'update'], namespace: systemNamespace, why };
}

/** Whether these needs include to read a kind. */
export function reads(needs: readonly Need[], kind: Kind): boolean {
  return needs.some(({ of, verbs }) => 'kind' in of && of.kind === kind && verbs.includes('list'));
}

/** The kinds that are followed, and which objects of them. */
export interface SourceSelection {
  readonly kinds: readonly Kind[];
  readonly selectors: Readonly<Partial<Record<Kind, Selector>>>;
}

/** What a source must read to meet these needs. */
export function sourceSelection(needs: readonly Need[]): SourceSelection {
  const followed = needs.flatMap(({ of, verbs, select }) =>
    'kind' in of && verbs.includes('watch') ? [{ kind: of.kind, select }] : [],
  );
  return {
    kinds: followed.map(({ kind }) => kind),
    selectors: Object.fromEntries(
      followed.flatMap(({ kind, select }) => (select === undefined ? [] : [[kind, select]])),
    ),
  };
}
