import {
  type Answers,
  answersFor,
  answersOf,
  drainedAt,
  preferenceOf,
  returningWith,
} from '../../../answers/answers.ts';
import { movedBetween, sameShares } from '../../../answers/distribution.ts';
import type { Hold } from '../../../answers/hold.ts';
import type { Moving } from '../../../answers/pace.ts';
import { type CountryWeights, weightsAmong } from '../../../model/country-weights.ts';
import { clustersOfPolicy, failbackOf } from '../../../model/platform/policies.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { type Count, counted, nextHold, type Sight } from '../failback.ts';
import type { ZoneReader } from '../providers/provider.ts';
import type { SteeringNotice } from '../reasons.ts';
import type { HoldWord } from '../records/scope.ts';
import { partlyDown } from './holds.ts';
import { type Asked, isEmpty, planStep, type ZonePlan } from './plan.ts';
import { isLeft, type PresentHealth, presentHealth } from './present.ts';

/** For how long held clusters have been seen healthy, by policy and cluster. */
export type Counts = ReadonlyMap<string, Count>;

export const countKey = (policy: string, cluster: string): string => `${policy} ${cluster}`;

export interface Watch {
  readonly counts: Counts;
  /** One moment on both clocks. */
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly asked: Asked;
}

/**
 * The plan, of a zone as it is wanted, that holds back what is down and ends what has been held for long enough; the given plan when nothing
 * of that is to be done, or when it changes anything itself: what the policies want comes first. The health is that of the provider's own
 * checkers and of nobody else.
 */
export async function planFailback(
  platform: Platform,
  reader: ZoneReader,
  plan: ZonePlan,
  { counts, nowMs, monotonicMs, asked }: Watch,
): Promise<{ readonly plan: ZonePlan; readonly counts: Counts }> {
  const { state, zone } = plan;
  const policies = plan.intent.policies.filter(({ policy }) => failbackOf(policy) !== undefined);
  if (policies.length === 0) return { plan, counts: new Map() };
  const names = new Set(policies.map(({ policy }) => policy.metadata.name));
  const health = await presentHealth({ policies }, names, { reader, state });
  const partly = partlyDown(
    policies.map(({ policy }) => policy),
    plan.holds,
    health,
  );
  const looks = policies.map(({ policy }) => {
    const name = policy.metadata.name;
    const seen = new Sights(
      policy,
      health.filter((one) => one.policy === name),
    );
    const drained = drainedAt(platform, nowMs);
    const found = { policy, seen, drained, weights: plan.weights, by: asked.by ?? 'unknown', nowMs, monotonicMs };
    return { name, ...lookAt(found, plan.holds.get(name) ?? [], counts) };
  });
  const known = new Map(looks.flatMap((look) => [...look.counts]));
  const changes = looks.flatMap((look) => look.changes);
  if (changes.length === 0 || !isEmpty(plan)) return { plan: withPartly(plan, partly), counts: known };
  // Whoever is held back moves nobody, and does not wait for those who return.
  const words = new Set(changes.map(({ word }) => word));
  const word = words.has('hold') || !words.has('failback') ? 'hold' : 'failback';
  const held = new Map(
    looks.map(({ name, changes: some }) => {
      const made = some.filter((one) => one.word === undefined || one.word === word);
      const changed = new Set(made.map(({ cluster }) => cluster));
      const others = (plan.holds.get(name) ?? []).filter(({ cluster }) => !changed.has(cluster));
      return [name, [...others, ...made.flatMap(({ after }) => after ?? [])]];
    }),
  );
  const purpose = { kind: 'everything', holds: { held, word } } as const;
  const same = { ...reader, read: async () => state };
  const made = await planStep(platform, same, { zone, purpose }, nowMs, asked);
  return { plan: withPartly(made, partly), counts: known };
}

/** The plan, which says what is down in part; it may have looked at the health of some policies only. */
function withPartly(plan: ZonePlan, partly: readonly SteeringNotice[]): ZonePlan {
  const others = plan.notices.filter(({ reason }) => reason !== 'FailbackPartly');
  return { ...plan, notices: [...others, ...partly] };
}

interface Found {
  readonly policy: TrafficPolicy;
  readonly seen: Sights;
  readonly drained: ReadonlySet<string>;
  readonly weights: CountryWeights;
  readonly by: string;
  readonly nowMs: number;
  readonly monotonicMs: number;
}

interface Change {
  readonly cluster: string;
  readonly after: Hold | undefined;
  /** Absent where only the counted time is written. */
  readonly word?: HoldWord | undefined;
}

/** What should change of the holds of a policy, looking at one cluster after the other: what one of them does, the next one knows. */
function lookAt(
  { policy, seen, drained, weights, by, nowMs, monotonicMs }: Found,
  standing: readonly Hold[],
  counts: Counts,
): { readonly changes: readonly Change[]; readonly counts: Counts } {
  const rule = failbackOf(policy);
  const known = new Map<string, Count>();
  const changes: Change[] = [];
  let held = standing;
  if (rule === undefined) return { changes, counts: known };
  for (const cluster of clustersOfPolicy(policy)) {
    const hold = held.find((one) => one.cluster === cluster);
    const others = held.filter((one) => one !== hold);
    const key = countKey(policy.metadata.name, cluster);
    const sight = seen.of(cluster);
    const count = hold === undefined ? undefined : counted(counts.get(key), hold, sight, monotonicMs);
    if (count !== undefined) known.set(key, count);
    const at = (...some: readonly Hold[]): Answers => answersOf(policy, drained, [...others, ...some]);
    const fresh = { cluster, sinceMs: nowMs, by, healthySeconds: 0, back: {} };
    const after = nextHold(hold, {
      cluster,
      rule,
      sight,
      count,
      by,
      nowMs,
      canHold: () => canHold(cluster, hold === undefined ? at() : at(hold), at(fresh), seen),
      moving: () => movingBetween(at(fresh), at(), seen, weights),
    });
    if (after === hold) continue;
    changes.push({ cluster, after, word: wordOf(hold, after) });
    held = [...others, ...(after === undefined ? [] : [after])];
  }
  return { changes, counts: known };
}

/** What is known of the clusters of a policy. */
class Sights {
  readonly down: ReadonlySet<string>;
  readonly #sights: ReadonlyMap<string, Sight>;

  constructor(policy: TrafficPolicy, health: readonly PresentHealth[]) {
    this.#sights = new Map(
      clustersOfPolicy(policy).map((cluster) => [cluster, sightOf(health.filter((one) => one.cluster === cluster))]),
    );
    this.down = new Set([...this.#sights].filter(([, sight]) => sight === 'down').map(([cluster]) => cluster));
  }

  of(cluster: string): Sight {
    return this.#sights.get(cluster) ?? 'unknown';
  }

  answers(cluster: string): boolean {
    return this.of(cluster) === 'healthy' || this.of(cluster) === 'partly';
  }
}

function sightOf(health: readonly PresentHealth[]): Sight {
  const verdicts = health.map(({ healthy }) => healthy);
  if (verdicts.every((one) => one === undefined)) return 'unknown';
  if (isLeft(health)) return 'down';
  if (verdicts.includes(false)) return 'partly';
  return verdicts.includes(undefined) ? 'unknown' : 'healthy';
}

/**
 * Whether some users are led to the cluster first, and it can be put behind the others without anybody being answered otherwise now: all whom that
 * concerns have another that answers already.
 */
function canHold(cluster: string, before: Answers, after: Answers, seen: Sights): boolean {
  const places = placesIn(before);
  const concerned = places.filter((code) => {
    const [old, next] = [tiersIn(before, code), tiersIn(after, code)];
    return old !== next && (old[0] ?? []).some(({ name }) => name === cluster) && old[0] !== next[0];
  });
  const isSame = places.every((code) => {
    const [old, next] = [answersFor(tiersIn(before, code), seen.down), answersFor(tiersIn(after, code), seen.down)];
    return sameShares(old, next);
  });
  return (
    isSame &&
    concerned.length > 0 &&
    concerned.every((code) => [...answersFor(tiersIn(after, code), seen.down).keys()].every((one) => seen.answers(one)))
  );
}

/** What moves of each country, with its states, and of users of unknown location, with the networks. */
export function movingBetween(
  from: Answers,
  to: Answers,
  { down }: Pick<Sights, 'down'>,
  weights: CountryWeights,
): readonly Moving[] {
  const places = placesIn(from);
  const weightOf = weightsAmong(weights, places);
  const shareOf = (code: string): number =>
    weightOf(code) * movedBetween(answersFor(tiersIn(from, code), down), answersFor(tiersIn(to, code), down));
  return [...Map.groupBy(places, returningWith)].map(([code, together]) => ({
    code,
    share: together.reduce((sum, place) => sum + shareOf(place), 0),
  }));
}

/** All countries, the states and networks that the policy names, and '' for users of unknown location. */
const placesIn = ({ byCountry }: Answers): readonly string[] => [...byCountry.keys(), ''];
const tiersIn = (answers: Answers, code: string) => preferenceOf(answers, code).tiers;

/** What a changed hold does; undefined when it only counts on. */
function wordOf(before: Hold | undefined, after: Hold | undefined): HoldWord | undefined {
  if (after === undefined) return before === undefined ? undefined : 'failback';
  if (before === undefined || isNowhere(after.back)) return before?.back === after.back ? undefined : 'hold';
  return before.back === after.back ? undefined : 'failback';
}

const isNowhere = ({ upTo, next }: Hold['back']): boolean => upTo === undefined && next === undefined;
