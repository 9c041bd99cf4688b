import { z } from 'zod';
import { Name, text } from '../fields.ts';

const Replicas = (what: string) => z.int().min(0).max(100_000).describe(what);

export const ScalingTargetSpec = z
  .strictObject({
    cluster: Name.describe('Name of the Cluster that it runs in.'),
    site: Name.optional().describe(
      'Name of the Site, of those of the cluster, whose users it serves. Needed where the entry of the cluster is `anycast` and it has several sites: each user comes to the nearest.',
    ),
    workload: z
      .strictObject({
        kind: z.enum(['Deployment', 'HorizontalPodAutoscaler']).describe('What has the replicas.'),
        namespace: Name.describe('Its namespace.'),
        name: text(253).describe('Its name.'),
      })
      .describe('What is scaled.'),
    policies: z
      .array(Name.describe('Name of a TrafficPolicy.'))
      .min(1)
      .max(500)
      .describe('The policies whose users it serves.'),
    callsPerRequest: z
      .number()
      .positive()
      .max(10_000)
      .default(1)
      .describe('So many calls reach it for each request of a user: 0.2 where one request of five does.'),
    callsPerSecond: z
      .number()
      .positive()
      .max(10_000_000)
      .describe('So many calls a second one replica can serve, as measured under load, before it queues or refuses.'),
    replicas: z
      .strictObject({
        min: Replicas('It never has fewer.').default(1),
        max: Replicas('It cannot have more: the quota of the account, or what its nodes hold.'),
      })
      .describe('The bounds of its replicas.'),
    readySeconds: z
      .int()
      .min(0)
      .max(86_400)
      .describe('Time from the moment a replica is wanted until it serves, with the node that it may need first.'),
    survives: z
      .strictObject({
        failures: z
          .enum(['none', 'single'])
          .default('single')
          .describe('`single`: the loss of any one Cluster or Site. `none`: only what `together` names.'),
        together: z
          .array(z.array(Name.describe('Name of a Site.')).min(2).max(8))
          .max(32)
          .default([])
          .describe('Sites whose loss at the same time is survived as well.'),
      })
      .prefault({})
      .describe('What is lost without anybody waiting for a replica.'),
    cost: z
      .strictObject({
        perReplicaHour: z.number().min(0).describe('Price of a replica for an hour.'),
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/, 'an ISO 4217 code, e.g. EUR')
          .describe('ISO 4217 code.'),
      })
      .optional()
      .describe('What a replica costs.'),
  })
  .describe(
    'A workload whose replicas are kept ready for users that other clusters serve now, and that it gets when those fail. It is read from files only.',
  );
