/** What becomes of an object of the platform spec that stands in the API of a cluster. */
export const specApiReasons = {
  InForce: 'The object is part of the platform spec as it is written.',
  NotTrusted:
    'The kind concerns prefixes, DNS zones or other clusters: it is believed only of a folder, and of an API that agents were told to trust for it.',
  OfOtherCluster:
    'The object speaks of more than the cluster in whose API it stands, and that API is not trusted for it.',
  NameTaken: 'Another place has an object of this name that concerns others than this cluster; it stays as it is.',
  ObjectUnreadable:
    'The object has a field that this version of the agent does not know, or one that is wrong; its last good version stays in force, if there was one.',
  ObjectInvalid:
    'The object does not go together with the rest of the platform spec; its last good version stays in force, if there was one.',
  CopiesDiffer:
    'Two places have this object and differ; the version on which they agreed last stays in force, or that of the first place if they never did.',
  TooManyObjects:
    'The API has more than 1,000 objects of the platform spec, or 100 where it is that of another cluster and not trusted; those beyond, by kind and name, are left out.',
} as const;

/** Why the platform that an agent obeys is not the newest that is written, or is none. */
export const platformReasons = {
  PlatformInvalid: 'The newest platform spec does not go together; the last good one stays in force.',
  PlatformMissing:
    'The agent has no folder, and neither the APIs nor what they said last, on disk, give a platform with what it needs; it waits.',
} as const;

export type PlatformReason = keyof typeof platformReasons;
export type SpecApiReason = keyof typeof specApiReasons;
