import type { Chain, Hop } from './chain.ts';

/** The chain for people: what does not hold first, with the fix; then every hop on a line. */
export function renderChain({ question, supposed, outcome, verdict, broken, hops }: Chain): readonly string[] {
  const subject = supposed.length === 0 ? question : `${question}, if ${supposed.join(' and ')} were down`;
  const width = Math.max(4, ...hops.map(({ hop }) => hop.length));
  return [
    `${subject}: ${headline(verdict, broken)}`,
    ...(broken?.fix === undefined || supposed.length > 0 ? [] : [`  fix: ${broken.fix}`]),
    ...outcome.map((line) => `  ${line}`),
    '',
    ...hops.map((hop) => `  ${markOf(hop).padEnd(8)} ${hop.hop.padEnd(width)}  ${hop.subject} ${hop.what}`),
  ];
}

function headline(verdict: Chain['verdict'], broken: Hop | undefined): string {
  if (broken === undefined) return 'every hop holds';
  const reason = broken.reason === undefined ? '' : ` (${broken.reason})`;
  const what = `${broken.hop}: ${broken.subject} ${broken.what}${reason}`;
  return verdict === 'fails' ? `BROKEN at ${what}` : `not known at ${what}; every hop that could be asked holds`;
}

function markOf({ verdict, follows }: Hop): string {
  if (verdict === 'holds') return 'ok';
  if (verdict === 'unknown') return 'unknown';
  return follows === true ? 'follows' : 'FAILS';
}
