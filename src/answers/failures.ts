/** Up to this many clusters every set of failed ones is compared. */
const everySubsetUpTo = 8;

/**
 * The sets of failed clusters for which answers are compared: of up to eight clusters every set; of more clusters none, each
 * one, each pair, all but one, and all. While all but one fail, the one answers everybody whose records lead to it anywhere.
 */
export function failureSets(clusters: readonly string[]): readonly ReadonlySet<string>[] {
  if (clusters.length <= everySubsetUpTo) {
    return Array.from(
      { length: 2 ** clusters.length },
      (_, bits) => new Set(clusters.filter((_name, index) => (bits >> index) & 1)),
    );
  }
  const pairs = clusters.flatMap((a, index) => clusters.slice(index + 1).map((b) => new Set([a, b])));
  const allButOne = clusters.map((name) => new Set(clusters.filter((other) => other !== name)));
  return [new Set<string>(), ...clusters.map((name) => new Set([name])), ...pairs, ...allButOne, new Set(clusters)];
}
