import type { JsonSchema } from '../../src/model/spec/schema.ts';
import { withoutUndefined } from '../../src/model/values.ts';
import { formatRules, type Place, places, type Rule } from './rules.ts';

interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

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
  readonly maxItems?: number;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly 'x-kubernetes-validations'?: readonly Validation[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** The known keywords. Of these `$schema` and `propertyNames` say nothing to the API server: keys of a map are always texts. */
const known = new Set(
  `type description default format pattern minLength maxLength minimum maximum exclusiveMinimum minItems maxItems items enum
  properties required additionalProperties const anyOf $schema propertyNames`.split(/\s+/),
);

/**
 * Translates a schema into the form that the API server takes, with the rules for the place `where`. Throws a RangeError on an
 * unknown keyword, so that none is lost silently.
 */
export function structural(schema: JsonSchema, where: string): StructuralSchema {
  for (const keyword of Object.keys(schema))
    if (!known.has(keyword)) throw new RangeError(`${where}: unknown keyword ${keyword}`);
  const place = places[where] ?? {};
  const body = bodyOf(schema, where, place);
  const validations = [
    ...(body['x-kubernetes-validations'] ?? []),
    ...[...(formatRules[schema.format ?? ''] ?? []), ...(place.rules ?? [])].map(validation),
  ];
  return {
    ...withoutUndefined({ description: schema.description, default: schema.default }),
    ...body,
    ...(validations.length === 0 ? {} : { 'x-kubernetes-validations': validations }),
  };
}

function bodyOf(schema: JsonSchema, where: string, place: Place): StructuralSchema {
  if (schema.anyOf !== undefined) return choice(schema.anyOf, where);
  if (schema.const !== undefined) return { type: typeOf([schema.const]), enum: [schema.const] };
  switch (schema.type) {
    case 'object':
      return object(schema, where);
    case 'array':
      return {
        type: 'array',
        ...pick(schema, ['minItems', 'maxItems']),
        ...listType(place),
        items: structural(schema.items ?? {}, `${where}[]`),
      };
    case 'string':
      return { type: 'string', ...text(schema) };
    case 'integer':
    case 'number':
      return { type: schema.type, ...number(schema) };
    case 'boolean':
      return { type: 'boolean' };
    default:
      throw new RangeError(`${where}: no type`);
  }
}

function validation({ reason, rule, message, fieldPath }: Rule): Validation {
  return { rule, message: `${reason}: ${message}`, ...withoutUndefined({ fieldPath }) };
}

function listType({ unique }: Place): Partial<StructuralSchema> {
  if (unique === undefined) return { 'x-kubernetes-list-type': 'atomic' };
  if (unique === 'set') return { 'x-kubernetes-list-type': 'set' };
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': unique };
}

function object(schema: JsonSchema, where: string): StructuralSchema {
  const entries = Object.entries(schema.properties ?? {});
  const extra = schema.additionalProperties;
  return {
    type: 'object',
    ...withoutUndefined({ required: schema.required }),
    ...(entries.length === 0
      ? {}
      : {
          properties: Object.fromEntries(entries.map(([name, value]) => [name, structural(value, `${where}.${name}`)])),
        }),
    ...(typeof extra === 'object' ? { additionalProperties: structural(extra, `${where}.*`) } : {}),
  };
}

/**
 * Translates a choice. Literals become an enum. Mappings become one mapping with every field; a rule demands exactly one of the
 * choices, because the message of a failed `oneOf` helps nobody.
 */
function choice(choices: readonly JsonSchema[], where: string): StructuralSchema {
  const literals = choices.flatMap((schema) => (schema.const === undefined ? [] : [schema.const]));
  if (literals.length === choices.length) return { type: typeOf(literals), enum: literals };
  const objects = choices.map((schema) => ({ ...object(schema, where), keys: schema.required ?? [] }));
  const keys = objects.flatMap((one) => one.keys);
  const exactlyOne: Rule = {
    reason: 'WrongChoice',
    rule: `[${keys.map((key) => `has(self.${key})`).join(', ')}].exists_one(chosen, chosen)`,
    message: `exactly one of ${keys.slice(0, -1).join(', ')} or ${keys.at(-1)}`,
  };
  const companions = objects.flatMap(({ keys: [own = ''], properties = {} }) =>
    Object.keys(properties)
      .filter((name) => name !== own)
      .map((name): Rule => {
        const others = keys.filter((key) => key !== own).map((key) => `has(self.${key})`);
        return {
          reason: 'UnknownField',
          rule: `!has(self.${name}) || has(self.${own}) || !(${others.join(' || ')})`,
          message: `${name} goes with ${own}`,
          fieldPath: `.${name}`,
        };
      }),
  );
  return {
    type: 'object',
    properties: Object.assign({}, ...objects.map(({ properties }) => properties)),
    'x-kubernetes-validations': [exactlyOne, ...companions].map(validation),
  };
}

/**
 * Translates a text. Its format becomes rules or a pattern: with the format `date-time` the API server would also take a list of
 * one time, so the schema's pattern, which has the whole calendar, is used instead.
 */
function text(schema: JsonSchema): Partial<StructuralSchema> {
  return pick(schema, ['enum', 'minLength', 'maxLength', 'pattern']);
}

/** Translates a number, without its format: the API server refuses a number that breaks a format without naming the field. */
function number(schema: JsonSchema): Partial<StructuralSchema> {
  const { minimum, maximum, exclusiveMinimum } = schema;
  return {
    ...withoutUndefined({ minimum }),
    ...(exclusiveMinimum === undefined ? {} : { minimum: exclusiveMinimum, exclusiveMinimum: true }),
    ...withoutUndefined({ maximum }),
  };
}

function pick(schema: JsonSchema, names: readonly (keyof JsonSchema)[]): Partial<StructuralSchema> {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function typeOf(values: readonly unknown[]): string {
  if (values.every((value) => Number.isInteger(value))) return 'integer';
  return typeof values[0];
}
