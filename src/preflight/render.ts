import type { Finding, FindingState } from './finding.ts';

const states: readonly FindingState[] = ['failed', 'warning', 'unknown', 'ok'];

/** The exit code: 1 when a check failed. Warnings and unknown results do not count. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ state }) => state === 'failed') ? 1 : 0;
}

/** The report for people as lines: one for each finding, followed by what was expected and the fix, and a last line that sums up. */
export function textOf(head: string, findings: readonly Finding[]): readonly string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, reason, found, expected, fix }) => [
    `${state.padEnd(8)} ${check.padEnd(width)}  ${found}${reason === undefined ? '' : ` (${reason})`}`,
    ...(expected === undefined ? [] : [`    expected: ${expected}`]),
    ...(fix === undefined ? [] : [`    fix: ${fix}`]),
  ]);
  return [head, ...lines, sumUp(findings)];
}

/** The report for programs: `{ ok, cluster, counts, findings }`. */
export function jsonOf(cluster: object, findings: readonly Finding[]): object {
  return { ok: exitCodeOf(findings) === 0, ...cluster, counts: countsOf(findings), findings };
}

function sumUp(findings: readonly Finding[]): string {
  const counts = countsOf(findings);
  const parts = states.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  return parts.join(', ');
}

function countsOf(findings: readonly Finding[]): Readonly<Record<FindingState, number>> {
  const number = (wanted: FindingState) => findings.filter(({ state }) => state === wanted).length;
  return { failed: number('failed'), warning: number('warning'), unknown: number('unknown'), ok: number('ok') };
}
