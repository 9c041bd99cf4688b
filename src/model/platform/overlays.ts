import { countryOfPlace, stateOf } from '../geo/states.ts';
import type { TrafficOverlay, TrafficPolicy, TrafficVerdict } from '../spec/kinds.ts';
import type { Broken, OverlayTrouble, OverlayVersion, OverlayView, Proposal } from '../spec/overlay-view.ts';
import type { Platform } from '../spec/platform.ts';
import { compareText, withoutUndefined } from '../values.ts';
import { clustersOfPolicy, decidingRules, forbiddenClusters, type PolicyRule, statesOfPolicy } from './policies.ts';

/**
 * What TrafficOverlays make of the policies, by one rule for the plans, the agent and every command. Which overlay counts depends on the
 * verdicts of persons, on the guard of its policy and on the time; never on what a zone holds.
 */

/** What of this overlay decides, as its owner says it now. */
export function proposalOf({ spec: { policy, owner, afterwards, expires, rules } }: TrafficOverlay): Proposal {
  return { policy, owner, afterwards, expires, rules };
}

/** A text that is the same exactly for equal proposals. */
export function proposalText({ policy, owner, afterwards, expires, rules }: Proposal): string {
  return JSON.stringify([policy, owner, afterwards, Date.parse(expires), rules.map(ruleText)]);
}

/** The platform with each policy as the overlays that are in force make it. Without overlays it is the same platform. */
export function withOverlays(platform: Platform, nowMs: number): Platform {
  if (platform.overlaid !== undefined || platform.overlays.size === 0) return platform;
  const judged = [...platform.overlays.values()]
    .toSorted((a, b) => compareText(a.metadata.name, b.metadata.name))
    .map((overlay) => judge(platform, overlay, nowMs));
  const policies = new Map(platform.policies);
  const overlaid: OverlayView[] = [];
  for (const [index, one] of judged.entries()) {
    const earlier = judged.slice(0, index);
    const laid = laidOf(platform, one, earlier);
    const next = one.trouble.includes('changed')
      ? judge({ ...platform, verdicts: new Map() }, one.overlay, nowMs)
      : one;
    const proposed = next === one ? {} : { proposed: versionOf(next, laidOf(platform, next, earlier)) };
    overlaid.push({ ...viewOf(one, laid), ...proposed });
    const before = policies.get(one.proposal.policy);
    if (one.state === 'in force' && before !== undefined && laid !== undefined)
      policies.set(one.proposal.policy, ruledBy(before, one.proposal, laid.decides));
  }
  return { ...platform, policies, overlaid };
}

/** The overlay that decides for a country or state of a policy. */
export function decidingOverlay(
  { overlaid = [], policies }: Pick<Platform, 'overlaid' | 'policies'>,
  policyName: string,
  place: string | undefined,
): OverlayView | undefined {
  const decidesFor = (code: string): OverlayView | undefined =>
    overlaid.find(
      (view) => view.state === 'in force' && view.proposal.policy === policyName && view.countries.includes(code),
    );
  const own = decidesFor(place ?? '');
  // A state that has a rule and no overlay of its own is answered by that rule, any other as its country.
  if (own !== undefined || place === undefined || stateOf(place) === undefined) return own;
  const rules = policies.get(policyName)?.spec.rules ?? [];
  return rules.some(({ countries }) => countries.includes(place)) ? undefined : decidesFor(countryOfPlace(place));
}

/** Whether an overlay, as it stands, leads no traffic and will lead none: it was rejected, or it has ended and is not to stay. */
export function isOver(platform: Judges, overlay: TrafficOverlay, nowMs: number): boolean {
  const { state, trouble } = judge(platform, overlay, nowMs);
  if (trouble.includes('changed')) return false;
  return state === 'rejected' || state === 'returned' || (state === 'proposed' && trouble.includes('expired'));
}

/** When something about overlays changes by itself, in ms since the epoch. */
export function overlayMoments({ overlays, verdicts }: Pick<Platform, 'overlays' | 'verdicts'>): readonly number[] {
  return [
    ...[...overlays.values()].flatMap(({ spec }) => [Date.parse(spec.expires), ...silentAt(spec)]),
    ...[...verdicts.values()].map(({ spec }) => Date.parse(spec.proposal.expires)),
  ];
}

/** What decides which version of an overlay counts. */
type Judges = Pick<Platform, 'policies' | 'verdicts'>;

interface Judged {
  readonly overlay: TrafficOverlay;
  readonly proposal: Proposal;
  readonly state: 'proposed' | 'in force' | 'rejected' | 'returned';
  readonly trouble: readonly OverlayTrouble[];
  readonly verdict: TrafficVerdict['spec'] | undefined;
}

/** Which version of an overlay counts, if any does. */
function judge(platform: Judges, overlay: TrafficOverlay, nowMs: number): Judged {
  const mine = proposalOf(overlay);
  const verdict = verdictOn(platform, overlay.metadata.name);
  const { proposals, approvers } = platform.policies.get(mine.policy)?.spec.guard ?? {};
  const ownWord = approvers === 'other' && isOwnWord(verdict, mine.owner);
  const approved = ownWord || verdict?.verdict !== 'approve' ? undefined : verdict.proposal;
  const isAboutThis = verdict !== undefined && proposalText(verdict.proposal) === proposalText(mine);
  const isAutomatic = proposals === 'automatic';
  const proposal = isAutomatic || isAboutThis ? mine : (approved ?? mine);
  const expired = Date.parse(proposal.expires) <= nowMs;
  const changed = proposal !== mine;
  const silent = silentAt(overlay.spec).some((atMs) => atMs <= nowMs);
  const common = { overlay, verdict, proposal };
  if (isAboutThis && verdict.verdict === 'reject') return { ...common, state: 'rejected', trouble: [] };
  if (!isAutomatic && approved === undefined)
    return { ...common, state: 'proposed', trouble: troubleOf({ expired, 'own word': ownWord }) };
  const returned = expired && proposal.afterwards === 'return';
  return returned
    ? { ...common, state: 'returned', trouble: troubleOf({ changed }) }
    : { ...common, state: 'in force', trouble: troubleOf({ expired, silent, changed }) };
}

function troubleOf(is: Readonly<Partial<Record<OverlayTrouble, boolean>>>): readonly OverlayTrouble[] {
  const all = ['expired', 'silent', 'changed', 'own word'] as const;
  return all.filter((one) => is[one] === true);
}

/** Whether an owner approves what is his: the one of the copy that was judged, or the one of today, who could have written another into the copy. */
function isOwnWord(said: TrafficVerdict['spec'] | undefined, owner: string): boolean {
  return said?.verdict === 'approve' && (said.by === said.proposal.owner || said.by === owner);
}

/** The newest word about an overlay. */
function verdictOn({ verdicts }: Judges, overlayName: string): TrafficVerdict['spec'] | undefined {
  const [newest] = [...verdicts.values()]
    .filter(({ spec }) => spec.overlay === overlayName)
    .toSorted((a, b) => Date.parse(b.spec.at) - Date.parse(a.spec.at) || compareText(a.metadata.name, b.metadata.name));
  return newest?.spec;
}

function silentAt({ renewed, silentAfterMinutes }: TrafficOverlay['spec']): readonly number[] {
  return renewed === undefined ? [] : [Date.parse(renewed) + silentAfterMinutes * 60_000];
}

function laidOf(platform: Platform, one: Judged, before: readonly Judged[]): Laid | undefined {
  const policy = platform.policies.get(one.proposal.policy);
  return policy === undefined ? undefined : lay(platform, policy, one, before);
}

interface Laid {
  /** The rule of the overlay that decides, by country. */
  readonly decides: ReadonlyMap<string, number>;
  readonly broken: readonly Broken[];
}

/**
 * For which countries and states the rules of an overlay decide, of a policy and beside the overlays before it. A country of an overlay beats
 * a state of the policy, as a continent beats a country. What says the same as the policy decides nothing, but for a state without a rule
 * there whose country is decided: it would go with its country.
 */
function lay(platform: Platform, policy: TrafficPolicy, { proposal }: Judged, before: readonly Judged[]): Laid {
  const { rules } = proposal;
  const named = new Set(clustersOfPolicy(policy));
  const overlays = [...platform.overlays.values()].filter(({ spec }) => spec.policy === proposal.policy);
  const all = [...policy.spec.rules, ...rules, ...overlays.flatMap(({ spec }) => spec.rules)];
  const states = statesOfPolicy({ rules: all, never: policy.spec.never });
  const written = decidingRules(policy.spec, states);
  const forbidden = forbiddenClusters(policy.spec, states);
  const others = before.filter((one) => one.state === 'in force' && one.proposal.policy === proposal.policy);
  const taken = new Map(
    others.flatMap((one) =>
      [...decidingRules(one.proposal, states).keys()].map((code) => [code, one.overlay.metadata.name]),
    ),
  );
  const decides = new Map<string, number>();
  const reasons = new Map<string, string>();
  const wanted = [...decidingRules(proposal, states)];
  const isState = ([code]: readonly [string, unknown]): boolean => stateOf(code) !== undefined;
  for (const [code, { index }] of [...wanted.filter((one) => !isState(one)), ...wanted.filter(isState)]) {
    const rule = rules[index];
    if (rule === undefined) continue;
    const why = whyNot(rule, { platform, named, forbidden: forbidden.get(code), taken: taken.get(code) });
    const isFree =
      stateOf(code) !== undefined && written.get(code)?.by !== 'state' && decides.has(countryOfPlace(code));
    const asWritten = policy.spec.rules[written.get(code)?.index ?? -1] ?? policy.spec.default;
    if (why !== undefined) reasons.set(code, why);
    else if (isFree || answerText(rule) !== answerText(asWritten)) decides.set(code, index);
  }
  const broken = [...Map.groupBy(reasons.keys(), (code) => reasons.get(code) ?? '')];
  return { decides, broken: broken.map(([why, some]) => ({ countries: some.toSorted(), why })) };
}

/** Why an overlay does not decide for a country, as a clause; undefined when it does. */
function whyNot(
  { clusters, failover }: PolicyRule,
  {
    platform,
    named,
    forbidden,
    taken,
  }: {
    readonly platform: Platform;
    readonly named: ReadonlySet<string>;
    readonly forbidden: ReadonlyMap<string, number> | undefined;
    readonly taken: string | undefined;
  },
): string | undefined {
  if (taken !== undefined) return `the overlay ${taken} decides already`;
  const names = [...clusters.flatMap(({ name, failover: own = [] }) => [name, ...own]), ...failover];
  const unknown = names.find((name) => !platform.clusters.has(name));
  if (unknown !== undefined) return `there is no cluster ${unknown}`;
  const beyond = names.find((name) => !named.has(name));
  if (beyond !== undefined) return `the policy does not name the cluster ${beyond}`;
  const barred = clusters.find(({ name, weight }) => weight > 0 && forbidden?.has(name));
  return barred === undefined ? undefined : `spec.never of the policy forbids them ${barred.name}`;
}

/** The policy with these countries answered by the rules of an overlay. Its own rules stay, so that it names the same clusters. */
function ruledBy(policy: TrafficPolicy, { rules }: Proposal, decides: ReadonlyMap<string, number>): TrafficPolicy {
  if (decides.size === 0) return policy;
  const own = policy.spec.rules.map((rule) => ({
    ...rule,
    countries: rule.countries.filter((code) => !decides.has(code)),
  }));
  const laid = rules.flatMap((rule, index): readonly PolicyRule[] => {
    const codes = [...decides.keys()].filter((code) => decides.get(code) === index).sort();
    return codes.length === 0 ? [] : [{ ...rule, countries: codes, continents: [] }];
  });
  return { ...policy, spec: { ...policy.spec, rules: [...own, ...laid] } };
}

function viewOf(one: Judged, laid: Laid | undefined): OverlayView {
  const { overlay, verdict } = one;
  return {
    name: overlay.metadata.name,
    ...versionOf(one, laid),
    reason: overlay.spec.reason,
    ...withoutUndefined({ renewed: overlay.spec.renewed }),
    ...(verdict === undefined ? {} : { verdict: spoken(verdict) }),
  };
}

function versionOf({ proposal, state, trouble }: Judged, laid: Laid | undefined): OverlayVersion {
  const broken = laid?.broken ?? [
    { countries: [...decidingRules(proposal).keys()].sort(), why: `there is no policy ${proposal.policy}` },
  ];
  const counts = [...(laid?.decides.keys() ?? [])].sort();
  const would = counts.length > 0 ? state : broken.length > 0 ? 'broken' : 'equal';
  return {
    state: state === 'in force' || state === 'proposed' ? would : state,
    trouble,
    proposal,
    countries: counts,
    broken,
  };
}

const spoken = ({ verdict, by, at, reason }: TrafficVerdict['spec']) => ({ verdict, by, at, reason });

const answerText = ({ clusters, failover }: Pick<PolicyRule, 'clusters' | 'failover'>): string =>
  JSON.stringify([clusters.map(({ name, weight }) => [name, weight]), failover]);

const ruleText = (rule: PolicyRule): string => JSON.stringify([rule.countries, rule.continents, answerText(rule)]);
