/** The candidate that `text` was most likely meant to be, or undefined when none is close (a third of it may differ). */
export function mostSimilar(text: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  const limit = Math.max(1, Math.floor(text.length / 3));
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - text.length) > limit) continue;
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** The fix for a word that is none of the known ones: the one that was most likely meant, or else what the caller says. */
export function didYouMean(text: string, known: Iterable<string>, otherwise: string): string {
  const similar = mostSimilar(text, known);
  return similar === undefined ? otherwise : `did you mean "${similar}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= a.length; row += 1) {
    const above = rows[row - 1] ?? [];
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replace = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? (rows[row - 2]?.[column - 2] ?? 0) + 1 : replace;
      current.push(Math.min(replace, swap, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    rows.push(current);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
