import type { PresentHealth } from './present.ts';

/** What a plan says of the health now: who is down and who says so, and of whom it is not known; nothing while all is known to be well. */
export function renderHealth(health: readonly PresentHealth[]): readonly string[] {
  const down = health.filter(({ healthy }) => healthy === false);
  const unknown = health.filter(({ healthy }) => healthy === undefined);
  return [
    ...lines(down, ({ seenBy }) =>
      seenBy === 'provider' ? "is down, say the provider's checks" : 'is down, as seen from this machine',
    ),
    ...lines(unknown, () => 'is not known to be healthy or down; it counts as healthy here'),
  ];
}

/** One line for each thing that is said, with the entries of which it is said. */
function lines(entries: readonly PresentHealth[], sayOf: (entry: PresentHealth) => string): readonly string[] {
  return [...Map.groupBy(entries, sayOf)].map(([what, some]) => {
    const names = [...new Set(some.map(({ cluster, address }) => `${cluster} (${address})`))];
    const shown = names.length > 8 ? [...names.slice(0, 8), `${names.length - 8} more`] : names;
    return `  health now: ${shown.join(', ')} ${what}`;
  });
}
