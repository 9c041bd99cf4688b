import type { RecordSet } from '../../../answers/record.ts';
import type { BatchLimits, Limits } from '../dialects/dialect.ts';

/** One change of a batch. */
export interface Change {
  readonly action: 'CREATE' | 'DELETE';
  readonly record: RecordSet;
}

/**
 * The size of records as Route 53 counts and dialects state their limits: an alias or a value is one element; only values have
 * characters.
 */
export function sizeOf(records: readonly RecordSet[]): BatchLimits {
  let elements = 0;
  let characters = 0;
  for (const { target } of records) {
    elements += target.kind === 'alias' ? 1 : target.values.length;
    if (target.kind === 'values') characters += target.values.reduce((sum, value) => sum + value.length, 0);
  }
  return { elements, characters };
}

/** What changes take of a batch. */
export function sizeOfChanges(changes: readonly Change[], { batch }: Pick<Limits, 'batch'>): BatchLimits {
  if (batch.deletions === 'counted') return sizeOf(changes.map(({ record }) => record));
  const created = sizeOf(changes.filter(({ action }) => action === 'CREATE').map(({ record }) => record));
  const deleted = changes.filter(({ action }) => action === 'DELETE').length;
  return { elements: created.elements + deleted, characters: created.characters };
}

export const fits = (size: BatchLimits, room: BatchLimits): boolean =>
  size.elements <= room.elements && size.characters <= room.characters;
