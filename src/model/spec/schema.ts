import { z } from 'zod';
import { type KindName, kinds } from './kinds.ts';

/** The part of JSON Schema that our kinds use. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly $schema?: string;
}

const cache = new Map<KindName, JsonSchema>();

/** What a person may write for a kind (before defaults and parsing), as JSON Schema 2020-12 without references. */
export function schemaOf(kind: KindName): JsonSchema {
  const known = cache.get(kind);
  if (known !== undefined) return known;
  const schema = z.toJSONSchema(kinds[kind], { io: 'input', reused: 'inline' }) as JsonSchema;
  cache.set(kind, schema);
  return schema;
}

/** Every schema that a value at `path` may follow: more than one below a choice, none for a field that does not exist. */
export function schemasAt(schema: JsonSchema, path: readonly (string | number)[]): readonly JsonSchema[] {
  const choices = schema.anyOf ?? [schema];
  const [part, ...rest] = path;
  if (part === undefined) return choices;
  return choices.flatMap((choice) => {
    const next = typeof part === 'number' ? choice.items : fieldOf(choice, part);
    return next === undefined ? [] : schemasAt(next, rest);
  });
}

function fieldOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  const { properties = {}, additionalProperties } = schema;
  if (Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
