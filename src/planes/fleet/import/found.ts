/** What can be known of a machine. Every source gives texts, which `servers.ts` reads. */
export const foundFields = [
  'name',
  'site',
  'rack',
  'class',
  'addresses',
  'cluster',
  'roles',
  'status',
  'serial',
  'uplink',
  'gpu',
] as const;
export type FoundField = (typeof foundFields)[number];

/** A machine as a source has it, not yet judged. */
export interface FoundServer {
  /** Where the source says it: `servers.csv:12`, the id of a minion, the address of a device. */
  readonly at: string;
  /** Texts without space around them; an empty one is left out. */
  readonly texts: Readonly<Record<FoundField, readonly string[]>>;
}

/** Where a source has each field; of several places the first that has something counts, except for addresses, which are all taken. */
export type FieldPlaces = Readonly<Record<FoundField, readonly string[]>>;

/** The places of a source, with those that a person named instead. */
export function withPlaces(preset: FieldPlaces, named: ReadonlyMap<FoundField, readonly string[]>): FieldPlaces {
  return Object.fromEntries(foundFields.map((field) => [field, named.get(field) ?? preset[field]])) as FieldPlaces;
}

/** The longest text that is taken from a source, in UTF-16 units: names and addresses are shorter, and reports show them. */
const longest = 253;

/** What a source that is a tree (grains, a device) says of each field; `read` gives what stands at a place. */
export function textsOf(places: FieldPlaces, read: (place: string) => readonly string[]): FoundServer['texts'] {
  const of = (field: FoundField): readonly string[] => {
    const found = places[field].map((place) => clean(read(place)));
    return field === 'addresses' ? [...new Set(found.flat())] : (found.find((texts) => texts.length > 0) ?? []);
  };
  return Object.fromEntries(foundFields.map((field) => [field, of(field)])) as FoundServer['texts'];
}

function clean(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.trim().slice(0, longest)).filter((text) => text !== '');
}

/**
 * The texts at a path such as `custom_fields.rack` of a tree of JSON. Lists are taken whole; of an object that stands at the end, as NetBox has
 * them for choices and for what a device refers to, its `value`, `slug`, `name` or `label`.
 */
export function textsAt(tree: unknown, path: string): readonly string[] {
  const ends = path
    .split('.')
    .reduce<readonly unknown[]>(
      (nodes, part) => nodes.flat().flatMap((node) => (hasOwn(node, part) ? [node[part]] : [])),
      [tree],
    );
  return ends.flat().flatMap(textOf);
}

function textOf(end: unknown): readonly string[] {
  if (typeof end === 'string') return [end];
  if (typeof end === 'number' || typeof end === 'boolean') return [String(end)];
  // Releases of NetBox before 2.7 have a number as `value`, and the word as `label`.
  const words = ['value', 'slug', 'name', 'label'].map((part) => (hasOwn(end, part) ? end[part] : undefined));
  return words.filter((word) => typeof word === 'string').slice(0, 1);
}

function hasOwn(node: unknown, part: string): node is Readonly<Record<string, unknown>> {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, part);
}
