import { countryOfPlace } from '../../geo/states.ts';
import { isOver, withOverlays } from '../../platform/overlays.ts';
import {
  clustersOfPolicy,
  countriesOfRule,
  decidingRules,
  type PolicyRule,
  statesOfPolicy,
} from '../../platform/policies.ts';
import type { Path } from '../document.ts';
import type { TrafficOverlay } from '../kinds.ts';
import {
  type Declared,
  listText,
  type Objects,
  problemAt,
  type Report,
  type SpecProblem,
  valid,
  whereIs,
} from '../objects.ts';
import type { Platform } from '../platform.ts';
import { didYouMean } from '../similar.ts';
import { checkRuleList } from './policies.ts';

/** Rules are as those of a policy, and no two overlays of a policy speak of the same country, but for those that are over. */
export function checkOverlays(objects: Objects, platform: Platform, nowMs: number, report: Report): void {
  const speaking = new Map<string, Speaker>();
  const states = statesOfPolicy({ rules: valid(objects.TrafficOverlay.all).flatMap(({ value }) => value.spec.rules) });
  for (const { at, value } of valid(objects.TrafficOverlay.all)) {
    const { policy, rules } = value.spec;
    checkRuleList(rules, at, ['spec', 'rules'], report);
    if (isOver(platform, value, nowMs)) continue;
    for (const [code, { index }] of [...decidingRules({ rules }, states)].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const first = speaking.get(`${policy} ${code}`);
      speaking.set(`${policy} ${code}`, first ?? { at, rule: rules[index] });
      if (first === undefined || first.at === at) continue;
      const named = nameIn(first.rule, code);
      const other = `${named} already${named === code ? '' : `, which speaks for ${code} too`}`;
      report(at, ['spec', 'rules', index], {
        reason: 'OverlayTwice',
        message: `the policy ${policy} has an overlay for ${other}, see ${whereIs(first.at, ['spec', 'rules'])}`,
        expected: 'every country in one overlay of a policy only',
        fix: 'leave the country out here, or withdraw the other overlay',
      });
      // One is enough to say which two overlays meet.
      break;
    }
  }
  for (const { at, value } of valid(objects.TrafficVerdict.all))
    checkRuleList(value.spec.proposal.rules, at, ['spec', 'proposal', 'rules'], report);
}

/** Who speaks for a country, and by which rule. */
interface Speaker {
  readonly at: Declared<unknown>;
  readonly rule: PolicyRule | undefined;
}

/** The word by which a rule names a country or state: itself, the country of the state, or a continent. */
function nameIn(rule: PolicyRule | undefined, code: string): string {
  const country = countryOfPlace(code);
  const own = [code, country].find((one) => rule?.countries.includes(one));
  const within = rule?.continents.find((one) =>
    countriesOfRule({ countries: [], continents: [one] }).includes(country),
  );
  return own ?? within ?? code;
}

/** What is in force of overlays otherwise than a person might believe. They never make a platform invalid: a policy has precedence. */
export function overlayWarnings(objects: Objects, platform: Platform, nowMs: number): readonly SpecProblem[] {
  const declared = objects.TrafficOverlay.byName;
  const { overlaid = [] } = withOverlays(platform, nowMs);
  return overlaid.flatMap(({ name, state, broken, trouble, proposal }) => {
    const at = declared.get(name);
    if (at === undefined) return [];
    const isMissing = !platform.policies.has(proposal.policy);
    const misnamed = isMissing ? [] : misnamedIn(at, proposal, platform);
    return [
      ...misnamed.map(({ path, name: wrong, known }) =>
        problemAt(at, path, {
          reason: 'OverlayBroken',
          message: `there is no Cluster ${JSON.stringify(wrong)}, so the rule is passed over`,
          expected: `a cluster of the policy ${proposal.policy}: ${listText(known)}`,
          fix: didYouMean(wrong, known, 'correct the name, or withdraw the overlay'),
        }),
      ),
      ...broken.map(({ countries, why }) =>
        problemAt(at, ['spec', isMissing ? 'policy' : 'rules'], {
          reason: 'OverlayBroken',
          message: `passed over for ${countriesText(countries)}: ${why}`,
          fix: isMissing
            ? didYouMean(
                proposal.policy,
                [...platform.policies.keys()],
                'name a TrafficPolicy, or withdraw the overlay',
              )
            : 'answer them with clusters that the policy names and allows, or leave them out',
        }),
      ),
      ...(state === 'in force' && trouble.includes('expired')
        ? [
            problemAt(at, ['spec', 'expires'], {
              reason: 'OverlayExpired' as const,
              message: `ended on ${proposal.expires}, and stays in force`,
              fix: 'give it a later end, write into the policy what is to stay, or withdraw it',
            }),
          ]
        : []),
      ...(state === 'in force' && trouble.includes('silent')
        ? [
            problemAt(at, ['spec', 'renewed'], {
              reason: 'OverlaySilent' as const,
              message: `${proposal.owner} has not renewed it in time, and it stays in force`,
              fix: 'look after its owner, or withdraw it',
            }),
          ]
        : []),
    ];
  });
}

/** The clusters that an overlay names and that nobody declares, with their places in the file. */
function misnamedIn(
  at: Declared<TrafficOverlay>,
  { policy, rules }: Pick<TrafficOverlay['spec'], 'policy' | 'rules'>,
  platform: Platform,
): readonly { readonly path: Path; readonly name: string; readonly known: readonly string[] }[] {
  const written = platform.policies.get(policy);
  // What a verdict holds in force may have been written otherwise than the overlay is now.
  if (written === undefined || at.value?.spec.rules !== rules) return [];
  const known = clustersOfPolicy(written);
  return rules.flatMap((rule, index) => {
    const path = ['spec', 'rules', index];
    const named = [
      ...rule.clusters.flatMap(({ name, failover = [] }, place) => [
        { path: [...path, 'clusters', place, 'name'], name },
        ...failover.map((one, position) => ({ path: [...path, 'clusters', place, 'failover', position], name: one })),
      ]),
      ...rule.failover.map((name, position) => ({ path: [...path, 'failover', position], name })),
    ];
    return named.flatMap((one) => (platform.clusters.has(one.name) ? [] : [{ ...one, known }]));
  });
}

/** `FR, BE and 4 more`. */
function countriesText(codes: readonly string[]): string {
  const rest = codes.length - mostNamed;
  return rest > 1 ? `${codes.slice(0, mostNamed).join(', ')} and ${rest} more` : codes.join(', ');
}

const mostNamed = 6;
