import { compareKeys } from '../../model/values.ts';
/** The differences of two schemas as paths of fields, e.g. `spec.vips[].scope`, sorted. */
export interface SchemaDifference {
  /** The fields of the wanted schema only. */
  readonly lacking: readonly string[];
  /** The fields of the actual schema only. */
  readonly extra: readonly string[];
  /** The fields of both with other rules (type, bounds, default, CEL, ...). Descriptions are for people and do not count. */
  readonly different: readonly string[];
}

/** Compares two structural schemas field by field. A whole subtree that is on one side only is named by its topmost field. */
export function compareSchemas(wanted: unknown, actual: unknown): SchemaDifference {
  const [want, have] = [fieldsOf(wanted), fieldsOf(actual)];
  return {
    lacking: topmost([...want.keys()].filter((path) => !have.has(path))),
    extra: topmost([...have.keys()].filter((path) => !want.has(path))),
    different: [...want]
      .flatMap(([path, rules]) => (have.has(path) && have.get(path) !== rules ? [nameOf(path)] : []))
      .toSorted(),
  };
}

/** Every field with its own rules as canonical JSON. */
function fieldsOf(schema: unknown, path = ''): ReadonlyMap<string, string> {
  if (!isMapping(schema)) return new Map();
  const { properties, items, additionalProperties, description: _, ...own } = schema;
  const fields = new Map([[path, canonical(own)]]);
  const children: readonly (readonly [string, unknown])[] = [
    ...Object.entries(isMapping(properties) ? properties : {}).map(
      ([name, value]) => [join(path, name), value] as const,
    ),
    ...(items === undefined ? [] : [[`${path}[]`, items] as const]),
    ...(isMapping(additionalProperties) ? [[`${path}.*`, additionalProperties] as const] : []),
  ];
  for (const [at, value] of children) for (const [name, rules] of fieldsOf(value, at)) fields.set(name, rules);
  return fields;
}

function topmost(paths: readonly string[]): readonly string[] {
  const set = new Set(paths);
  return paths
    .filter((path) => !parentsOf(path).some((parent) => set.has(parent)))
    .map(nameOf)
    .toSorted();
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = path === '' ? [] : [''];
  for (let end = path.length - 1; end > 0; end -= 1)
    if (path[end] === '.' || path[end] === '[') parents.push(path.slice(0, end));
  return parents;
}

function nameOf(path: string): string {
  return path === '' ? 'the object itself' : path;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** JSON with sorted keys; the order of `required` and `enum` does not matter to the API server. */
function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const parts = value.map((part) => canonical(part));
    return `[${(key === 'required' || key === 'enum' ? parts.toSorted() : parts).join(',')}]`;
  }
  if (!isMapping(value)) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).toSorted(compareKeys);
  return `{${entries.map(([name, part]) => `${JSON.stringify(name)}:${canonical(part, name)}`).join(',')}}`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
