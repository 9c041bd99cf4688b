import type { Import, ImportFinding } from './policies.ts';

const words = {
  policy: 'becomes policy',
  stays: 'stays:',
  refused: 'is not imported:',
} as const satisfies Record<ImportFinding['outcome'], string>;

/** The report of an import, a line for each host, and its notes below it. */
export function renderImport({ policies, findings }: Import): readonly string[] {
  const count = (outcome: ImportFinding['outcome']): number => findings.filter((one) => one.outcome === outcome).length;
  return [
    ...findings.flatMap(({ host, outcome, types, what, at = [], fix, notes }) => [
      `${host}${types === undefined ? ` ${words[outcome]}` : stayingText(types)} ${what}${at.length === 0 ? '' : ` (${at.join(', ')})`}`,
      ...(fix === undefined ? [] : [`    fix: ${fix}`]),
      ...notes.map((note) => `    note: ${note}`),
    ]),
    `hosts in policies: ${count('policy')}, policies: ${policies.length}, not imported: ${count('refused')}, staying: ${count('stays')}`,
  ];
}

/** Others of the name are told of in a line of their own, so that the name itself does not stay. */
function stayingText(types: string): string {
  return `: its ${types} ${types.includes(',') ? 'stay' : 'stays'}:`;
}
