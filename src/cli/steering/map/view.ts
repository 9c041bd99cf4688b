import { answersFor, answersNow, neverGroups, type Preference } from '../../../answers/answers.ts';
import { formatShares } from '../../../answers/distribution.ts';
import { countries } from '../../../model/geo/countries.ts';
import { isNetwork } from '../../../model/geo/networks.ts';
import { countryOfPlace, stateOf } from '../../../model/geo/states.ts';
import { failbackOf } from '../../../model/platform/policies.ts';
import { InputError } from '../../../model/problem.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type AddressType, familyOf } from '../../../planes/steering/compile/entries.ts';
import { formatCountries } from '../../../planes/steering/plan/countries-text.ts';
import { answeringPolicy } from '../../../planes/steering/plan/explain.ts';
import { holdTexts } from '../../../planes/steering/plan/holds.ts';
import type { ZonePlan } from '../../../planes/steering/plan/plan.ts';
import type { PresentHealth } from '../../../planes/steering/plan/present.ts';

/** What a map shows of one host: countries with the same answer together, those with more countries first. */
export interface WorldView {
  readonly host: string;
  /** What is shown, in words: `as the policy wants it`. */
  readonly what: string;
  /** Clusters that are supposed to be down. */
  readonly down: readonly string[];
  /** The present health, where the map is drawn in it. */
  readonly now?: Present;
  readonly groups: readonly Group[];
  /** What of the policy no colour shows, as lines. */
  readonly notes: readonly string[];
}

/** The health now of the clusters of a policy, as a plan read it. A cluster is `down` when no address of it answers. */
interface Present {
  readonly down: readonly string[];
  /** Those of which an address is not known to be healthy or down; it counts as healthy. */
  readonly unknown: readonly string[];
  /** Those of which some addresses are down. */
  readonly partly: readonly string[];
}

export function presentOf(health: readonly PresentHealth[], policy: string): Present {
  const own = health.filter((one) => one.policy === policy);
  const isDown = ({ healthy }: PresentHealth): boolean => healthy === false;
  const byCluster = [...Map.groupBy(own, ({ cluster }) => cluster)];
  const named = (is: (some: readonly PresentHealth[]) => boolean): readonly string[] =>
    byCluster.filter(([, some]) => is(some)).map(([cluster]) => cluster);
  return {
    down: named((some) => some.every(isDown)),
    unknown: named((some) => some.some(({ healthy }) => healthy === undefined)),
    partly: named((some) => some.some(isDown) && !some.every(isDown)),
  };
}

export interface Group {
  /** `paris`, `newyork 30%, paris 70%`, `paris -> cloud`. */
  readonly label: string;
  /** True of countries that a map of changes leaves grey. */
  readonly neutral: boolean;
  readonly countries: readonly string[];
}

/** What the policy of a host wants while the clusters `down` fail. */
export function wantedView(
  platform: Platform,
  host: string,
  { down, nowMs, now }: { readonly down: readonly string[]; readonly nowMs: number; readonly now?: Present },
): WorldView {
  const policy = answeringPolicy(platform, host);
  const answers = answersNow(platform, policy, nowMs);
  const answer = ({ tiers }: Preference): string =>
    formatShares(answersFor(tiers, new Set([...down, ...(now?.down ?? [])])));
  return {
    host,
    what: 'as the policy wants it (IPv4 and IPv6)',
    down,
    ...withoutUndefined({ now }),
    groups: grouped(
      [...answers.byCountry].map(([code, preference]) => ({ label: answer(preference), countries: [code] })),
    ),
    notes: [
      ...neverGroups(answers).map(
        ({ clusters, countries: codes }) =>
          `never ${clusters.join(', ')}, in failover neither: ${formatCountries(codes)}`,
      ),
      ...holdsNotDrawn(policy),
      ...partlyNotDrawn(now),
    ],
  };
}

/** The policy is drawn without reading the zone, which alone knows what is held back. */
function holdsNotDrawn(policy: TrafficPolicy): readonly string[] {
  const rule = failbackOf(policy);
  if (rule === undefined) return [];
  return [
    `a cluster that was down and is held back (spec.failback ${rule.mode}) is drawn here as if it were not: --show zone draws what is answered meanwhile`,
  ];
}

/** A policy speaks of clusters and not of their addresses. */
function partlyNotDrawn({ partly }: Present = nobodyDown): readonly string[] {
  if (partly.length === 0) return [];
  return [`of ${partly.join(', ')} some addresses are down, which no colour shows: --show zone draws what is answered`];
}

const nobodyDown: Present = { down: [], unknown: [], partly: [] };

interface ZoneQuestion {
  readonly show: 'zone' | 'changes';
  readonly type: AddressType;
  readonly down: readonly string[];
  /** Draws the present health, which the plan read. */
  readonly now?: Present;
}

/** What a zone answers for a host, or what its plan changes, while everything is healthy or the cluster `down` fails. Throws InputError where the zone cannot say. */
export function zoneView(plan: ZonePlan, host: string, { show, type, down, now }: ZoneQuestion): WorldView {
  const family = plan.impacts.find((impact) => impact.host === host)?.families.find((one) => one.type === type);
  if (family === undefined)
    throw new InputError({
      reason: 'NoPolicy',
      message: `${host} has no ${type} record in zone ${plan.zone} of ${plan.provider}, and none is planned`,
      fix: 'ask for the other --family, or for another host',
    });
  const [cluster] = down;
  const supposed = cluster === undefined ? family : family.whileDown.find((one) => one.cluster === cluster);
  // While nothing is known to be down, the plan has one world for both.
  const world = now === undefined ? supposed : (family.now ?? family);
  const groups = (world?.groups ?? []).map(({ before, after, countries: codes }) => {
    if (show === 'zone') return { label: before, countries: codes };
    return { label: before === after ? unchanged : `${before} -> ${after}`, countries: codes };
  });
  const change = plan.task.kind === 'adopt' ? 'adoption' : 'plan';
  const what =
    show === 'zone' ? `as the zone of ${plan.provider} has it` : `what the ${change} for ${plan.provider} changes`;
  const policy = plan.intent.policies.find((one) => one.policy.spec.hosts.includes(host))?.policy;
  const notes = policy === undefined ? [] : holdTexts(policy, plan.holds);
  return {
    host,
    what: `${what} (${familyOf(type)})`,
    down,
    ...withoutUndefined({ now }),
    groups: grouped(groups),
    notes,
  };
}

const unchanged = 'no change';

function grouped(
  parts: readonly { readonly label: string; readonly countries: readonly string[] }[],
): readonly Group[] {
  const byLabel = Map.groupBy(parts, ({ label }) => label);
  const groups = [...byLabel].map(([label, same]) => ({
    label,
    neutral: label === unchanged,
    countries: same.flatMap((part) => part.countries).sort(),
  }));
  return groups.sort((a, b) => b.countries.length - a.countries.length);
}

/** A line of a legend: `paris: 5 of 246 countries (BE, ES, FR, IT, SN)`. States and networks are not drawn, so those are named that do not go with their country. */
export function legendOf({ label, countries: places }: Group): string {
  const codes = places.filter((code) => stateOf(code) === undefined && !isNetwork(code));
  const apart = places.filter((code) => !codes.includes(countryOfPlace(code)));
  const named = codes.length <= mostNamed && codes.length > 0 ? ` (${codes.join(', ')})` : '';
  const states = apart.length === 0 ? '' : `, and ${apart.join(', ')}, not drawn`;
  return `${label}: ${codes.length} of ${countries.length} countries${named}${states}`;
}

const mostNamed = 8;
