import type { OverlayView } from '../../../model/spec/overlay-view.ts';
import { formatCountries } from '../../../planes/steering/plan/countries-text.ts';

export interface ProposalView extends OverlayView {
  /** Of the version that stands there. */
  readonly digest: string;
}

/** What is proposed, for people. */
export function renderProposals(proposals: readonly ProposalView[]): readonly string[] {
  if (proposals.length === 0) return ['nothing is proposed: there is no TrafficOverlay'];
  return proposals.flatMap(renderProposal);
}

export function renderProposal(view: ProposalView): readonly string[] {
  const { name, state, trouble, proposal, reason, renewed, verdict, countries, broken, digest } = view;
  const { owner, policy, expires, afterwards, rules } = proposal;
  const who = countries.length === 0 ? 'nobody' : formatCountries(countries);
  const words = [state, ...trouble].join(', ');
  return [
    `${name} ${digest}: ${words}; policy ${policy}, for ${who}`,
    `  of ${owner}: ${reason}`,
    `  until ${expires}, then its traffic ${afterwards === 'stay' ? 'stays' : 'returns'}${renewed === undefined ? '' : `; renewed at ${renewed}`}`,
    ...rules.map((rule) => `  ${formatCountries([...rule.countries])}${continentsText(rule)} by ${answerText(rule)}`),
    ...(verdict === undefined
      ? []
      : [
          `  ${verdict.verdict === 'approve' ? 'approved' : 'rejected'} by ${verdict.by} at ${verdict.at}: ${verdict.reason}`,
        ]),
    ...broken.map((one) => `  passed over for ${formatCountries(one.countries)}: ${one.why}`),
  ];
}

type Rule = OverlayView['proposal']['rules'][number];

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
