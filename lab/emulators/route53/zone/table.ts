import { parentOf } from './names.ts';
import { compareRecords, type RecordKey, type RecordSet, sameKey } from './record.ts';

/** The records of a zone at one moment, for readers; DNS answers from the table that was published. */
export type RecordTable = Omit<RecordDraft, 'put' | 'remove'>;

/** A table that is being changed: a batch works on a copy of its own, so that a refused batch leaves no trace. */
export class RecordDraft {
  readonly #byName: Map<string, readonly RecordSet[]>;
  #sorted: readonly RecordSet[] | undefined;
  #names: ReadonlySet<string> | undefined;

  constructor(byName: ReadonlyMap<string, readonly RecordSet[]> = new Map()) {
    this.#byName = new Map(byName);
  }

  copy(): RecordDraft {
    return new RecordDraft(this.#byName);
  }

  atName(name: string): readonly RecordSet[] {
    return this.#byName.get(name) ?? [];
  }

  group(name: string, type: string): readonly RecordSet[] {
    return this.atName(name).filter((record) => record.type === type);
  }

  find(key: RecordKey): RecordSet | undefined {
    return this.atName(key.name).find((record) => sameKey(record, key));
  }

  /** All records in the API's listing order. */
  all(): readonly RecordSet[] {
    this.#sorted ??= [...this.#byName.values()].flat().toSorted(compareRecords);
    return this.#sorted;
  }

  /** True for a name that has records, or that is above a name with records (an empty non-terminal, RFC 8020). */
  nameExists(name: string): boolean {
    this.#names ??= namesAndAncestors(this.#byName.keys());
    return this.#names.has(name);
  }

  put(record: RecordSet): void {
    const others = this.atName(record.name).filter((other) => !sameKey(other, record));
    this.#replace(record.name, [...others, record]);
  }

  remove(key: RecordKey): void {
    this.#replace(
      key.name,
      this.atName(key.name).filter((other) => !sameKey(other, key)),
    );
  }

  #replace(name: string, records: readonly RecordSet[]): void {
    if (records.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, records);
    this.#sorted = undefined;
    this.#names = undefined;
  }
}

function namesAndAncestors(names: Iterable<string>): ReadonlySet<string> {
  const result = new Set<string>();
  for (const name of names) {
    for (let at: string | undefined = name; at !== undefined && !result.has(at); at = parentOf(at)) result.add(at);
  }
  return result;
}
