import { z } from 'zod';

const text = z.string();

/** The doubts of an agent, as far as they can be read; an older agent has none. */
export const doubtFields = {
  doubts: z
    .array(
      z.object({
        reason: text,
        message: text,
        objects: z.array(text).catch([]),
        count: z.number().catch(0),
        sinceMs: z.number(),
        untilMs: z.number().optional().catch(undefined),
        waitsMs: z.number().optional().catch(undefined),
        undo: text.optional().catch(undefined),
        fingerprint: text.optional().catch(undefined),
        former: z.array(text).catch([]),
        acceptFile: text.optional().catch(undefined),
      }),
    )
    .catch([]),
  accepted: z.array(z.object({ fingerprint: text, atMs: z.number(), by: text.optional().catch(undefined) })).catch([]),
};
const doubtSchema = z.object(doubtFields);

/** What one agent doubts, and which acceptances it obeyed. */
export type AgentDoubts = z.infer<typeof doubtSchema>;
export type AgentDoubt = AgentDoubts['doubts'][number];
