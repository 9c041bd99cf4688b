import type { ExportedZone } from './octodns.ts';

/** The report of an export, a line for each host, and its notes below it. */
export function renderExport(zones: readonly ExportedZone[]): readonly string[] {
  return zones.flatMap(({ zone, findings }) => {
    const written = findings.filter(({ outcome }) => outcome === 'written').length;
    return [
      ...findings.flatMap(({ host, policy, outcome, what, notes }) => [
        outcome === 'written' ? `${host} is written: ${what}, of policy ${policy}` : `${host} is not written: ${what}`,
        ...notes.map((note) => `    note: ${note}`),
      ]),
      `zone ${zone}: hosts written: ${written}, not written: ${findings.length - written}`,
    ];
  });
}
