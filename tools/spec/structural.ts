import type { JsonSchema } from '../../src/model/spec/schema.ts';

/** The part of an OpenAPI v3 schema that the API server takes in a CustomResourceDefinition. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

/** Keywords that JSON Schema and structural schemas have in common. */
export const sharedKeywords: readonly string[] =
  `type description default format pattern minLength maxLength minimum maximum exclusiveMinimum minItems items enum
  properties required additionalProperties`.split(/\s+/);

/** Keywords that say nothing to the API server: it prunes unknown fields by itself, and keys of a map are always texts. */
const dropped = new Set(['$schema', 'propertyNames']);
const known = new Set([...sharedKeywords, 'const', 'anyOf']);

/** Throws a RangeError on a keyword that it does not know, so that none is lost silently. */
export function structural(schema: JsonSchema, where: string): StructuralSchema {
  for (const keyword of Object.keys(schema))
    if (!known.has(keyword) && !dropped.has(keyword)) throw new RangeError(`${where}: unknown keyword ${keyword}`);
  const head = {
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...(schema.default === undefined ? {} : { default: schema.default }),
  };
  if (schema.anyOf !== undefined) return { ...head, ...choice(schema.anyOf, where) };
  if (schema.const !== undefined) return { ...head, type: typeOf([schema.const]), enum: [schema.const] };
  switch (schema.type) {
    case 'object':
      return { ...head, ...object(schema, where) };
    case 'array':
      return {
        ...head,
        type: 'array',
        ...pick(schema, ['minItems']),
        items: structural(schema.items ?? {}, `${where}[]`),
      };
    case 'string':
      return { ...head, type: 'string', ...text(schema) };
    case 'integer':
    case 'number':
      return { ...head, type: schema.type, ...number(schema) };
    case 'boolean':
      return { ...head, type: 'boolean' };
    default:
      throw new RangeError(`${where}: no type`);
  }
}

function object(schema: JsonSchema, where: string): StructuralSchema {
  const entries = Object.entries(schema.properties ?? {});
  const extra = schema.additionalProperties;
  return {
    type: 'object',
    ...(schema.required === undefined ? {} : { required: schema.required }),
    ...(entries.length === 0
      ? {}
      : {
          properties: Object.fromEntries(entries.map(([name, value]) => [name, structural(value, `${where}.${name}`)])),
        }),
    ...(typeof extra === 'object' ? { additionalProperties: structural(extra, `${where}.*`) } : {}),
  };
}

/** Literals become an enum. Mappings become one mapping with every field, of which exactly one choice is required. */
function choice(choices: readonly JsonSchema[], where: string): StructuralSchema {
  const literals = choices.flatMap((schema) => (schema.const === undefined ? [] : [schema.const]));
  if (literals.length === choices.length) return { type: typeOf(literals), enum: literals };
  const objects = choices.map((schema) => ({ ...object(schema, where), keys: schema.required ?? [] }));
  const rules = objects.flatMap(({ keys, properties }) =>
    Object.keys(properties ?? {})
      .filter((name) => !keys.includes(name))
      .map((name) => ({
        rule: `!has(self.${name}) || has(self.${keys[0]})`,
        message: `${name} goes with ${keys[0]}`,
      })),
  );
  return {
    type: 'object',
    properties: Object.assign({}, ...objects.map(({ properties }) => properties)),
    oneOf: objects.map(({ keys }) => ({ required: keys })),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

/** The API server knows the formats `cidr` and `date-time`; the pattern that comes with a format needs a page. */
function text(schema: JsonSchema): Partial<StructuralSchema> {
  const base = pick(schema, ['enum', 'minLength', 'maxLength']);
  if (schema.format === undefined) return { ...base, ...pick(schema, ['pattern']) };
  return schema.format === 'ip' ? { ...base, pattern: '^[0-9a-f:.]+$' } : { ...base, format: schema.format };
}

function number(schema: JsonSchema): Partial<StructuralSchema> {
  const { minimum, maximum, exclusiveMinimum } = schema;
  return {
    ...(schema.type === 'integer' ? { format: 'int64' } : {}),
    ...(minimum === undefined ? {} : { minimum }),
    ...(exclusiveMinimum === undefined ? {} : { minimum: exclusiveMinimum, exclusiveMinimum: true }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}

function pick(schema: JsonSchema, names: readonly (keyof JsonSchema)[]): Partial<StructuralSchema> {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function typeOf(values: readonly unknown[]): string {
  if (values.every((value) => Number.isInteger(value))) return 'integer';
  return typeof values[0];
}
