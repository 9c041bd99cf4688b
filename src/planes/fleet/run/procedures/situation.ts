import type { ServerRole } from '../../../../model/spec/kinds/server.ts';
import type { EdgePool } from '../../../../model/spec/kinds.ts';
import { compareText } from '../../../../model/values.ts';
import type { ServerDocument } from '../../compile/document.ts';
import type { Wave } from '../../compile/waves.ts';
import type { Run } from '../steps.ts';
import type { Refusal } from './reasons.ts';

export type Documents = ReadonlyMap<string, ServerDocument>;

/** Everything that a procedure is computed from. */
export interface Situation {
  /** What servers have. */
  readonly before: Documents;
  /** What they are to have, and in which waves. */
  readonly after: { readonly documents: Documents; readonly waves: readonly Wave[] };
  /** EdgePools as they are to be. */
  readonly pools: readonly EdgePool[];
  /** Clusters whose API can be reached from here. */
  readonly apis: ReadonlySet<string>;
  readonly facts: Facts;
}

/** What servers said of themselves before the plan was made. */
export interface Facts {
  /** Servers that did not answer. */
  readonly silent: ReadonlySet<string>;
  /** Members of etcd by cluster; a cluster without an entry has no member that can say, because there is no quorum or because it is new. */
  readonly members: ReadonlyMap<string, readonly Member[]>;
  /** What members said by themselves, also without a quorum. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** Members of etcd without the programs of etcd: they have lost their disk, and nothing of them can be started or stopped. */
  readonly bare: ReadonlySet<string>;
  /** Units of Tideline's documents that run on servers that have none. */
  readonly foreign: ReadonlyMap<string, readonly string[]>;
}

export interface Member {
  readonly name: string;
  readonly peer: string;
  readonly healthy: boolean;
  readonly learner: boolean;
  readonly leader: boolean;
}

export interface Standing {
  /** Whether it knows a leader, and so belongs to members that agree. */
  readonly quorum: boolean;
  readonly raftIndex: number;
  readonly revision: number;
}

/** A run without its checksum, or every reason against it. */
export type Planned =
  | { readonly ok: true; readonly run: Omit<Run, 'checksum'> }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

/** The servers of a cluster with a role, by name. */
export function having(documents: Documents, cluster: string, role: ServerRole): readonly string[] {
  return [...documents.values()]
    .filter(({ server }) => server.cluster === cluster && server.roles.includes(role))
    .map(({ server }) => server.id)
    .toSorted(compareText);
}

export function hasRole(document: ServerDocument | undefined, role: ServerRole): boolean {
  return document?.server.roles.includes(role) === true;
}

/** The URL by which other members of etcd reach a server. */
export function peerOf({ server }: ServerDocument): string {
  const [address = ''] = server.addresses;
  return `https://${address.includes(':') ? `[${address}]` : address}:2380`;
}

/** Everything of a document that runs: what is stopped when the server leaves. */
export function unitsOf(document: ServerDocument): readonly string[] {
  return document.components.flatMap(({ units }) =>
    Object.entries(units)
      .filter(([, { running }]) => running)
      .map(([name]) => name),
  );
}

/** Whether a certificate is wanted that nobody has signed yet. */
export function isUnsigned({ pki }: ServerDocument): boolean {
  return Object.values(pki.certificates).some(({ pem }) => pem === undefined);
}

export const refused = (...refusals: readonly Refusal[]): Planned => ({ ok: false, refusals });

export const serverUnknown = (server: string): Refusal => ({
  reason: 'ServerUnknown',
  message: `no document names ${server}`,
  fix: 'correct the name; tideline fleet plan lists what changes',
});
export const serverSilent = (server: string): Refusal => ({
  reason: 'ServerSilent',
  message: `${server} does not answer`,
  fix: 'start it and its minion, or take it out of the spec first',
});
