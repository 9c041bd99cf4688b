import { formatLocation, groupKey, type RecordSet } from '../../../answers/record.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import { isBelowRegistry } from '../records/registry.ts';
import { type ClusterOf, knownCluster, NotPossible, type RecordAnswers, weighted } from './answers.ts';
import { type EntryAnswers, serverTypes, ttlNotes, type ZoneEntry, type ZoneFile } from './zone-file.ts';

/**
 * The records of a zone of Route 53, whoever made them, as an import reads them. Written from Route 53's documentation of routing: a
 * weight of 0 answers when nothing else of its group is healthy, a secondary when the primary is not, an alias as the records that it names. What
 * depends on more than country and health (latency, distance, client networks, parts of countries) is no policy, and is refused by its name.
 */
export function zoneOfRecords(zone: string, records: readonly RecordSet[]): ZoneFile {
  const groups = Map.groupBy(
    records.filter(({ name }) => !isBelowRegistry(zone, name) && (name === zone || name.endsWith(`.${zone}`))),
    groupKey,
  );
  const read = new Reader(new Map(groups));
  return { entries: [...groups.values()].flatMap((group) => entryOf(group, zone, read) ?? []) };
}

const addressTypes: readonly string[] = ['A', 'AAAA'];

function entryOf(group: readonly RecordSet[], zone: string, reader: Reader): ZoneEntry | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const { type } = first;
  const name = first.name === zone ? '' : first.name.slice(0, -zone.length - 1);
  const texts = group.flatMap(({ target }) => (target.kind === 'values' ? target.values : []));
  if (type === 'TXT') return { name, type, texts };
  if (serverTypes.includes(type)) {
    const leadsTo = texts.map((text) => (text.split(' ').at(-1) ?? '').toLowerCase().replace(/\.$/, ''));
    return { name, type, leadsTo };
  }
  if (!addressTypes.includes(type)) return { name, type };
  // No host has an underscore: such names are made by tools for other records.
  const ours = group.some(({ target }) => target.kind === 'alias' && isBelowRegistry(zone, target.name));
  if (ours) return { name, type, partOf: 'Tideline answers it already' };
  if (name.startsWith('_')) return { name, type, partOf: 'a name for other records, which no client asks for' };
  return { name, type, read: (clusterOf) => reader.read(group, clusterOf) };
}

/** Clusters with their shares of 1, tried one step after the other. */
type Steps = readonly ReadonlyMap<string, number>[];
type Rule = TrafficPolicy['spec']['rules'][number];
type Answer = TrafficPolicy['spec']['default'];

/** An alias may lead to an alias: so far, as Route 53 itself allows it in a tree. */
const deepest = 32;

/** What is gathered on the way through the records of one host. */
interface Gathered {
  readonly clusterOf: ClusterOf;
  readonly notes: Set<string>;
  readonly addresses: Set<string>;
  readonly ttls: Set<number>;
  checked: boolean;
}

class Reader {
  readonly #groups: ReadonlyMap<string, readonly RecordSet[]>;

  constructor(groups: ReadonlyMap<string, readonly RecordSet[]>) {
    this.#groups = groups;
  }

  read(group: readonly RecordSet[], clusterOf: ClusterOf): EntryAnswers {
    const gathered: Gathered = { clusterOf, notes: new Set(), addresses: new Set(), ttls: new Set(), checked: false };
    const answers = this.#answers(group, gathered, 0);
    return {
      ...answers,
      notes: [...gathered.notes, ...ttlNotes(group[0]?.type ?? '', gathered.ttls)],
      ttlSeconds: Math.min(...gathered.ttls),
      addresses: [...gathered.addresses],
      checked: gathered.checked,
    };
  }

  /** The answers of a name; only here may they differ by country or state. */
  #answers(group: readonly RecordSet[], gathered: Gathered, depth: number): Omit<RecordAnswers, 'notes'> {
    const [first] = group;
    if (first?.routing?.kind === 'geo' || group.some(isPartOfCountry)) return this.#byLocation(group, gathered, depth);
    if (group.length === 1 && first?.routing === undefined && first?.target.kind === 'alias')
      return this.#answers(this.#aliased(first, depth), gathered, depth + 1);
    return { rules: [], default: this.#answerOf(this.#steps(group, gathered, depth), gathered) };
  }

  #byLocation(group: readonly RecordSet[], gathered: Gathered, depth: number): Omit<RecordAnswers, 'notes'> {
    const rules: Rule[] = [];
    let fallback: Answer | undefined;
    for (const record of group) {
      if (record.routing?.kind !== 'geo') throw new NotPossible(whyOther(record));
      const { location } = record.routing;
      const answer = this.#answerOf(this.#member(record, gathered, depth), gathered);
      if (location === '*') fallback = answer;
      else if ('continent' in location) rules.push({ countries: [], continents: [location.continent], ...answer });
      else rules.push({ countries: [formatLocation(location)], continents: [], ...answer });
    }
    if (fallback === undefined)
      throw new NotPossible(
        'it has no default location, so that users elsewhere get no answer, which a policy always gives',
      );
    return { rules: joined(rules), default: fallback };
  }

  #steps(group: readonly RecordSet[], gathered: Gathered, depth: number): Steps {
    const [first] = group;
    const odd = group.find(({ routing }) => routing?.kind === 'other');
    if (odd !== undefined) return this.#others(group, odd, gathered);
    switch (first?.routing?.kind) {
      case undefined:
        return first === undefined ? [] : this.#member(first, gathered, depth);
      case 'weighted':
        return this.#weighted(group, gathered, depth);
      case 'failover':
        return this.#failover(group, gathered, depth);
      default:
        throw new NotPossible('its answers differ by country below other records, which is more than one rule can say');
    }
  }

  /** What one record of a group answers while it is healthy, and after that. */
  #member(record: RecordSet, gathered: Gathered, depth: number): Steps {
    const { target, healthCheck } = record;
    if (healthCheck !== undefined) gathered.checked = true;
    if (target.kind === 'alias') return this.#steps(this.#aliased(record, depth), gathered, depth + 1);
    gathered.ttls.add(target.ttlSeconds);
    return [this.#evenly(target.values, gathered)];
  }

  #evenly(values: readonly string[], gathered: Gathered): ReadonlyMap<string, number> {
    const { notes, addresses, clusterOf } = gathered;
    for (const value of values) addresses.add(value);
    if (values.length > 1)
      notes.add(
        `today answers hold ${values.length} addresses at once and clients try the next one; a policy answers with one cluster at a time`,
      );
    return merged(values.map((value) => [new Map([[knownCluster(value, clusterOf), 1]]), 1 / values.length]));
  }

  #aliased({ name, type, target }: RecordSet, depth: number): readonly RecordSet[] {
    const to = target.kind === 'alias' ? target.name : name;
    const group =
      target.kind === 'alias' && target.zoneId === undefined
        ? this.#groups.get(groupKey({ name: to, type }))
        : undefined;
    if (group === undefined) throw new NotPossible(`it is an alias of ${to}, which is no record of this zone`);
    if (depth >= deepest) throw new NotPossible(`its aliases lead in a circle or too far, over ${to}`);
    return group;
  }

  #weighted(group: readonly RecordSet[], gathered: Gathered, depth: number): Steps {
    const members = group.map((record) => ({
      weight: record.routing?.kind === 'weighted' ? record.routing.weight : 0,
      steps: this.#member(record, gathered, depth),
      isChecked: record.healthCheck !== undefined || (record.target.kind === 'alias' && record.target.evaluateHealth),
    }));
    // When every weight is 0 all records are used alike.
    const some = members.filter(({ weight }) => weight > 0);
    const first = some.length === 0 ? members.map((one) => ({ ...one, weight: 1 })) : some;
    if (members.length > 1 && first.some(({ isChecked }) => !isChecked))
      gathered.notes.add(
        'records without a health check are never taken out today; the policy obeys the health of clusters',
      );
    const rest =
      some.length === 0 ? [] : members.filter(({ weight }) => weight === 0).map((one) => ({ ...one, weight: 1 }));
    return [...together(first), ...(rest.length === 0 ? [] : together(rest))];
  }

  #failover(group: readonly RecordSet[], gathered: Gathered, depth: number): Steps {
    const of = (role: string) => group.find(({ routing }) => routing?.kind === 'failover' && routing.role === role);
    const [primary, secondary] = [of('PRIMARY'), of('SECONDARY')];
    if (primary === undefined) throw new NotPossible('it has a SECONDARY and no PRIMARY record');
    const watched =
      primary.healthCheck !== undefined || (primary.target.kind === 'alias' && primary.target.evaluateHealth);
    if (!watched) gathered.notes.add('its PRIMARY has no health check and never fails over today; the policy does');
    return [
      ...this.#member(primary, gathered, depth),
      ...(secondary === undefined ? [] : this.#member(secondary, gathered, depth)),
    ];
  }

  /** Multivalue answers are what a policy can say nearly; the other routings are not. */
  #others(group: readonly RecordSet[], odd: RecordSet, gathered: Gathered): Steps {
    const isMultivalue = ({ routing }: RecordSet): boolean =>
      routing?.kind === 'other' && routing.description === 'multivalue';
    if (!group.every(isMultivalue)) throw new NotPossible(whyOther(odd));
    for (const { target, healthCheck } of group) {
      if (healthCheck !== undefined) gathered.checked = true;
      if (target.kind === 'values') gathered.ttls.add(target.ttlSeconds);
    }
    return [
      this.#evenly(
        group.flatMap(({ target }) => (target.kind === 'values' ? target.values : [])),
        gathered,
      ),
    ];
  }

  #answerOf(steps: Steps, { notes }: Gathered): Answer {
    const [first, ...rest] = steps;
    if (first === undefined || first.size === 0) throw new NotPossible('it has no address');
    const seen = new Set(first.keys());
    const failover = rest.flatMap((step) => {
      const fresh = [...step].filter(([cluster]) => !seen.has(cluster)).sort(([, a], [, b]) => b - a);
      if (fresh.length > 1) notes.add('as later choices its clusters are tried one after the other, not by weight');
      for (const [cluster] of fresh) seen.add(cluster);
      return fresh.map(([cluster]) => cluster);
    });
    const { clusters, isExact } = weighted(first);
    if (!isExact) notes.add('the shares differ slightly, weights of a policy go up to 255');
    return { clusters, failover };
  }
}

/** The members of a group by their weights; those with later choices only alone, because a policy has one order for all. */
function together(members: readonly { readonly weight: number; readonly steps: Steps }[]): Steps {
  const [only] = members;
  if (members.length === 1 && only !== undefined) return only.steps;
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  const tails = new Set(members.map(({ steps }) => JSON.stringify(steps.slice(1).map((step) => [...step]))));
  if (tails.size > 1)
    throw new NotPossible(
      'its weighted records have different choices after the first, and a policy has one order of later choices',
    );
  return [
    merged(members.map(({ weight, steps: [first = new Map<string, number>()] }) => [first, weight / sum])),
    ...(only?.steps.slice(1) ?? []),
  ];
}

function merged(parts: readonly (readonly [ReadonlyMap<string, number>, number])[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const [part, share] of parts)
    for (const [cluster, weight] of part) shares.set(cluster, (shares.get(cluster) ?? 0) + weight * share);
  return shares;
}

/** Rules with the same answer as one, in the order of the first. */
function joined(rules: readonly Rule[]): readonly Rule[] {
  const groups = Map.groupBy(rules, ({ clusters, failover }) => JSON.stringify([clusters, failover]));
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const countries = same.flatMap((rule) => rule.countries);
    return [{ ...first, countries, continents: same.flatMap((rule) => rule.continents) }];
  });
}

function isPartOfCountry({ routing }: RecordSet): boolean {
  return routing?.kind === 'other' && routing.description.startsWith('geo=');
}

const whys: readonly (readonly [RegExp, string])[] = [
  [/^geo=(.*)/, 'of the parts of countries a policy knows only the states of the US'],
  [/^latency=(.*)/, 'a policy says who answers which country, and not who is nearest by measured latency'],
  [/^client network=(.*)/, 'a policy knows countries, no client networks'],
  [/^distance=(.*)/, 'a policy says who answers which country, and not who is near'],
  [/^traffic policy instance=(.*)/, 'a traffic policy of Route 53 manages it: delete its instance first'],
];

function whyOther({ routing }: RecordSet): string {
  if (routing?.kind !== 'other') return 'its records have different kinds of routing';
  const why = whys.find(([pattern]) => pattern.test(routing.description))?.[1] ?? 'that routing is not known';
  return `${routing.description}: ${why}`;
}
