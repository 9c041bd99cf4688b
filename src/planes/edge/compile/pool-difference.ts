import { EdgePool } from '../../../model/spec/kinds.ts';

/**
 * The field in which the spec of an EdgePool object of a cluster differs from the pool in force; undefined when they say the
 * same, be it with defaults written out or not. An object that is not a valid EdgePool differs in the field that is not valid.
 */
export function differingField({ apiVersion, kind, metadata, spec }: EdgePool, object: unknown): string | undefined {
  const read = EdgePool.safeParse({ apiVersion, kind, metadata, spec: object });
  if (!read.success) return fieldText(read.error.issues[0]?.path ?? ['spec']);
  return difference(spec, read.data.spec, ['spec']);
}

function difference(a: unknown, b: unknown, path: readonly PropertyKey[]): string | undefined {
  if (a === b) return undefined;
  if (!isObject(a) || !isObject(b)) return fieldText(path);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inside = difference(a[key], b[key], [...path, Array.isArray(a) ? Number(key) : key]);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** `spec.vips[1].address`. An address is one value: its parts are not fields. */
function fieldText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '').replace(/\.address\.(family|text)$/, '.address');
}
