import { countries } from '../../../model/geo/countries.ts';
import { entryAddresses } from '../../../model/spec/lookup.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { answersFor } from '../policy/answers.ts';
import { type Distribution, Interpreter } from '../records/interpreter.ts';
import { readLua } from '../records/lua.ts';
import type { RecordSet } from '../records/record.ts';
import { formatShares, sumByCluster } from '../records/verify.ts';

/** What changes for the users of one host while everything is healthy. */
export interface HostImpact {
  readonly host: string;
  /** Share of all traffic, 0..1, that another cluster answers after the plan; every country counts the same. */
  readonly movedShare: number;
  /** Countries with the same before and after, those that change first, then by number of countries. */
  readonly groups: readonly ImpactGroup[];
}

interface ImpactGroup {
  readonly before: string;
  readonly after: string;
  readonly countries: readonly string[];
  readonly movedShare: number;
}

/** Compares what two sets of records answer for a host. A host that had no answer moves nothing; one that loses it, all. */
export function impactOf(
  platform: Platform,
  host: string,
  before: readonly RecordSet[],
  after: readonly RecordSet[],
): HostImpact {
  const clusterOf = new Map(
    [...platform.clusters.keys()].flatMap((name) =>
      entryAddresses(platform, name).map((address) => [address.text, name] as const),
    ),
  );
  const readers = {
    before: answersByCountry(before, host, clusterOf),
    after: answersByCountry(after, host, clusterOf),
  };
  const groups = new Map<string, { before: string; after: string; countries: string[]; moved: number }>();
  for (const { code } of countries) {
    const [old, next] = [readers.before(code), readers.after(code)];
    const texts = { before: formatShares(old), after: formatShares(next) };
    const key = `${texts.before} > ${texts.after}`;
    const group = groups.get(key) ?? { ...texts, countries: [], moved: 0 };
    group.countries.push(code);
    group.moved += distance(old, next) / countries.length;
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.moved - a.moved || b.countries.length - a.countries.length);
  return {
    host,
    movedShare: sorted.reduce((sum, group) => sum + group.moved, 0),
    groups: sorted.map(({ moved, ...group }) => ({ ...group, movedShare: moved })),
  };
}

/** Half the sum of the differences: the share of users who get another answer. */
function distance(before: Distribution, after: Distribution): number {
  if (before.size === 0) return 0;
  if (after.size === 0) return 1;
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].reduce((sum, name) => sum + Math.abs((before.get(name) ?? 0) - (after.get(name) ?? 0)), 0) / 2;
}

function answersByCountry(
  records: readonly RecordSet[],
  host: string,
  clusterOf: ReadonlyMap<string, string>,
): (country: string) => Distribution {
  const lua = records.find((record) => record.name === host && record.type === 'LUA');
  if (lua?.target.kind === 'values') {
    const reading = readLua(lua.target.values[0] ?? '');
    if (reading === undefined) return () => new Map([['an unknown script', 1]]);
    return (country) => answersFor(reading.tiersOf(country), new Set());
  }
  const type = records.some((record) => record.name === host && record.type === 'A') ? 'A' : 'AAAA';
  const view = new Interpreter(records).query({ name: host, type }, () => true);
  return (country) => sumByCluster(view.answer(country), clusterOf);
}
