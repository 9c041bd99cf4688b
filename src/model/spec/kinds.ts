import { z } from 'zod';
import { AsNumber, DnsName, IpAddress, IpPrefix, Metadata, Name, Port } from './fields.ts';

/** The platform spec, `tideline.dev/v1alpha1`: a schema per kind, for files and (generated) CRDs. */
export const apiVersion = 'tideline.dev/v1alpha1';

const WeightedCluster = z.strictObject({ name: Name, weight: z.int().min(0).max(255).default(100) });

const CountryCode = z.string().regex(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code in capitals, e.g. FR');
const ContinentCode = z.enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']);

export const SiteSpec = z.strictObject({
  type: z.enum(['datacentre', 'cloud']),
  location: z.strictObject({
    country: CountryCode,
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  }),
  /** The routers that servers peer with (top of rack). Empty for a cloud region. */
  routers: z.array(z.strictObject({ name: Name, address: IpAddress, asn: AsNumber })).default([]),
  /** AS number of the servers' own BGP speakers. */
  serverAsn: AsNumber.optional(),
  /** The prefixes that may ever be announced from here, default deny. */
  prefixes: z.strictObject({
    pods: z.array(IpPrefix).default([]),
    servers: z.array(IpPrefix).default([]),
    vips: z.array(IpPrefix).default([]),
  }),
  /** Limits of what one server may announce. */
  limits: z
    .strictObject({
      maxRoutesPerServer: z.int().min(1).default(256),
      maxAnnouncementsPerMinute: z.int().min(1).default(600),
      maxWithdrawalsPerMinute: z.int().min(1).default(60),
    })
    .prefault({}),
});

export const ClusterSpec = z.strictObject({
  sites: z.array(Name).min(1),
  /** How to read it. `manifests` is a folder, relative to the file that says so. */
  source: z.union([
    z.strictObject({ manifests: z.string().min(1) }),
    z.strictObject({ kubeconfig: z.string().min(1), context: z.string().min(1).optional() }),
    z.strictObject({ none: z.literal(true) }),
  ]),
  /** What DNS answers lead to: the VIPs of an edge pool, or one anycast address. */
  entry: z.union([z.strictObject({ edgePool: Name }), z.strictObject({ anycast: z.array(IpAddress).min(1) })]),
  healthCheck: z
    .strictObject({
      protocol: z.enum(['HTTP', 'HTTPS']).default('HTTP'),
      port: Port.default(80),
      intervalSeconds: z.union([z.literal(10), z.literal(30)]).default(10),
      failureThreshold: z.int().min(1).max(10).default(3),
    })
    .prefault({}),
  capacity: z.strictObject({ requestsPerSecond: z.number().positive() }).optional(),
  cost: z.strictObject({ perMillionRequests: z.number().min(0), currency: z.string().regex(/^[A-Z]{3}$/) }).optional(),
});

export const EdgePoolSpec = z.strictObject({
  cluster: Name,
  blades: z.array(z.strictObject({ name: Name, address: IpAddress })).min(1),
  vips: z.array(z.strictObject({ address: IpAddress, scope: z.enum(['public', 'private']).default('public') })).min(1),
  ports: z.strictObject({ http: Port.default(80), https: Port.default(443) }).prefault({}),
  ingressClass: Name.default('tideline'),
  /** A Secret of type kubernetes.io/tls for requests whose host has none; absent: a self-signed one made at first start. */
  defaultCertificate: z.strictObject({ namespace: Name, secret: Name }).optional(),
  /** Never fewer announcers of a VIP than this by our own doing; the first so many blades (by name) are its keepers. */
  minAnnouncers: z.int().min(1).default(1),
  /** A VIP is withdrawn this long after the blade's agent was last heard of (unless the blade is a keeper). */
  leaseSeconds: z.number().min(1).max(60).default(5),
  drain: z.strictObject({ graceSeconds: z.number().min(0).default(5) }).prefault({}),
});

const Answer = {
  clusters: z.array(WeightedCluster).min(1),
  /** Tried in order when none of `clusters` is healthy. */
  failover: z.array(Name).default([]),
};

export const TrafficPolicySpec = z.strictObject({
  hosts: z.array(DnsName).min(1),
  dns: z.strictObject({ zone: DnsName, providers: z.array(z.enum(['route53', 'powerdns'])).min(1) }),
  ttlSeconds: z.int().min(1).max(86_400).default(60),
  rules: z
    .array(
      z.strictObject({
        countries: z.array(CountryCode).default([]),
        continents: z.array(ContinentCode).default([]),
        ...Answer,
      }),
    )
    .default([]),
  /** Everyone no rule names. Never empty. */
  default: z.strictObject(Answer),
  /** The health endpoint fails when fewer than this share of the policy's backends (0..1) have a ready endpoint. */
  minReadyRatio: z.number().min(0).max(1).default(0.5),
  guard: z.strictObject({ maxTrafficShare: z.number().min(0).max(1).default(0.25) }).prefault({}),
});

export const DrainSpec = z.strictObject({
  target: z.strictObject({ kind: z.enum(['Site', 'Cluster', 'Blade', 'Worker']), name: Name }),
  reason: z.string().min(1),
  /** RFC 3339; the drain ends by itself then. */
  expires: z.iso.datetime({ offset: true }),
});

function kind<K extends string, S extends z.ZodType>(name: K, spec: S) {
  return z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(name), metadata: Metadata, spec });
}

export const Site = kind('Site', SiteSpec);
export const Cluster = kind('Cluster', ClusterSpec);
export const EdgePool = kind('EdgePool', EdgePoolSpec);
export const TrafficPolicy = kind('TrafficPolicy', TrafficPolicySpec);
export const Drain = kind('Drain', DrainSpec);

export type Site = z.infer<typeof Site>;
export type Cluster = z.infer<typeof Cluster>;
export type EdgePool = z.infer<typeof EdgePool>;
export type TrafficPolicy = z.infer<typeof TrafficPolicy>;
export type Drain = z.infer<typeof Drain>;
