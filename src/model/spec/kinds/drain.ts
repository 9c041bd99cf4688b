import { z } from 'zod';
import { NodeName, text } from '../fields.ts';

export const DrainSpec = z
  .strictObject({
    target: z
      .strictObject({
        kind: z.enum(['Site', 'Cluster', 'Blade', 'Worker']).describe('What to take out of service.'),
        name: NodeName.describe(
          'Its name. A Worker is a Node of a cluster, so this spec cannot tell whether there is one.',
        ),
      })
      .describe('What to take out of service.'),
    force: z
      .boolean()
      .default(false)
      .describe('Of a Worker: withdraw its routes at once, also while pods on it are Ready.'),
    reason: text(1024).describe('For people: why.'),
    expires: z.iso.datetime({ offset: true }).max(64).describe('RFC 3339 time; the drain ends by itself then.'),
  })
  .describe('Takes a site, cluster, blade or worker out of service for a while.');
