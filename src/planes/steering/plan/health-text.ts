import { compareText } from '../../../model/values.ts';
import { leastOf } from '../compile/entries.ts';
import type { PresentHealth } from './present.ts';

/**
 * What a plan says of the health now: who is down and who says so, of whom it is not known, and which clusters have too few addresses left to
 * be a first choice; nothing while all is known to be well.
 */
export function renderHealth(health: readonly PresentHealth[]): readonly string[] {
  const down = health.filter(({ healthy }) => healthy === false);
  const unknown = health.filter(({ healthy }) => healthy === undefined);
  return [
    ...lines(down, ({ seenBy }) =>
      seenBy === 'provider' ? "down, say the provider's checks" : 'down, as seen from this machine',
    ),
    ...lines(unknown, () => 'not known to be healthy or down'),
    ...tooFew(health),
  ];
}

/** The same where no answer changes, so that a person sees in what the zone is as wanted: one line also while all is well. */
export function renderWholeHealth(health: readonly PresentHealth[]): readonly string[] {
  const said = renderHealth(health);
  if (said.length > 0 || health.length === 0) return said;
  const count = new Set(health.map(({ address }) => address)).size;
  const who = health.every(({ seenBy }) => seenBy === 'provider') ? "say the provider's checks" : 'as far as is seen';
  return [`  health now: ${count === 1 ? 'the one address is' : `all ${count} addresses are`} healthy, ${who}`];
}

/** One line for each thing that is said, with the addresses of which it is said, by cluster. */
function lines(entries: readonly PresentHealth[], sayOf: (entry: PresentHealth) => string): readonly string[] {
  return [...Map.groupBy(entries, sayOf)].map(([what, some]) => {
    const count = new Set(some.map(({ address }) => address)).size;
    const names = [...Map.groupBy(some, ({ cluster }) => cluster)].map(
      ([cluster, of]) => `${cluster} (${[...new Set(of.map(({ address }) => address))].join(', ')})`,
    );
    const shown = names.length > 8 ? [...names.slice(0, 8), `${names.length - 8} more`] : names;
    const counts = what.startsWith('not known') ? `; ${count === 1 ? 'it counts' : 'they count'} as healthy here` : '';
    return `  health now: ${shown.join(', ')} ${count === 1 ? 'is' : 'are'} ${what}${counts}`;
  });
}

/** Clusters of which fewer addresses of a family answer than a first choice needs. What is not known counts as healthy, as in plans. */
function tooFew(health: readonly PresentHealth[]): readonly string[] {
  const families = Map.groupBy(health, ({ cluster, address }) => `${cluster} over IPv${address.includes(':') ? 6 : 4}`);
  return [...families]
    .toSorted(([a], [b]) => compareText(a, b))
    .flatMap(([what, some]) => {
      const addresses = [...new Map(some.map((entry) => [entry.address, entry])).values()];
      const answering = addresses.filter(({ healthy }) => healthy !== false).length;
      const needed = leastOf(addresses);
      if (answering === 0 || answering >= needed) return [];
      const verb = answering === 1 ? 'answers' : 'answer';
      return `  health now: ${what} is no first choice: ${answering} of ${addresses.length} addresses ${verb}, and ${needed} are needed`;
    });
}
