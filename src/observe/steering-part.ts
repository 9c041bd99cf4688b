import { z } from 'zod';

/** What a steering agent answered, as far as it is read here; or why it cannot be read. */
export type SteeringPart = { readonly at: string } & (
  | { readonly steering: SteeringSeen }
  | { readonly problem: string }
);

const text = z.string();
const parity = z.object({
  policy: text,
  cluster: text,
  lacks: z.array(z.object({ host: text, reason: text, message: text })),
  count: z.number(),
  unknown: z.array(z.object({ why: text, hosts: z.array(text), count: z.number() })),
});
const condition = z.object({ reason: text, message: text, fix: text.optional().catch(undefined) });
const drained = z.object({
  drain: text,
  share: z.number(),
  byFamily: z.object({ ipv4: z.number().optional(), ipv6: z.number().optional() }).catch({}),
  ttlSeconds: z.number(),
  emptyAtMs: z.number().optional(),
});
const hold = z.object({ policy: text, cluster: text, sinceMs: z.number(), ends: text });
const returning = z.object({ policy: text, overlay: text, sinceMs: z.number(), ends: text });
export const steeringSchema = z.object({
  agent: z.literal('steering'),
  mode: text,
  // An older agent does not say it.
  platform: z.object({ digest: text.optional() }).optional().catch(undefined),
  leadership: z.object({ leading: z.boolean(), error: text.optional().catch(undefined) }),
  parity: z.array(parity).optional().catch(undefined),
  zones: z.array(
    z.object({
      provider: text,
      zone: text,
      state: text,
      sinceMs: z.number(),
      plan: z.object({ checksum: text }).optional().catch(undefined),
      generation: z.number().optional().catch(undefined),
      conditions: z.array(condition).catch([]),
      overlays: z
        .array(z.object({ reason: text, message: text }))
        .optional()
        .catch(undefined),
      drift: z.object({ sinceMs: z.number(), what: text }).optional().catch(undefined),
      // An older agent does not say it.
      drains: z.array(drained).optional().catch(undefined),
      holds: z.array(hold).catch([]).default([]),
      returns: z.array(returning).catch([]).default([]),
    }),
  ),
});

export type SteeringSeen = z.infer<typeof steeringSchema>;
export type DrainedSeen = z.infer<typeof drained>;
export type ZoneSeen = SteeringSeen['zones'][number];
