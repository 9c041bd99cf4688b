/** Why a change that a person asked for is refused, as far as the spec and the agents tell. */
export const observeReasons = {
  LeavesVip: 'A VIP would be left without a blade that can serve it.',
  LeavesCountries: 'Users of some countries would be left without a cluster in service.',
} as const;

/** Why something is not known, as far as spec and clusters tell. */
export const seenReasons = {
  WorkersUnknown:
    'Which workers a cluster has is not known, because its kube-apiserver or folder cannot be read from here; their agents are not asked. Run the command where the cluster can be read, or read the `/status` of a worker there.',
  WorkersUnplaced:
    "The Node of a worker names no internal address inside the servers' prefixes of a Site, so its agent is not asked. Correct the address, or the prefixes.",
} as const;

/** Why the platform spec in the API of a cluster has no effect, or is not known. */
export const specReasons = {
  SpecApiUnread:
    'The API of a cluster could not be read here as a source of the platform spec, so a Drain that stands there is not seen. Use a kubeconfig of the group `tideline:drain`.',
  SpecApiUnheeded:
    'Agents read their cluster, and not the platform spec in its API: a right is missing. Apply `deploy/rbac`.',
} as const;

/** Why figures of what was measured may be wrong. */
export const demandReasons = {
  CountryDataOld:
    'The data by which blades tell the country of an address is older than a year, so figures by country may be wrong. Install a newer release on the blades, and render again.',
} as const;

/** What clusters lack of the hosts of policies, beside the reasons of the edge. */
export const parityReasons = {
  CertificateNone:
    'A host has no certificate at a cluster that its policy names, and has one at another: users who are led there get an error. Name a Secret in `spec.tls` of its Ingress there.',
  HostsUnknown:
    'Whether a cluster has the hosts of a policy that names it is not known: no blade of it says so to this machine, and what answers at its address does not tell. Run the command where the agents of the blades answer.',
} as const;

export type ParityReason = keyof typeof parityReasons;

export type SpecReason = keyof typeof specReasons;

export type SeenReason = keyof typeof seenReasons;

export type ObserveReason = keyof typeof observeReasons;
