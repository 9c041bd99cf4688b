import { z } from 'zod';
import { apiVersion } from '../contract.ts';
import { Metadata } from './fields.ts';
import { ClusterSpec } from './kinds/cluster.ts';
import { DrainSpec } from './kinds/drain.ts';
import { EdgePoolSpec } from './kinds/edge-pool.ts';
import { FleetSpec } from './kinds/fleet.ts';
import { FreezeSpec } from './kinds/freeze.ts';
import { ReleaseSpec } from './kinds/release.ts';
import { ScalingTargetSpec } from './kinds/scaling-target.ts';
import { ServerSpec } from './kinds/server.ts';
import { ServerClassSpec } from './kinds/server-class.ts';
import { SiteSpec } from './kinds/site.ts';
import { TrafficOverlaySpec } from './kinds/traffic-overlay.ts';
import { TrafficPolicySpec } from './kinds/traffic-policy.ts';
import { TrafficVerdictSpec } from './kinds/traffic-verdict.ts';

/** A schema of the platform spec, `tideline.dev/v1alpha1`, for files and (generated) CRDs. */
function kind<K extends string, S extends z.ZodType>(name: K, spec: S) {
  return z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(name), metadata: Metadata, spec });
}

export const Site = kind('Site', SiteSpec);
export const Cluster = kind('Cluster', ClusterSpec);
export const EdgePool = kind('EdgePool', EdgePoolSpec);
export const TrafficPolicy = kind('TrafficPolicy', TrafficPolicySpec);
export const Drain = kind('Drain', DrainSpec);
export const Freeze = kind('Freeze', FreezeSpec);
export const TrafficOverlay = kind('TrafficOverlay', TrafficOverlaySpec);
export const TrafficVerdict = kind('TrafficVerdict', TrafficVerdictSpec);
export const ServerClass = kind('ServerClass', ServerClassSpec);
export const Server = kind('Server', ServerSpec);
export const Release = kind('Release', ReleaseSpec);
export const Fleet = kind('Fleet', FleetSpec);
export const ScalingTarget = kind('ScalingTarget', ScalingTargetSpec);

export type Site = z.infer<typeof Site>;
export type Cluster = z.infer<typeof Cluster>;
export type EdgePool = z.infer<typeof EdgePool>;
export type TrafficPolicy = z.infer<typeof TrafficPolicy>;
export type Drain = z.infer<typeof Drain>;
export type Freeze = z.infer<typeof Freeze>;
export type TrafficOverlay = z.infer<typeof TrafficOverlay>;
export type TrafficVerdict = z.infer<typeof TrafficVerdict>;
export type ServerClass = z.infer<typeof ServerClass>;
export type Server = z.infer<typeof Server>;
export type Release = z.infer<typeof Release>;
export type Fleet = z.infer<typeof Fleet>;
export type ScalingTarget = z.infer<typeof ScalingTarget>;

/** Every kind with its schema, in the order of the documentation. */
export const kinds = {
  Site,
  Cluster,
  EdgePool,
  TrafficPolicy,
  Drain,
  Freeze,
  TrafficOverlay,
  TrafficVerdict,
  ServerClass,
  Server,
  Release,
  Fleet,
  ScalingTarget,
} as const;
export type KindName = keyof typeof kinds;
/** Kinds that are read from files only: machines and what is kept ready are the operator's, and no agent in a cluster reads them. */
const ofFiles = ['ServerClass', 'Server', 'Release', 'Fleet', 'ScalingTarget'] as const satisfies readonly KindName[];
/** Kinds that have a CustomResourceDefinition. */
export type ApiKindName = Exclude<KindName, (typeof ofFiles)[number]>;
/** The object of each kind. */
export type ObjectOf = { readonly [Kind in KindName]: z.infer<(typeof kinds)[Kind]> };
// Object.keys gives string[]; the keys of the table are exactly the kinds.
export const kindNames = Object.keys(kinds) as readonly KindName[];
export const apiKindNames = kindNames.filter(isApiKind);

export function isKindName(text: unknown): text is KindName {
  return typeof text === 'string' && Object.hasOwn(kinds, text);
}

export function isApiKind(kind: KindName): kind is ApiKindName {
  return !ofFiles.some((one) => one === kind);
}
