import { type Distribution, formatShares, movedBetween, sumByCluster } from '../../../answers/distribution.ts';
import { countries } from '../../../model/geo/countries.ts';
import { entryAddresses } from '../../../model/platform/entries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { Reading } from '../dialects/dialect.ts';

/** What changes for the users of one host while everything is healthy. */
export interface HostImpact {
  readonly host: string;
  /** Share of all traffic, 0..1, that another cluster answers after the plan; every country counts the same. */
  readonly movedShare: number;
  /**
   * Countries grouped by their answers before and after; groups that move more traffic come first, then those with more
   * countries.
   */
  readonly groups: readonly ImpactGroup[];
}

interface ImpactGroup {
  readonly before: string;
  readonly after: string;
  readonly countries: readonly string[];
  readonly movedShare: number;
}

/**
 * Compares what a host answers before and after, as the provider reads its records. A host that had no answer moves no traffic;
 * one that loses its answer moves all of it.
 */
export function impactOf(platform: Platform, host: string, before: Reading, after: Reading): HostImpact {
  const clusters = new Map(
    [...platform.clusters.keys()].flatMap((name) =>
      entryAddresses(platform, name).map((address) => [address.text, name] as const),
    ),
  );
  const readers = {
    before: answersByCountry(before, host, clusters),
    after: answersByCountry(after, host, clusters),
  };
  const groups = new Map<string, { before: string; after: string; countries: string[]; moved: number }>();
  for (const { code } of countries) {
    const [old, next] = [readers.before(code), readers.after(code)];
    const texts = { before: formatShares(old), after: formatShares(next) };
    const key = `${texts.before} > ${texts.after}`;
    const group = groups.get(key) ?? { ...texts, countries: [], moved: 0 };
    group.countries.push(code);
    group.moved += movedShareOf(old, next) / countries.length;
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.moved - a.moved || b.countries.length - a.countries.length);
  return {
    host,
    movedShare: sorted.reduce((sum, group) => sum + group.moved, 0),
    groups: sorted.map(({ moved, ...group }) => ({ ...group, movedShare: moved })),
  };
}

function movedShareOf(before: Distribution, after: Distribution): number {
  if (before.size === 0) return 0;
  return after.size === 0 ? 1 : movedBetween(before, after);
}

/** Shares by cluster. Records that name the cluster of an address count first; else the platform says whose address it is. */
function answersByCountry(
  reading: Reading,
  host: string,
  clusters: ReadonlyMap<string, string>,
): (country: string) => Distribution {
  const view = reading.view(host, reading.types(host)[0] ?? 'AAAA', []);
  const clusterOf = (address: string): string | undefined => view.clusterOf(address) ?? clusters.get(address);
  return (country) => sumByCluster(view.answer(country), clusterOf);
}
