import { z } from 'zod';
import { doubtFields } from './doubt-fields.ts';
import type { SteeringPart } from './steering-part.ts';

/**
 * Everybody's status, joined at one moment. Any part may be missing; then it says why. Times are in milliseconds since the
 * epoch, by the clock of the machine that asked.
 */
export interface Snapshot {
  readonly takenAtMs: number;
  readonly clusters: readonly ClusterPart[];
  readonly pools: readonly PoolPart[];
  readonly agents: readonly AgentPart[];
  /** The drains in force. */
  readonly drains: readonly DrainPart[];
  /** The Freeze in force, and the agents that answer and have not heard of it. */
  readonly frozen?: FreezePart;
  /** What was seen of the platform spec in APIs; absent where nobody looked. */
  readonly spec?: SpecPart;
  /** The steering agents; absent where none was named. */
  readonly steering?: readonly SteeringPart[];
}

/** The platform spec as far as it stands in the APIs of clusters. */
export interface SpecPart {
  /** Objects that stand in the folder too, and are equal there. */
  readonly twice: readonly { readonly object: string; readonly place: string }[];
  /** The clusters whose API could not be read, and why. */
  readonly unread: readonly { readonly cluster: string; readonly why: string }[];
}

/** What is known of a cluster; `problem` says why its workers are not known. */
export interface ClusterPart {
  readonly name: string;
  /** The sites where it has servers, and so workers whose agents are asked; absent where it has none. */
  readonly sites?: readonly string[];
  /** Nodes whose agents are not asked, because the Node names no internal address that lies in a Site. */
  readonly unplaced?: readonly string[];
  readonly problem?: string;
}

/** What the spec wants of a pool. */
export interface PoolPart {
  readonly name: string;
  readonly cluster: string;
  readonly vips: readonly string[];
}

/** An agent that should answer. */
export interface Target {
  readonly server: string;
  readonly plane: 'edge' | 'network';
  readonly cluster: string;
  /** The site whose servers' prefixes hold the address; absent when none does. */
  readonly site?: string;
  /** Of a blade. */
  readonly pool?: string;
  readonly address: string;
  readonly port: number;
}

/** What an agent answered; `problem` says why there is no status. */
export type AgentPart = { readonly target: Target } & (
  | { readonly edge: EdgePart; readonly ageMs: number }
  | { readonly network: NetworkPart; readonly ageMs: number }
  /** `refuses`: something answers there, and not to this machine; that says nothing of how the server is. */
  | { readonly problem: string; readonly refuses?: true }
);

/** Whether a session is up that carries an address or prefix of this family; a session has the family of its addresses. */
export function isCarried(
  sessions: readonly { readonly address: string; readonly up: boolean }[],
  text: string,
): boolean {
  return sessions.some(({ address, up }) => up && address.includes(':') === text.includes(':'));
}

export interface FreezePart {
  /** What is said of it before anything else. */
  readonly line: string;
  readonly unheard: readonly string[];
}

export interface DrainPart {
  readonly name: string;
  readonly target: string;
  readonly reason: string;
  readonly expires: string;
  /** Of one that DNS concerns: whether users are led elsewhere already, as name servers say, or how DNS follows. */
  readonly dns?: string;
}

/**
 * The fields of a status that are read here. An agent of another version may lack some or have others: a field that cannot be
 * read has its least telling value, which claims nothing.
 */
const text = z.string();
/** No server counts more; one that says so is not believed. */
const counts = z.record(z.string(), z.number().min(0).max(1e12));
const source = z.object({
  phase: z.enum(['syncing', 'live', 'stale']),
  sinceMs: z.number().optional(),
  reason: text.optional(),
  message: text.optional(),
  servingSnapshot: z.boolean().optional(),
});
const common = {
  // An agent of an older version does not say it.
  cluster: text.optional().catch(undefined),
  version: text.optional().catch(undefined),
  startedAtMs: z.number(),
  platform: z.object({
    phase: text,
    reason: text.optional(),
    message: text.optional(),
    digest: text.optional().catch(undefined),
    apis: z
      .array(z.object({ place: text, phase: source.shape.phase, reason: text.optional() }))
      .optional()
      .catch(undefined),
    notInForce: z
      .array(z.object({ place: text, object: text, reason: text, message: text }))
      .optional()
      .catch(undefined),
  }),
  credentials: z.object({ endsAtMs: z.number(), endsWithinDays: z.number().optional() }).optional().catch(undefined),
  endpoint: z
    .object({
      certificates: text,
      certificate: z.object({ endsWithinDays: z.number().optional() }).optional().catch(undefined),
      problem: z.object({ reason: text, message: text }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  source,
  ...doubtFields,
  frozen: z.object({ since: text }).optional().catch(undefined),
};
const neighbors = z.array(
  z.object({
    address: text,
    up: z.boolean(),
    changedAtMs: z.number().optional(),
    reason: text.optional(),
  }),
);
/** The last time that the routes of a server yielded to other announcers. */
const yielded = z
  .object({ sinceMs: z.number(), untilMs: z.number().optional(), asked: z.boolean().optional() })
  .optional()
  .catch(undefined);

/** What stays in force although the spec says otherwise. */
const notices = z
  .array(z.object({ subject: text, reason: text, message: text }))
  .optional()
  .catch(undefined);

/** Objects that are not served as they are written; an older agent only counts them. */
const refusedObjects = z
  .array(
    z.object({
      object: text,
      state: z.enum(['accepted', 'partial', 'refused']),
      problems: z.array(z.object({ reason: text, message: text })),
    }),
  )
  .optional()
  .catch(undefined);

const edgeSchema = z.object({
  ...common,
  blade: text,
  pool: text,
  nginx: z.object({ activeConnections: z.number() }).optional().catch(undefined),
  fault: text.optional().catch(undefined),
  tableRefused: text.optional().catch(undefined),
  vips: z.array(
    z.object({ address: text, fit: z.boolean(), announced: z.boolean(), reasons: z.array(text).catch([]) }),
  ),
  vipsMissing: z.record(text, text).catch({}),
  bgp: z.object({
    refusals: z.array(z.object({ prefix: text, reason: text, message: text })).catch([]),
    relay: text,
    neighbors,
    yielded,
  }),
  peersNotBelieved: z
    .array(z.object({ blade: text, reason: text, message: text }))
    .optional()
    .catch(undefined),
  notices,
  draining: z.boolean(),
  // The blade that leads says of whose status it lets others have the last word; an older agent does not.
  publishing: z
    .object({ leading: z.boolean(), ownedByOther: z.array(text).catch([]), contested: z.array(text).catch([]) })
    .optional()
    .catch(undefined),
  drain: z.object({ name: text }).optional().catch(undefined),
  requestsPerSecond: z.number().optional().catch(undefined),
  countryDataBuilt: z.iso.datetime().optional().catch(undefined),
  demand: z
    .object({
      fromMs: z.number(),
      toMs: z.number(),
      countries: z.array(z.object({ country: text, requests: z.number() })),
    })
    .optional()
    .catch(undefined),
  lastMinute: z
    .object({
      fromMs: z.number(),
      toMs: z.number(),
      countries: counts,
      hosts: counts,
    })
    .optional()
    .catch(undefined),
  policies: z
    .array(
      z.object({
        policy: text,
        healthy: z.boolean(),
        reason: text,
        against: z.array(text).optional().catch(undefined),
      }),
    )
    .catch([]),
  policyHosts: z
    .array(
      z.object({
        policy: text,
        lacking: z.array(z.object({ host: text, reason: text, message: text })),
        count: z.number(),
        withoutCertificate: z.array(text),
      }),
    )
    .optional()
    .catch(undefined),
  conditions: z
    .object({ accepted: z.number(), partial: z.number(), refused: z.number() })
    .catch({ accepted: 0, partial: 0, refused: 0 }),
  refused: refusedObjects,
});
const subjects = z.array(
  z.object({ subject: text, reason: text, message: text, count: z.number().optional().catch(undefined) }),
);
const networkSchema = z.object({
  ...common,
  node: text,
  action: z.enum(['announce', 'hold']),
  reason: text.optional().catch(undefined),
  wanted: z.array(z.object({ prefix: text })),
  announced: z.array(z.object({ prefix: text, class: text.optional() })),
  refusals: subjects.catch([]),
  notices: subjects.catch([]),
  blackholes: z
    .object({ wanted: z.array(text), installed: z.array(text) })
    .optional()
    .catch(undefined),
  relay: text,
  neighbors,
  yielded,
});

export type EdgePart = z.infer<typeof edgeSchema>;
export type NetworkPart = z.infer<typeof networkSchema>;

/** What a plane's agent answered, as far as it is read here; or why it cannot be read. */
export function readStatus(target: Target, answer: unknown, ageMs: number): AgentPart {
  const { agent } = z.object({ agent: text }).catch({ agent: '' }).parse(answer);
  if (agent !== target.plane)
    return {
      target,
      problem:
        agent === ''
          ? stranger('with what is no status of Tideline')
          : `is not who answers there: agent "${agent}" instead of "${target.plane}"`,
    };
  const read = target.plane === 'edge' ? edgeSchema.safeParse(answer) : networkSchema.safeParse(answer);
  if (!read.success) {
    const [first] = read.error.issues;
    return {
      target,
      problem: `answers in a form that is not understood here: ${first?.path.join('.')}: ${first?.message}`,
    };
  }
  const name = 'blade' in read.data ? read.data.blade : read.data.node;
  if (name !== target.server) return { target, problem: `has an agent that says it is ${name}` };
  const { cluster } = read.data;
  const pool = 'blade' in read.data ? read.data.pool : undefined;
  if ((cluster !== undefined && cluster !== target.cluster) || pool !== target.pool)
    return {
      target,
      problem: `has an agent of ${belonging(cluster, pool)} instead of ${belonging(target.cluster, target.pool)}`,
    };
  return 'blade' in read.data ? { target, edge: read.data, ageMs } : { target, network: read.data, ageMs };
}

/** The end of a sentence that begins with a server: what answers there is no agent. */
export function stranger(answer: string): string {
  return `is not who answers there: something else has the port of its agent, and answers ${answer}`;
}

function belonging(cluster: string | undefined, pool: string | undefined): string {
  return `cluster ${cluster ?? '(not named)'}${pool === undefined ? '' : `, pool ${pool}`}`;
}
