import { z } from 'zod';
import { answersNow, preferenceOf } from '../answers/answers.ts';
import type { Decision } from '../model/decision.ts';
import { countryOfPlace } from '../model/geo/states.ts';
import type { Platform } from '../model/spec/platform.ts';
import { withoutUndefined } from '../model/values.ts';

/** A decision, and who decided: an agent, or a command. */
export interface PastDecision extends Decision {
  /** The server of the agent; of a command the machine where it ran. */
  readonly server: string;
  /** `edge`, `network`, `steering`, or `command`. */
  readonly agent: string;
  /** Tells agents of one server apart; absent where there is one. */
  readonly instance?: string;
  /** Absent of a command, and of a steering agent. */
  readonly cluster?: string;
}

/** What one agent, or one machine, told. */
export interface ToldHistory {
  readonly server: string;
  readonly agent: string;
  readonly instance?: string;
  readonly cluster?: string;
  readonly decisions: readonly Decision[];
  readonly damaged: number;
  readonly problem?: string;
}

const text = z.string();
const decision = z.object({
  atMs: z.number(),
  what: text,
  subject: text,
  why: text.optional().catch(undefined),
  by: text.optional().catch(undefined),
  inputs: text.optional().catch(undefined),
  hosts: z.array(text).optional().catch(undefined),
  countries: z.array(text).optional().catch(undefined),
});
const answer = z.object({
  decisions: z.array(z.unknown()),
  damaged: z.number().catch(0),
  problem: text.optional().catch(undefined),
});

/** Reads what an agent answered; decisions that cannot be read are counted. Throws for what is no history. */
export function readHistory(value: unknown): Pick<ToldHistory, 'decisions' | 'damaged' | 'problem'> {
  const { decisions, damaged, problem } = answer.parse(value);
  const read = readDecisions(decisions);
  return {
    decisions: read,
    damaged: damaged + decisions.length - read.length,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The decisions among these values. */
export function readDecisions(values: readonly unknown[]): readonly Decision[] {
  return values.flatMap((one) => {
    const read = decision.safeParse(one);
    return read.success ? [withoutUndefined(read.data)] : [];
  });
}

/** Everybody's decisions since a moment in one list, the oldest first. */
export function mergeHistories(told: readonly ToldHistory[], sinceMs: number): readonly PastDecision[] {
  return told
    .flatMap(({ server, agent, instance, cluster, decisions }) =>
      decisions.map((one) => ({ ...one, server, agent, ...withoutUndefined({ instance, cluster }) })),
    )
    .filter(({ atMs }) => atMs >= sinceMs)
    .toSorted((a, b) => a.atMs - b.atMs);
}

export interface HistoryFilter {
  readonly country?: string;
  readonly host?: string;
}

/**
 * Whether a decision concerns a country or a host: a change in DNS names the hosts and countries that move; what an agent decides concerns
 * those that its cluster serves now, or would serve when others fail. Commands that name neither concern everybody.
 */
export function concerns(
  platform: Platform,
  { country, host }: HistoryFilter,
  nowMs: number,
): (one: PastDecision) => boolean {
  const policies = [...platform.policies.values()].filter(
    ({ spec }) => host === undefined || spec.hosts.includes(host),
  );
  const clusters = new Set(
    policies.flatMap((policy) => {
      const answers = answersNow(platform, policy, nowMs);
      const { tiers } = country === undefined ? { tiers: allTiers(platform) } : preferenceOf(answers, country);
      return tiers.flat().map(({ name }) => name);
    }),
  );
  return ({ cluster, hosts, countries }) => {
    if (host !== undefined && hosts !== undefined && !hosts.includes(host)) return false;
    if (country !== undefined && countries !== undefined && !includesPlace(countries, country)) return false;
    return cluster === undefined || clusters.has(cluster);
  };
}

/** A state that a decision does not name went with its country; what concerns a state concerns its country. */
function includesPlace(named: readonly string[], place: string): boolean {
  const own = named.includes(place) || named.some((code) => countryOfPlace(code) === place);
  return own || named.includes(countryOfPlace(place));
}

/** Without a country every cluster may serve a host. */
function allTiers(platform: Platform): readonly (readonly { readonly name: string }[])[] {
  return [[...platform.clusters.keys()].map((name) => ({ name }))];
}
