import { z } from 'zod';
import { IpAddress, Name, Port, text } from '../fields.ts';

/** Visible characters and spaces only, because providers count and compare bytes. */
const SearchString = z
  .string()
  .regex(/^[ -~]{1,255}$/, 'at most 255 characters of ASCII on one line')
  .meta({ minLength: 1, maxLength: 255 });

export const ClusterSpec = z
  .strictObject({
    sites: z.array(Name.describe('Name of a Site.')).min(1).max(64).describe('The sites that the cluster runs in.'),
    source: z
      .union([
        z.strictObject({
          manifests: text(1024).describe(
            'Folder of Kubernetes YAML, relative to the file that declares the cluster. It holds no spec objects.',
          ),
        }),
        z.strictObject({
          kubeconfig: text(1024).describe('Path of a kubeconfig, relative to the file that declares the cluster.'),
          context: text(253).optional().describe('Context of the kubeconfig; absent: its current one.'),
        }),
        z.strictObject({
          none: z.literal(true).describe('The cluster is not read at all: it is there for steering only.'),
        }),
      ])
      .describe('How to read the cluster: exactly one of `manifests`, `kubeconfig` or `none`.'),
    entry: z
      .union([
        z.strictObject({
          edgePool: Name.describe('Name of an EdgePool of this cluster; its public VIPs are the entry.'),
        }),
        z.strictObject({
          anycast: z
            .array(IpAddress)
            .min(1)
            .max(64)
            .describe('Addresses that every site of the cluster announces; inside the `vips` prefixes of each.'),
        }),
      ])
      .describe('What DNS answers lead to: exactly one of `edgePool` or `anycast`.'),
    healthCheck: z
      .strictObject({
        protocol: z.enum(['HTTP', 'HTTPS']).default('HTTP').describe('Protocol of the check.'),
        port: Port.default(80).describe('Port of the check.'),
        intervalSeconds: z
          .union([z.literal(10), z.literal(30)])
          .default(10)
          .describe('Seconds between two checks of one checker; Route 53 allows these two values.'),
        searchString: SearchString.optional().describe(
          'Text that the first 5,120 bytes of the answer must hold; absent: the status of the answer alone counts.',
        ),
        failureThreshold: z.int().min(1).max(10).default(3).describe('Failed checks in a row that make it unhealthy.'),
        minHealthyAddresses: z
          .int()
          .min(1)
          .max(64)
          .optional()
          .describe(
            'So many addresses of a family must answer for the cluster to be a first choice; of a family with fewer addresses, all. Absent: one. As a later choice it answers while any address does.',
          ),
      })
      .prefault({})
      .describe('How DNS providers check each entry address.'),
    capacity: z
      .strictObject({
        requestsPerSecond: z.number().positive().describe('How many requests the cluster can serve in a second.'),
      })
      .optional()
      .describe('How much load the cluster can carry.'),
    utilisation: z
      .strictObject({
        normal: z.number().gt(0).max(1).default(0.7).describe('Share of what it can serve that is used day by day.'),
        emergency: z.number().gt(0).max(1).default(0.9).describe('The same while another cluster or site is lost.'),
      })
      .optional()
      .describe('How full its servers or replicas may get. Absent: 0.7 and 0.9.'),
    cost: z
      .strictObject({
        perMillionRequests: z.number().min(0).describe('Price of a million requests.'),
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/, 'an ISO 4217 code, e.g. EUR')
          .describe('ISO 4217 code.'),
      })
      .optional()
      .describe('What serving from the cluster costs.'),
  })
  .describe('A Kubernetes cluster: its sites, how to read it, and what DNS answers lead to.');
