import { z } from 'zod';
import type { Snapshot } from '../snapshot.ts';

/** Everything that was asked for one question. Whatever could not be asked says why in `problem`. */
export interface Evidence {
  readonly snapshot: Snapshot;
  readonly dns: readonly DnsPart[];
  /** For each host: the records by which the spec answers, in the order in which they are read; empty when one alone decides. */
  readonly records: readonly { readonly host: string; readonly records: readonly string[] }[];
  readonly health: readonly HealthPart[];
  readonly routes: readonly RoutePart[];
  readonly pods: readonly PodsPart[];
  /** The objects that are supposed to be down, as `Kind/name`. */
  readonly supposed: readonly string[];
}

/** What a name server answers to users of a country; without a country, to a question without a client subnet. */
export type DnsPart = {
  readonly server: string;
  readonly host: string;
  readonly country?: string;
  /** The client subnet that was sent. */
  readonly subnet?: string;
} & ({ readonly addresses: readonly string[]; readonly rcode: string } | { readonly problem: string });

/** What an entry address of a cluster answers to the health check of a policy, made from this machine. */
export type HealthPart = {
  readonly cluster: string;
  readonly address: string;
  readonly policy: string;
} & (
  | { readonly healthy: true }
  /** `answered`: an HTTP server said so; else nothing answered in time. */
  | { readonly healthy: false; readonly answered: boolean; readonly problem: string }
  /** It was not asked. */
  | { readonly problem: string }
);

/** The request that is asked for. */
export interface Asked {
  readonly host: string;
  readonly path: string;
}

type RouteOf = Asked & { readonly blade: string; readonly pool: string };

/** What the table of a blade does with the request. */
export type RoutePart = RouteOf & ({ readonly answer: RouteReading } | { readonly problem: string });

/** The Pods of a cluster that have the address. */
export type PodsPart = { readonly cluster: string } & (
  | { readonly pods: readonly { readonly name: string; readonly node?: string; readonly phase?: string }[] }
  | { readonly problem: string }
);

const text = z.string();
const problems = z.array(z.object({ reason: text, message: text, fix: text.optional() })).catch([]);

const routeSchema = z.object({
  blade: text,
  refused: text.optional(),
  rule: z.object({ host: text, match: text.optional(), path: text.optional() }).optional(),
  ingress: text.optional(),
  limits: z.array(text).optional().catch(undefined),
  backend: z
    .object({
      service: text,
      port: text,
      exists: z.boolean(),
      ready: z.number(),
      total: z.number(),
      endpoints: z.array(z.object({ address: text, port: z.number() })),
      problems,
    })
    .optional(),
  faulty: z.array(z.object({ object: text, problems })).catch([]),
});

/** The fields of `RouteAnswer` that are read here. */
export type RouteReading = z.infer<typeof routeSchema>;

/** What a blade answered, as far as it is read here; or why it cannot be read. */
export function readRoute(of: RouteOf, answer: unknown): RoutePart {
  const read = routeSchema.safeParse(answer);
  if (!read.success) return { ...of, problem: 'answers in a form that is not understood here' };
  if (read.data.blade !== of.blade) return { ...of, problem: `has an agent that says it is ${read.data.blade}` };
  return { ...of, answer: read.data };
}
