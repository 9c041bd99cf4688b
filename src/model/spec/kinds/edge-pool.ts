import { z } from 'zod';
import { IpAddress, Name, Port } from '../fields.ts';

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
