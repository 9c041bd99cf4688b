import { maxLevels } from '../../../../answers/interpreter.ts';
import { formatRecord, groupKey, type RecordSet } from '../../../../answers/record.ts';
import { countedBy } from './counts.ts';

/**
 * What the answers of a name and type depend on: all records that a query can reach, without their names. Two names of the same
 * `id` have the same answers whenever the same of their checks, by label, fail.
 */
export interface Shape {
  readonly id: string;
  /** Keys of the health checks on the way, by a label that does not depend on the policy: the address that the record gives. */
  readonly checks: ReadonlyMap<string, string>;
  /** The states and networks that records on the way name, sorted: users of all others have the answer of their country. */
  readonly apart: readonly string[];
}

/** The shapes of records that are read together; names with the same records below them have equal identifiers. */
export class Shapes {
  readonly #groups: ReadonlyMap<string, readonly RecordSet[]>;
  readonly #known = new Map<string, Part>();
  readonly #shapes = new Map<string, Shape>();
  /** Short identifiers of contents, so that a content does not hold the whole text of what is below it. */
  readonly #ids = new Map<string, string>();

  constructor(groups: ReadonlyMap<string, readonly RecordSet[]>) {
    this.#groups = groups;
  }

  of(question: { readonly name: string; readonly type: string }): Shape {
    const key = groupKey(question);
    const shape = this.#shapes.get(key) ?? this.#shapeOf(key);
    this.#shapes.set(key, shape);
    return shape;
  }

  /** Where names lead too deep, or one label stands for two checks, the answers depend on more than the content. */
  #shapeOf(key: string): Shape {
    const { id, checks, levels, apart } = this.#partOf(key, 1);
    return levels > maxLevels || checks === undefined
      ? { id: key, checks: this.#rawChecks(key), apart }
      : { id, checks, apart };
  }

  #partOf(key: string, depth: number): Part {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (depth > maxLevels) return { id: key, checks: undefined, levels: maxLevels + 1, apart: [] };
    const records = this.#groups.get(key) ?? [];
    const below = records.map(({ target, type }) =>
      target.kind === 'alias' ? this.#partOf(groupKey({ name: target.name, type }), depth + 1) : undefined,
    );
    const content = records.map((record, index) => contentOf(this.#labelled(record), below[index]?.id)).join('\n');
    const parts = [...new Set(below)].filter((one) => one !== undefined);
    const part: Part = {
      id: this.#idOf(content),
      checks: merge([
        ...records.filter((record) => !this.#counts(record)).map(ownCheck),
        ...parts.map(({ checks }) => checks),
      ]),
      levels: 1 + Math.max(0, ...parts.map(({ levels }) => levels)),
      apart: [...new Set([...records.flatMap(apartIn), ...parts.flatMap(({ apart }) => apart)])].sort(),
    };
    // Deeper down it may be cut off where it is not here.
    if (depth + part.levels <= maxLevels + 1) this.#known.set(key, part);
    return part;
  }

  /** Whether the check of a record only counts those of the records below it, which are told apart anyway. */
  #counts(record: RecordSet): boolean {
    return countedBy(record, this.#groups) !== undefined;
  }

  /** The record with its check by a label, which does not depend on the policy. */
  #labelled(record: RecordSet): RecordSet {
    const count = countedBy(record, this.#groups);
    const [label] = count === undefined ? ownCheck(record).keys() : [`at least ${count.atLeast}`];
    return { ...record, ...(label === undefined ? {} : { healthCheck: label }) };
  }

  #idOf(content: string): string {
    const id = this.#ids.get(content) ?? `#${this.#ids.size}`;
    this.#ids.set(content, id);
    return id;
  }

  /** Every check that a query for this name could depend on, by key. */
  #rawChecks(root: string): ReadonlyMap<string, string> {
    const checks = new Map<string, string>();
    const reached = new Set([root]);
    for (const key of reached) {
      for (const { healthCheck, target, type } of this.#groups.get(key) ?? []) {
        if (healthCheck !== undefined) checks.set(healthCheck, healthCheck);
        if (target.kind === 'alias') reached.add(groupKey({ name: target.name, type }));
      }
    }
    return checks;
  }
}

interface Part {
  readonly id: string;
  /** Undefined where one label stands for two checks. */
  readonly checks: ReadonlyMap<string, string> | undefined;
  /** How many names a query passes from here, this one included. */
  readonly levels: number;
  readonly apart: readonly string[];
}

function apartIn({ routing }: RecordSet): readonly string[] {
  if (routing?.kind === 'networks') return routing.networks;
  if (routing?.kind !== 'geo' || typeof routing.location === 'string' || !('state' in routing.location)) return [];
  return [routing.location.state];
}

/** A record as text without its name, with the identifier of what its alias leads to. */
function contentOf(record: RecordSet, below: string | undefined): string {
  const { target } = record;
  return formatRecord({
    ...record,
    name: '',
    target: target.kind === 'alias' && below !== undefined ? { ...target, name: below } : target,
  });
}

function ownCheck({ healthCheck, target }: RecordSet): ReadonlyMap<string, string> {
  if (healthCheck === undefined) return new Map();
  return new Map([[target.kind === 'values' ? `of ${target.values.join(' ')}` : healthCheck, healthCheck]]);
}

/** All labels with their checks; undefined when a label stands for two. */
function merge(parts: readonly (ReadonlyMap<string, string> | undefined)[]): ReadonlyMap<string, string> | undefined {
  const all = new Map<string, string>();
  for (const part of parts) {
    if (part === undefined) return undefined;
    for (const [label, key] of part) {
      if ((all.get(label) ?? key) !== key) return undefined;
      all.set(label, key);
    }
  }
  return all;
}
