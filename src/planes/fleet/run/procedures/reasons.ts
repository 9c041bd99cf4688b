/** Why a procedure is not planned. */
export const procedureReasons = {
  ServerUnknown: 'No document names the server: it is in no cluster with a Fleet, or it is retired.',
  ServerNotNew: 'The server already has its document: there is nothing to add.',
  ServerStays: 'The platform spec still has the server: it would be set up again by the next apply.',
  ServerSilent: 'The server does not answer, and the procedure works on it.',
  StillRuns: 'The server runs units that are not of its document: it belongs to something else.',
  DiskEmpty: 'The server has lost its disk, and the procedure works on what it had.',
  MemberHealthy: 'The member of etcd is healthy: it has a disk that works, and would lose its data.',
  QuorumWouldBeLost: 'Too few members of etcd would be healthy to agree on anything.',
  MembersUnknown: 'No member says who the members of etcd are.',
  NoSurvivor: 'No member of etcd has data that the cluster could go on with.',
  LastControlPlane: 'The cluster would have no control plane.',
  LastWorker: 'The cluster would have no worker.',
  PoolTooSmall: 'A pool would have fewer blades than must announce its addresses.',
  VersionSkipped: 'More than one minor version lies between what runs and what is to run.',
  VersionOlder: 'What runs is newer than what is to run: an older version may not read what it wrote.',
  UpgradeFirst: 'A server that is touched would get another version of etcd or the API server on the way.',
  NotOnlyAgents: 'More than the agents of Tideline would change on servers of the pool or site.',
} as const;
export type ProcedureReason = keyof typeof procedureReasons;

export interface Refusal {
  readonly reason: ProcedureReason;
  readonly message: string;
  readonly fix: string;
}
