import type { ClusterOf, RecordAnswers } from './answers.ts';

/** The records of one zone, of whatever tool, as far as they say who gets which address. */
export interface ZoneFile {
  readonly entries: readonly ZoneEntry[];
}

/** The records of one name and type. */
export interface ZoneEntry {
  /** Relative to the zone; empty for the zone itself. */
  readonly name: string;
  readonly type: string;
  /** Where the records stand, `file:line`; absent where the reader does not know it. */
  readonly at?: readonly string[];
  /** Of addresses: what they say of users and clusters. Throws NotPossible when a policy cannot say it. */
  readonly read?: (clusterOf: ClusterOf) => EntryAnswers;
  /** Why records of addresses cannot be read. */
  readonly problem?: string;
  /** Of TXT records. */
  readonly texts?: readonly string[];
  /** Of NS, MX and SRV records: the names that they lead to, absolute and without the trailing dot. */
  readonly leadsTo?: readonly string[];
  /** Why records that hold addresses are nobody's answer by themselves: a name that another tool made for its own use. */
  readonly partOf?: string;
}

/** What a person should know of a set whose records have several TTLs, `why` being what speaks against them; nothing of one TTL. */
export function ttlNotes(type: string, ttls: Iterable<number>, why = ''): readonly string[] {
  const several = [...new Set(ttls)].sort((a, b) => a - b);
  if (several.length < 2) return [];
  return [`its ${type} records have the TTLs ${several.join(' and ')} s${why}: the smallest is taken, ${several[0]} s`];
}

/** What addresses say, and what a person should know of the change. */
export interface EntryAnswers extends RecordAnswers {
  readonly ttlSeconds: number;
  readonly addresses: readonly string[];
  /** How many addresses each answer holds, where clients get several. */
  readonly together?: number;
  /** True where the records have a health check of their own. */
  readonly checked?: boolean;
}

/** Records whose last field is the name of a server that is asked for something else than a page. */
export const serverTypes: readonly string[] = ['NS', 'MX', 'SRV'];
