import { z } from 'zod';
import { mostPairKiB } from '../../contract.ts';
import { IpAddress, IpPrefix, Name, Port } from '../fields.ts';

/** A bound for each part of the table. */
function limits(
  what: string,
  defaults: { readonly routes: number; readonly endpoints: number; readonly certificateKiB: number },
  mostCertificateKiB = 10_000_000,
) {
  const bound = (default_: number, most = 10_000_000) => z.int().min(1).max(most).default(default_);
  return z
    .strictObject({
      routes: bound(defaults.routes).describe(
        `Paths and default backends of ${what}; one of 256 bytes and more counts as several, and each KiB of its lists of addresses as one on each host.`,
      ),
      endpoints: bound(defaults.endpoints).describe(
        `Endpoints of the backends of ${what}; of a Service, each port by itself.`,
      ),
      certificateKiB: bound(defaults.certificateKiB, mostCertificateKiB).describe(
        `KiB of certificates and keys of ${what}.`,
      ),
    })
    .prefault({})
    .describe(`What ${what} may take.`);
}

export const EdgePoolSpec = z
  .strictObject({
    cluster: Name.describe('Name of the Cluster whose Ingresses it serves.'),
    blades: z
      .array(
        z.strictObject({
          name: Name.describe('Name, unique in the platform.'),
          address: IpAddress.describe("Its own address, inside the `servers` prefixes of the cluster's sites."),
        }),
      )
      .min(1)
      .max(128)
      .describe('The servers that run nginx for the cluster.'),
    vips: z
      .array(
        z.strictObject({
          address: IpAddress.describe("Inside the `vips` prefixes of the cluster's sites."),
          scope: z
            .enum(['public', 'private'])
            .default('public')
            .describe('Public VIPs are what DNS answers with; private ones are announced only.'),
        }),
      )
      .min(1)
      .max(128)
      .describe('The addresses that every fit blade announces.'),
    ports: z
      .strictObject({
        http: Port.default(80).describe('Port of plain HTTP.'),
        https: Port.default(443).describe('Port of HTTPS.'),
      })
      .prefault({})
      .describe('Where nginx listens on the VIPs.'),
    ingressClass: Name.default('tideline').describe(
      'The IngressClass it serves; no other pool of the cluster serves it.',
    ),
    defaultCertificate: z
      .strictObject({
        namespace: Name.describe('Namespace of the Secret.'),
        secret: Name.describe('Name of a Secret of type kubernetes.io/tls.'),
      })
      .optional()
      .describe('Certificate for hosts that have none; absent: a self-signed one made at first start.'),
    hostOwnerOwnsCertificate: z
      .boolean()
      .default(false)
      .describe(
        'Whether only Ingresses in the namespace of the oldest Ingress with a route on a host may give that host a certificate.',
      ),
    limits: z
      .strictObject({
        namespace: limits('the objects of one namespace', {
          routes: 20_000,
          endpoints: 60_000,
          certificateKiB: 32_768,
        })
          .unwrap()
          .extend({
            memoryPercent: z
              .int()
              .min(1)
              .max(100)
              .default(50)
              .describe(
                'Percent that one namespace may fill of the memory of nginx for hosts, for backends and for certificates each. ' +
                  'With 100 one namespace may leave nothing to the others.',
              ),
          })
          .prefault({})
          .describe('What the objects of one namespace may take.'),
        object: limits('one object', { routes: 5000, endpoints: 10_000, certificateKiB: mostPairKiB }, mostPairKiB),
      })
      .prefault({})
      .describe(
        'How much of the table the tenants of the cluster may take. The memory of nginx bounds the whole, whatever these say: the youngest objects are refused then.',
      ),
    endpoints: z
      .strictObject({
        allow: z
          .enum(['pods', 'anywhere'])
          .default('pods')
          .describe(
            "Where endpoints may be. `pods`: only in the `pods` prefixes of the cluster's sites (anywhere, while none of them lists " +
              'any). `anywhere`: wherever an EndpointSlice says. Servers, routers and VIPs of the platform are refused in both.',
          ),
        hostNetwork: z
          .boolean()
          .default(false)
          .describe(
            'Whether pods of the host network may be endpoints. They have the addresses of their servers, so this opens every ' +
              'port of every worker of the cluster to whoever may write an EndpointSlice; blades stay refused.',
          ),
      })
      .prefault({})
      .describe('Which addresses an EndpointSlice may lead nginx to.'),
    https: z
      .strictObject({
        redirect: z
          .boolean()
          .default(true)
          .describe('Redirects plain HTTP to HTTPS for hosts with TLS; an Ingress overrides it with `ssl-redirect`.'),
        redirectCode: z
          .union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)])
          .default(308)
          .describe('Status of that redirect.'),
        hsts: z
          .strictObject({
            enabled: z.boolean().default(true).describe('Sends Strict-Transport-Security for hosts with TLS.'),
            maxAgeSeconds: z
              .int()
              .min(0)
              .max(9_999_999_999)
              .default(31_536_000)
              .describe('For how long browsers keep to HTTPS.'),
            includeSubDomains: z.boolean().default(true).describe('Includes every name below the host.'),
            preload: z.boolean().default(false).describe('Allows the host in the lists that browsers come with.'),
          })
          .prefault({})
          .describe('HTTP Strict Transport Security (RFC 6797); an Ingress overrides it with `hsts` and its kin.'),
      })
      .prefault({})
      .describe('What hosts with TLS do beside serving HTTPS.'),
    trustedProxies: z
      .strictObject({
        prefixes: z
          .array(IpPrefix)
          .min(1)
          .max(64)
          .describe('The addresses of the proxies. What others say of a client is not believed.'),
        via: z
          .enum(['forwardedHeaders', 'proxyProtocol'])
          .default('forwardedHeaders')
          .describe(
            'How they say who the client is: by X-Forwarded-For and X-Forwarded-Proto, or by the PROXY protocol, without which nginx then takes no connection.',
          ),
      })
      .optional()
      .describe(
        'Load balancers in front of the blades, whose clients are those that they name. Needs a new render and a restart of nginx and of the agent.',
      ),
    maxBodyMiB: z
      .int()
      .min(1)
      .max(1_048_576)
      .default(64)
      .describe(
        'The longest body of a request in MiB. An Ingress may take less with `proxy-body-size`. Needs a new render and a restart of nginx.',
      ),
    clients: z
      .strictObject({
        requests: z
          .int()
          .min(1)
          .max(65_535)
          .default(4096)
          .describe('Requests in flight of one client; an open WebSocket is one, each stream of HTTP/2 is one.'),
        bodies: z
          .int()
          .min(1)
          .max(65_535)
          .default(256)
          .describe('Of these, the ones with a body of 10,000 bytes and more, or of a length that is not said.'),
      })
      .prefault({})
      .describe(
        'What one client may have at once on one blade; more is answered 429 (`ClientOverLimit`). A client is an IPv4 address or a /64 of IPv6, behind which there may be thousands of people. A trusted proxy is not limited, the clients that it names are. Needs a new render and a restart of nginx.',
      ),
    accessLog: z
      .enum(['sampled', 'all', 'none'])
      .default('sampled')
      .describe(
        'Which requests have a line in the access log of nginx. `sampled`: all while there are few; else about 200 a second of a blade, and up to 100 besides that failed or were refused. Takes effect within seconds.',
      ),
    ignoreAccessAnnotations: z
      .boolean()
      .default(false)
      .describe(
        'Serves the routes of Ingresses whose annotations limit access in a way that is not supported; else they answer 503.',
      ),
    minAnnouncers: z
      .int()
      .min(1)
      .max(128)
      .default(1)
      .describe(
        'Tideline never withdraws a VIP so that fewer blades than this announce it. As many blades, the first by name, are keepers.',
      ),
    leaseSeconds: z
      .number()
      .min(1)
      .max(60)
      .default(5)
      .describe(
        "A VIP is withdrawn this long after the blade's agent was last heard of, unless the blade is a keeper.",
      ),
    drain: z
      .strictObject({
        graceSeconds: z
          .number()
          .min(0)
          .default(5)
          .describe('Seconds in which a drained blade ends its keep-alive connections before it withdraws its VIPs.'),
      })
      .prefault({})
      .describe('How a blade is taken out of service.'),
  })
  .describe('The blades of a cluster and the VIPs they announce.');
