import { continentOf } from '../../model/geo/countries.ts';
import { groupKey, type Location, type RecordSet, route53Limits } from './record.ts';

/** Who gets which answer: the probability of each value; empty when there is no answer at all. */
export type Distribution = ReadonlyMap<string, number>;

/**
 * Route 53's reading of a record tree, written from its documentation and independent of how trees are compiled:
 * - geolocation: the most specific healthy location; if none is healthy, the most specific one;
 * - weighted: by weight among the healthy records with a weight; else evenly among the healthy ones of weight 0; if none is
 *   healthy, as if all were;
 * - failover: the primary if healthy, else the secondary if healthy, else the primary;
 * - a record is healthy when its check is, and, for an alias that evaluates health, when any record of its target is.
 */
export class Interpreter {
  readonly #groups: ReadonlyMap<string, readonly RecordSet[]>;

  constructor(records: readonly RecordSet[]) {
    this.#groups = Map.groupBy(records, groupKey);
  }

  /** `isHealthy` is asked by health check key. An undefined country is a user of unknown location. */
  query(question: { readonly name: string; readonly type: string }, isHealthy: (key: string) => boolean): View {
    return new View(this.#groups, groupKey(question), question.type, isHealthy);
  }
}

/** One question under one state of health; remembers what does not depend on the country. */
class View {
  readonly #groups: ReadonlyMap<string, readonly RecordSet[]>;
  readonly #root: string;
  readonly #type: string;
  readonly #isHealthy: (key: string) => boolean;
  readonly #answers = new Map<string, Distribution>();
  readonly #health = new Map<string, boolean>();

  constructor(
    groups: ReadonlyMap<string, readonly RecordSet[]>,
    root: string,
    type: string,
    isHealthy: (key: string) => boolean,
  ) {
    this.#groups = groups;
    this.#root = root;
    this.#type = type;
    this.#isHealthy = isHealthy;
  }

  answer(country: string | undefined): Distribution {
    return this.#resolve(this.#root, country, 1).answer;
  }

  /** The records that decide for a country, outermost first: what `explain` shows. */
  trace(country: string | undefined): readonly RecordSet[] {
    const path: RecordSet[] = [];
    let level = [this.#root];
    for (let depth = 1; depth <= route53Limits.levels && level.length > 0; depth += 1) {
      const chosen = level.flatMap((key) =>
        this.#choose(this.#groups.get(key) ?? [], country).map(([record]) => record),
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
    if (depth > route53Limits.levels) return { answer: new Map(), geo: true };
    const records = this.#groups.get(key) ?? [];
    let geo = records.some((record) => record.routing?.kind === 'geo');
    const answer = new Map<string, number>();
    for (const [record, share] of this.#choose(records, country)) {
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

  #choose(records: readonly RecordSet[], country: string | undefined): readonly (readonly [RecordSet, number])[] {
    const kind = records[0]?.routing?.kind;
    const one = (record: RecordSet | undefined): readonly (readonly [RecordSet, number])[] =>
      record === undefined ? [] : [[record, 1]];
    if (kind === 'geo') {
      const candidates = matching(records, country);
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
    const healthy = (this.#groups.get(key) ?? []).some((member) => this.#healthy(member));
    this.#health.set(key, healthy);
    return healthy;
  }
}

function weightOf(record: RecordSet): number {
  return record.routing?.kind === 'weighted' ? record.routing.weight : 0;
}

/** The geolocation records that match, most specific first. */
function matching(records: readonly RecordSet[], country: string | undefined): readonly RecordSet[] {
  const continent = country === undefined ? undefined : continentOf(country);
  const wanted: readonly ((location: Location) => boolean)[] = [
    (location) => location !== '*' && 'country' in location && location.country === country,
    (location) => location !== '*' && 'continent' in location && location.continent === continent,
    (location) => location === '*',
  ];
  return wanted.flatMap((matches) =>
    records.filter(({ routing }) => routing?.kind === 'geo' && matches(routing.location)).slice(0, 1),
  );
}
