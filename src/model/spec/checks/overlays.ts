import { withOverlays } from '../../platform/overlays.ts';
import { decidingRules, statesOfPolicy } from '../../platform/policies.ts';
import { type Objects, problemAt, type Report, type SpecProblem, valid, whereIs } from '../objects.ts';
import type { Platform } from '../platform.ts';
import { checkRuleList } from './policies.ts';

/** Rules are as those of a policy, and no two overlays of a policy speak of the same country. */
export function checkOverlays(objects: Objects, report: Report): void {
  const speaking = new Map<string, (typeof objects.TrafficOverlay.all)[number]>();
  const states = statesOfPolicy({ rules: valid(objects.TrafficOverlay.all).flatMap(({ value }) => value.spec.rules) });
  for (const { at, value } of valid(objects.TrafficOverlay.all)) {
    const { policy, rules } = value.spec;
    checkRuleList(rules, at, ['spec', 'rules'], report);
    for (const [code, { index }] of [...decidingRules({ rules }, states)].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const first = speaking.get(`${policy} ${code}`);
      speaking.set(`${policy} ${code}`, first ?? at);
      if (first === undefined || first === at) continue;
      report(at, ['spec', 'rules', index], {
        reason: 'OverlayTwice',
        message: `the policy ${policy} has an overlay for ${code} already, see ${whereIs(first, ['spec', 'rules'])}`,
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

/** What is in force of overlays otherwise than a person might believe. They never make a platform invalid: a policy has precedence. */
export function overlayWarnings(objects: Objects, platform: Platform, nowMs: number): readonly SpecProblem[] {
  const declared = objects.TrafficOverlay.byName;
  const { overlaid = [] } = withOverlays(platform, nowMs);
  return overlaid.flatMap(({ name, state, broken, trouble, proposal }) => {
    const at = declared.get(name);
    if (at === undefined) return [];
    const isMissing = !platform.policies.has(proposal.policy);
    return [
      ...broken.map(({ countries, why }) =>
        problemAt(at, ['spec', isMissing ? 'policy' : 'rules'], {
          reason: 'OverlayBroken',
          message: `passed over for ${countriesText(countries)}: ${why}`,
          fix: isMissing
            ? 'name a TrafficPolicy, or withdraw the overlay'
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

/** `FR, BE and 4 more`. */
function countriesText(codes: readonly string[]): string {
  const rest = codes.length - mostNamed;
  return rest > 1 ? `${codes.slice(0, mostNamed).join(', ')} and ${rest} more` : codes.join(', ');
}

const mostNamed = 6;
