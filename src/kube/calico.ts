/** The API groups from which Calico's objects are read. A cluster serves one of them, or both. */
export const calicoGroups = ['crd.projectcalico.org', 'projectcalico.org'] as const;
export type CalicoGroup = (typeof calicoGroups)[number];

/** The API version that is read from a group: `crd.projectcalico.org/v1`. */
export function calicoVersion(group: CalicoGroup): string {
  return group === 'projectcalico.org' ? `${group}/v3` : `${group}/v1`;
}

export const calicoVersions = [calicoVersion(calicoGroups[0]), calicoVersion(calicoGroups[1])] as const;
