import { answersOf, formatTiers, preferenceOf } from '../../answers/answers.ts';
import { apiVersion } from '../../model/contract.ts';
import { proposalOf, withOverlays } from '../../model/platform/overlays.ts';
import { decidingRules, type PolicyRule } from '../../model/platform/policies.ts';
import type { TrafficOverlay, TrafficPolicy, TrafficVerdict } from '../../model/spec/kinds.ts';
import type { OverlayView } from '../../model/spec/overlay-view.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { policiesThen } from './plan/last-applied.ts';
import type { ZonePlan } from './plan/plan.ts';

/**
 * The platform in which the users of overlays that are not in the zone yet are answered as they are there, because these overlays wait for a
 * person and nothing else should wait with them; undefined where there are none, or the zone does not tell what it was made of.
 */
export function withoutNews(
  written: Platform,
  { zone, state, changes }: Pick<ZonePlan, 'zone' | 'state' | 'changes'>,
  nowMs: number,
): Platform | undefined {
  if (written.overlays.size === 0) return undefined;
  const platform = withOverlays(written, nowMs);
  const then = policiesThen(zone, state.records, changes.registryBefore);
  const news = (platform.overlaid ?? []).flatMap((view) => {
    const [was, is] = [then.get(view.proposal.policy), platform.policies.get(view.proposal.policy)];
    const overlay = written.overlays.get(view.name);
    if (view.state !== 'in force' || was === undefined || is === undefined || overlay === undefined) return [];
    return isNews(view, was, is) ? [asThen(overlay, view, was)] : [];
  });
  if (news.length === 0) return undefined;
  const names = new Set(news.map(({ metadata }) => metadata.name));
  const others = [...written.verdicts].filter(([, { spec }]) => !names.has(spec.overlay));
  return withOverlays(
    {
      ...written,
      overlays: new Map([...written.overlays, ...news.map((one) => [one.metadata.name, one] as const)]),
      verdicts: new Map([...others, ...news.map((one) => [one.metadata.name, supposed(one, nowMs)] as const)]),
    },
    nowMs,
  );
}

/** Whether some country of an overlay is not answered as it says by what the zone was made of. */
function isNews({ countries }: OverlayView, was: TrafficPolicy, is: TrafficPolicy): boolean {
  const [before, now] = [was, is].map((policy) => answersOf(policy, new Set()));
  if (before === undefined || now === undefined) return false;
  const order = (answers: typeof before, code: string): string => formatTiers(preferenceOf(answers, code).tiers);
  return countries.some((code) => order(before, code) !== order(now, code));
}

/** The overlay with the answers that its countries had. */
function asThen(
  overlay: TrafficOverlay,
  { countries, proposal }: OverlayView,
  { spec }: TrafficPolicy,
): TrafficOverlay {
  const deciding = decidingRules(spec);
  const byAnswer = Map.groupBy(countries, (code) => deciding.get(code)?.index ?? -1);
  const rules = [...byAnswer].map(([index, some]): PolicyRule => {
    const { clusters, failover } = spec.rules[index] ?? spec.default;
    return { countries: some, continents: [], clusters, failover };
  });
  return { ...overlay, spec: { ...overlay.spec, ...proposal, rules } };
}

function supposed(overlay: TrafficOverlay, nowMs: number): TrafficVerdict {
  const { name } = overlay.metadata;
  const at = new Date(nowMs).toISOString();
  const spec = { overlay: name, verdict: 'approve', by: '', at, reason: '', proposal: proposalOf(overlay) } as const;
  return { apiVersion, kind: 'TrafficVerdict', metadata: { name }, spec };
}
