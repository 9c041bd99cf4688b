import { z } from 'zod';

/** What `tideline_health.edge` says: the status of a blade's agent, as far as drains and gates look at it. */
export const BladeView = z.object({
  agent: z.literal('edge'),
  blade: z.string(),
  source: z.object({ phase: z.string(), reason: z.string().optional() }),
  fault: z.string().optional(),
  vips: z.array(
    z.object({ address: z.string(), fit: z.boolean(), reasons: z.array(z.string()), announced: z.boolean() }),
  ),
  vipsMissing: z.record(z.string(), z.string()).default({}),
  draining: z.boolean(),
  nginx: z.object({ activeConnections: z.number() }).optional(),
  requestsPerSecond: z.number().optional(),
  bgp: z.object({ relay: z.string() }),
});
export type BladeView = z.infer<typeof BladeView>;
