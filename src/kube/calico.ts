/** The groups that Calico's objects are read from; a cluster serves one of them, or both. */
export const calicoGroups = ['crd.projectcalico.org', 'projectcalico.org'] as const;
export type CalicoGroup = (typeof calicoGroups)[number];

/** The API version of a group that is read: `crd.projectcalico.org/v1`. */
export function calicoVersion(group: CalicoGroup): string {
  return group === 'projectcalico.org' ? `${group}/v3` : `${group}/v1`;
}

export const calicoVersions = [calicoVersion(calicoGroups[0]), calicoVersion(calicoGroups[1])] as const;
