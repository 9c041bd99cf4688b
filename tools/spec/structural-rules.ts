import { type StructuralSchema, sharedKeywords } from './structural.ts';

const allowed = new Set([
  ...sharedKeywords,
  'oneOf',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);

/** Where a schema breaks the API server's rules for structural schemas, as far as ours can; the empty list is good. */
export function notStructural(schema: unknown, where = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [`${where}: not a schema`];
  const { properties, items, additionalProperties } = schema as Partial<StructuralSchema>;
  return [
    ...ownFaults(schema as Partial<StructuralSchema>, where),
    ...Object.entries(properties ?? {}).flatMap(([name, value]) => notStructural(value, `${where}.${name}`)),
    ...(items === undefined ? [] : notStructural(items, `${where}[]`)),
    ...(typeof additionalProperties === 'object' ? notStructural(additionalProperties, `${where}.*`) : []),
  ];
}

function ownFaults(schema: Partial<StructuralSchema>, where: string): readonly string[] {
  const { type, properties, items, additionalProperties } = schema;
  const faults = Object.keys(schema)
    .filter((keyword) => !allowed.has(keyword))
    .map((keyword) => `${keyword} is forbidden`);
  if (typeof type !== 'string') faults.push('no type');
  if (type === 'array' && items === undefined) faults.push('no items');
  if (typeof additionalProperties === 'boolean') faults.push('additionalProperties must be a schema');
  if (properties !== undefined && additionalProperties !== undefined)
    faults.push('properties and additionalProperties exclude each other');
  return [...faults, ...choiceFaults(schema)].map((fault) => `${where}: ${fault}`);
}

/** A choice may only restrict what the schema around it declares. */
function choiceFaults({ oneOf, properties }: Partial<StructuralSchema>): readonly string[] {
  return (oneOf ?? []).flatMap((branch) => [
    ...Object.keys(branch)
      .filter((keyword) => keyword !== 'required')
      .map((keyword) => `oneOf holds ${keyword}`),
    ...branch.required
      .filter((name) => properties?.[name] === undefined)
      .map((name) => `${name} of oneOf is not among the properties`),
  ]);
}
