import { InputError } from '../problem.ts';
import type { KindName, ObjectOf } from '../spec/kinds.ts';
import type { Platform } from '../spec/platform.ts';
import { unknownName } from '../spec/unknown-name.ts';
import { withoutUndefined } from '../values.ts';

type Tables = { readonly [Kind in KindName]: ReadonlyMap<string, ObjectOf[Kind]> };

/** Where the name of an object comes from and was looked up, for the InputError. */
export interface NameOrigin {
  /** The command-line option that names the object, such as `--cluster`. */
  readonly option?: string;
  /** Where the platform was read from, as the person named it. */
  readonly place?: string;
}

/** The object of the platform with this kind and name. Throws InputError (`UnknownName`) with the names there are. */
export function findObject<Kind extends KindName>(
  platform: Platform,
  kind: Kind,
  name: string,
  { option, place }: NameOrigin = {},
): ObjectOf[Kind] {
  const objects: ReadonlyMap<string, ObjectOf[Kind]> = tablesOf(platform)[kind];
  const object = objects.get(name);
  if (object !== undefined) return object;
  const { message, ...fault } = unknownName(kind, name, [...objects.keys()]);
  const where = place === undefined ? '' : ` in ${place}`;
  throw new InputError({ ...fault, message: `${message}${where}`, ...withoutUndefined({ path: option }) });
}

function tablesOf(platform: Platform): Tables {
  const { sites, clusters, edgePools, policies, drains, freezes, overlays, verdicts } = platform;
  const { serverClasses, servers, releases, fleets, scalingTargets } = platform;
  return {
    Site: sites,
    Cluster: clusters,
    EdgePool: edgePools,
    TrafficPolicy: policies,
    Drain: drains,
    Freeze: freezes,
    TrafficOverlay: overlays,
    TrafficVerdict: verdicts,
    ServerClass: serverClasses,
    Server: servers,
    Release: releases,
    Fleet: fleets,
    ScalingTarget: scalingTargets,
  };
}
