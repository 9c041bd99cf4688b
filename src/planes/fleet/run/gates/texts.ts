const most = 8;

/** What is missing as one sentence without a full stop; undefined where nothing is. */
export function missing(clauses: readonly string[]): string | undefined {
  if (clauses.length === 0) return undefined;
  const rest = clauses.length - most;
  return [...clauses.slice(0, most), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** A clause for each server that did not say what was asked. */
export function unheard(problems: ReadonlyMap<string, string>): readonly string[] {
  return [...problems].map(([server, problem]) => `${server}: ${problem}`);
}
