import { formatCountries } from '../../../planes/steering/plan/countries-text.ts';
import type { DigestedVersion, ProposalView } from './versions.ts';

/** What is proposed, for people. */
export function renderProposals(proposals: readonly ProposalView[]): readonly string[] {
  if (proposals.length === 0) return ['nothing is proposed: there is no TrafficOverlay'];
  return proposals.flatMap(renderProposal);
}

/** Each version by itself: the one that was approved, then the one that waits. The owner's reason is that of what stands there. */
export function renderProposal(view: ProposalView): readonly string[] {
  const { reason, verdict, proposed } = view;
  const said = verdict === undefined ? [] : [`  ${verdictText(verdict)}`];
  if (proposed === undefined) return renderVersion(view, view, { reason, said });
  return [...renderVersion(view, view, { said }), ...renderVersion(view, proposed, { reason, said: [] })];
}

function renderVersion(
  { name, renewed }: ProposalView,
  version: DigestedVersion,
  { reason, said }: { readonly reason?: string; readonly said: readonly string[] },
): readonly string[] {
  const { state, trouble, proposal, countries, broken, digest } = version;
  const { owner, policy, rules } = proposal;
  const who = countries.length === 0 ? 'nobody' : formatCountries(countries);
  const words = [state, ...trouble].join(', ');
  return [
    `${name} ${digest}: ${words}; policy ${policy}, for ${who}`,
    `  of ${owner}${reason === undefined ? '' : `: ${reason}`}`,
    `  ${endText(version)}${renewed === undefined ? '' : `; renewed at ${renewed}`}`,
    ...rules.map((rule) => `  ${formatCountries([...rule.countries])}${continentsText(rule)} by ${answerText(rule)}`),
    ...said,
    ...broken.map((one) => `  passed over for ${formatCountries(one.countries)}: ${one.why}`),
  ];
}

function endText({ state, trouble, proposal: { expires, afterwards } }: DigestedVersion): string {
  if (state === 'in force' || !trouble.includes('expired'))
    return `until ${expires}, then its traffic ${afterwards === 'stay' ? 'stays' : 'returns'}`;
  return `ended at ${expires}${state === 'proposed' ? ' without approval' : ''}: no traffic follows it`;
}

function verdictText({ verdict, by, at, reason }: NonNullable<ProposalView['verdict']>): string {
  return `${verdict === 'approve' ? 'approved' : 'rejected'} by ${by} at ${at}: ${reason}`;
}

type Rule = ProposalView['proposal']['rules'][number];

function continentsText({ countries, continents }: Rule): string {
  if (continents.length === 0) return '';
  return `${countries.length === 0 ? '' : ' and '}the continents ${continents.join(', ')}`;
}

/** `paris 60, cloud 40 > newyork`. */
function answerText({ clusters, failover }: Rule): string {
  const [only, ...others] = clusters;
  const first =
    others.length === 0 ? (only?.name ?? '') : clusters.map(({ name, weight }) => `${name} ${weight}`).join(', ');
  return [first, ...failover].join(' > ');
}
