import { z } from 'zod';
import { type Asking, get, type Place } from './ask.ts';
import { type AgentDoubts, doubtFields } from './doubt-fields.ts';

/** An agent of this server, and what it doubts. */
export interface LocalAgent extends AgentDoubts {
  /** `edge` or `network`. */
  readonly agent: string;
  /** The blade or node, or the machine of a steering agent. */
  readonly server: string;
  /** Absent from older agents. */
  readonly startedAtMs?: number | undefined;
  readonly cluster: string;
  readonly at: Place;
}

const schema = z.object({
  agent: z.string(),
  cluster: z.string(),
  blade: z.string().optional(),
  node: z.string().optional(),
  server: z.string().optional(),
  startedAtMs: z.number().optional(),
  ...doubtFields,
});

/** Asks whoever listens there what it doubts; undefined when no agent answers. */
export async function askDoubts(at: Place, options: Asking): Promise<LocalAgent | undefined> {
  const answer = await get(at, options).then(
    (text): unknown => JSON.parse(text),
    () => undefined,
  );
  const read = schema.safeParse(answer);
  if (!read.success) return undefined;
  const { blade, node, server, ...status } = read.data;
  return { ...status, server: blade ?? node ?? server ?? '(unnamed)', at };
}
