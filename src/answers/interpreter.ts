import { continentOf } from '../model/geo/countries.ts';
import { isNetwork, networkHolding } from '../model/geo/networks.ts';
import { countryOfPlace } from '../model/geo/states.ts';
import type { Distribution } from './distribution.ts';
import { formatLocation, groupKey, type RecordSet } from './record.ts';

/** Names that one query may pass, the queried one included: "up to three levels of recursion" in Route 53's documentation. */
export const maxLevels = 3;

/**
 * Route 53's reading of a record tree, written from its documentation and independent of how trees are compiled:
 * - geolocation: the most specific healthy location; if none is healthy, the most specific one;
 * - networks: the location that holds the client's network, if its record is healthy, else `*`;
 * - weighted: by weight among the healthy records with a weight; else evenly among the healthy ones of weight 0; if none is
 *   healthy, as if all were;
 * - failover: the primary if healthy, else the secondary if healthy, else the primary;
 * - a record is healthy when its check is, and, for an alias that evaluates health, when any record of its target is.
 */
export class Interpreter {
  readonly #groups: Groups;

  constructor(records: readonly RecordSet[]) {
    this.#groups = new Map([...Map.groupBy(records, groupKey)].map(([key, group]) => [key, indexGroup(group)]));
  }

  /** The answers to one question while `isHealthy` says of each health check, by key, whether it succeeds. */
  query(question: { readonly name: string; readonly type: string }, isHealthy: (key: string) => boolean): View {
    return new View(this.#groups, groupKey(question), question.type, isHealthy);
  }
}

interface Group {
  readonly records: readonly RecordSet[];
  /** Geolocation records by `formatLocation`, and those for networks by each network, with `*`. Empty where all places are answered alike. */
  readonly byLocation: ReadonlyMap<string, RecordSet>;
  /** What `matching` found, by place. */
  readonly matching: Map<string, readonly RecordSet[]>;
}
type Groups = ReadonlyMap<string, Group>;

const emptyGroup: Group = { records: [], byLocation: new Map(), matching: new Map() };

function indexGroup(records: readonly RecordSet[]): Group {
  const byLocation = new Map<string, RecordSet>();
  for (const record of records) {
    const { routing } = record;
    if (routing?.kind === 'geo') byLocation.set(formatLocation(routing.location), record);
    if (routing?.kind !== 'networks') continue;
    for (const place of routing.location === '*' ? ['*'] : routing.networks) byLocation.set(place, record);
  }
  return { records, byLocation, matching: new Map() };
}

/** The answers to one question in one state of health; it caches those that do not depend on the country. */
class View {
  readonly #groups: Groups;
  readonly #root: string;
  readonly #type: string;
  readonly #isHealthy: (key: string) => boolean;
  readonly #answers = new Map<string, Distribution>();
  readonly #health = new Map<string, boolean>();

  constructor(groups: Groups, root: string, type: string, isHealthy: (key: string) => boolean) {
    this.#groups = groups;
    this.#root = root;
    this.#type = type;
    this.#isHealthy = isHealthy;
  }

  /** The answer for the code of a country or state; undefined is a user of unknown location. */
  answer(country: string | undefined): Distribution {
    return this.#resolve(this.#root, country, 1).answer;
  }

  /** The records that decide for a country, outermost first, as `explain` shows them. */
  trace(country: string | undefined): readonly RecordSet[] {
    const path: RecordSet[] = [];
    let level = [this.#root];
    for (let depth = 1; depth <= maxLevels && level.length > 0; depth += 1) {
      const chosen = level.flatMap((key) =>
        this.#choose(this.#groups.get(key) ?? emptyGroup, country).map(([record]) => record),
      );
      path.push(...chosen);
      level = [
        ...new Set(chosen.flatMap(({ target }) => (target.kind === 'alias' ? [`${target.name} ${this.#type}`] : []))),
      ];
    }
    return path;
  }

  #resolve(
    key: string,
    country: string | undefined,
    depth: number,
  ): { readonly answer: Distribution; readonly geo: boolean } {
    const known = this.#answers.get(key);
    if (known !== undefined) return { answer: known, geo: false };
    if (depth > maxLevels) return { answer: new Map(), geo: true };
    const group = this.#groups.get(key) ?? emptyGroup;
    let geo = group.byLocation.size > 0;
    const chosen = this.#choose(group, country);
    const [only] = chosen;
    if (only !== undefined && chosen.length === 1 && only[0].target.kind === 'alias') {
      const below = this.#resolve(`${only[0].target.name} ${this.#type}`, country, depth + 1);
      if (!geo && !below.geo) this.#answers.set(key, below.answer);
      return { answer: below.answer, geo: geo || below.geo };
    }
    const answer = new Map<string, number>();
    for (const [record, share] of chosen) {
      if (record.target.kind === 'values') {
        const { values } = record.target;
        for (const value of values) answer.set(value, (answer.get(value) ?? 0) + share / values.length);
        continue;
      }
      const below = this.#resolve(`${record.target.name} ${this.#type}`, country, depth + 1);
      geo ||= below.geo;
      for (const [value, part] of below.answer) answer.set(value, (answer.get(value) ?? 0) + share * part);
    }
    if (!geo) this.#answers.set(key, answer);
    return { answer, geo };
  }

  #choose(group: Group, country: string | undefined): readonly (readonly [RecordSet, number])[] {
    const { records } = group;
    const kind = records[0]?.routing?.kind;
    const one = (record: RecordSet | undefined): readonly (readonly [RecordSet, number])[] =>
      record === undefined ? [] : [[record, 1]];
    if (kind === 'geo' || kind === 'networks') {
      const candidates = matching(group, country);
      return one(candidates.find((record) => this.#healthy(record)) ?? candidates[0]);
    }
    if (kind === 'failover') {
      const byRole = (role: string): RecordSet | undefined =>
        records.find(({ routing }) => routing?.kind === 'failover' && routing.role === role);
      const [primary, secondary] = [byRole('PRIMARY'), byRole('SECONDARY')];
      return one([primary, secondary].find((record) => record !== undefined && this.#healthy(record)) ?? primary);
    }
    if (kind === 'weighted') return this.#chooseByWeight(records);
    return one(records[0]);
  }

  #chooseByWeight(records: readonly RecordSet[]): readonly (readonly [RecordSet, number])[] {
    const healthy = records.filter((record) => this.#healthy(record));
    const considered = healthy.length > 0 ? healthy : records;
    const total = considered.reduce((sum, record) => sum + weightOf(record), 0);
    if (total === 0) return considered.map((record) => [record, 1 / considered.length]);
    return considered.filter((record) => weightOf(record) > 0).map((record) => [record, weightOf(record) / total]);
  }

  #healthy(record: RecordSet): boolean {
    if (record.healthCheck !== undefined && !this.#isHealthy(record.healthCheck)) return false;
    const { target } = record;
    if (target.kind === 'values' || !target.evaluateHealth) return true;
    const key = `${target.name} ${this.#type}`;
    const known = this.#health.get(key);
    if (known !== undefined) return known;
    const healthy = (this.#groups.get(key) ?? emptyGroup).records.some((member) => this.#healthy(member));
    this.#health.set(key, healthy);
    return healthy;
  }
}

function weightOf(record: RecordSet): number {
  return record.routing?.kind === 'weighted' ? record.routing.weight : 0;
}

/** The records that match, most specific first: of the network, the state, the country, the continent, and everywhere else. */
function matching(group: Group, place: string | undefined): readonly RecordSet[] {
  const known = group.matching.get(place ?? '');
  if (known !== undefined) return known;
  const country = place === undefined ? '' : countryOfPlace(place);
  const network = place !== undefined && isNetwork(place) ? networkIn(group, place) : undefined;
  const locations = new Set([network ?? place ?? '', country, `continent ${continentOf(country) ?? ''}`, '*']);
  const found = [...locations].flatMap((location) => group.byLocation.get(location) ?? []);
  group.matching.set(place ?? '', found);
  return found;
}

/** The network of a record that holds this one, mostly itself. */
function networkIn({ byLocation }: Group, network: string): string | undefined {
  return byLocation.has(network) ? network : networkHolding([...byLocation.keys()].filter(isNetwork), network);
}
