import { decidingRules, type PolicyRule, statesOfPolicy } from '../model/platform/policies.ts';
import type { TrafficPolicy } from '../model/spec/kinds.ts';
import type { OverlayView } from '../model/spec/overlay-view.ts';
import type { Platform } from '../model/spec/platform.ts';
import { answersOf, preferenceOf, returningWith } from './answers.ts';
import { type Progress, partsMoved, wholeParts } from './pace.ts';
import { type Tier, tiersBetween } from './tiers.ts';

/** An overlay that has ended, and whose users return to the policy in steps. */
export interface Return {
  readonly overlay: string;
  /** Since when, and by whom, for people; in milliseconds since the epoch, whole seconds. */
  readonly sinceMs: number;
  readonly by: string;
  /** Who has been led back. */
  readonly back: Progress;
}

/** The overlays whose users return, by policy. */
export type Returns = ReadonlyMap<string, readonly Return[]>;

/** The overlays of a policy whose users may return in steps: ended, with `afterwards: return`, and `spec.failback` says how large a step is. */
export function returningOverlays(
  { overlaid = [] }: Pick<Platform, 'overlaid'>,
  { metadata, spec }: TrafficPolicy,
): readonly OverlayView[] {
  if (spec.failback?.mode !== 'gradual') return [];
  return overlaid.filter(
    ({ state, proposal, countries }) =>
      state === 'returned' && proposal.policy === metadata.name && countries.length > 0,
  );
}

/** The platform whose policies still answer those who have not been led back as their overlays say. Without any it is the same platform. */
export function withReturns(platform: Platform, returns: Returns): Platform {
  const policies = new Map(platform.policies);
  for (const [name, some] of returns) {
    const policy = platform.policies.get(name);
    if (policy === undefined) continue;
    const views = returningOverlays(platform, policy);
    const rules = some.flatMap(({ overlay, back }) => {
      const view = views.find((one) => one.name === overlay);
      return view === undefined ? [] : rulesLeft(policy, view, back);
    });
    if (rules.length > 0) policies.set(name, ruledBy(policy, rules));
  }
  return policies.size === 0 || returns.size === 0 ? platform : { ...platform, policies };
}

/** A rule for each country and state that has not been led back, or in part. */
function rulesLeft(policy: TrafficPolicy, view: OverlayView, back: Progress): readonly PolicyRule[] {
  const { proposal, countries } = view;
  const states = statesOfPolicy({ rules: [...policy.spec.rules, ...proposal.rules], never: policy.spec.never });
  const deciding = decidingRules(proposal, states);
  const overlaid = countries.flatMap((code): readonly PolicyRule[] => {
    const rule = proposal.rules[deciding.get(code)?.index ?? -1];
    return rule === undefined ? [] : [{ ...rule, countries: [code], continents: [] }];
  });
  const [from, to] = [ruledBy(policy, overlaid), policy].map((one) => answersOf(one, new Set()));
  return overlaid.flatMap((rule): readonly PolicyRule[] => {
    const [code = ''] = rule.countries;
    const parts = partsMoved(back, returningWith(code));
    if (parts === 0) return [rule];
    if (parts === wholeParts || from === undefined || to === undefined) return [];
    const tiers = tiersBetween(preferenceOf(from, code).tiers, preferenceOf(to, code).tiers, parts);
    return [{ ...ruleOf(tiers), countries: [code], continents: [] }];
  });
}

/** The tiers as a rule says them: one cluster after the other behind the first tier. */
function ruleOf([first = [], ...later]: readonly Tier[]): Pick<PolicyRule, 'clusters' | 'failover'> {
  return {
    clusters: first.map(({ name, weight }) => ({ name, weight })),
    failover: later.flat().map(({ name }) => name),
  };
}

/** The policy with these rules before its own. Its own stay, so that it names the same clusters. */
function ruledBy(policy: TrafficPolicy, rules: readonly PolicyRule[]): TrafficPolicy {
  const decided = new Set(rules.flatMap(({ countries }) => countries));
  const own = policy.spec.rules.map((rule) => ({
    ...rule,
    countries: rule.countries.filter((code) => !decided.has(code)),
  }));
  const answer = ({ clusters, failover }: PolicyRule): string => JSON.stringify([clusters, failover]);
  const laid = [...Map.groupBy(rules, answer).values()].flatMap(([one, ...others]): readonly PolicyRule[] =>
    one === undefined ? [] : [{ ...one, countries: [one, ...others].flatMap(({ countries }) => countries) }],
  );
  return { ...policy, spec: { ...policy.spec, rules: [...own, ...laid] } };
}
