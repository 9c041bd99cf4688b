import { compareKeys } from '../../../model/values.ts';

/** JSON with sorted keys, two spaces deep, and a line feed at its end: equal values have equal bytes. Every YAML reader takes it as well. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

/** The same value with the keys of every map in order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .toSorted(compareKeys)
      .map(([key, part]) => [key, sorted(part)]),
  );
}
