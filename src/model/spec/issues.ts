import type { z } from 'zod';
import { nearestPrefix } from '../address.ts';
import { type Path, valueAt } from './document.ts';
import { type Finding, listText, show } from './objects.ts';
import { type JsonSchema, schemasAt } from './schema.ts';
import { mostSimilar } from './similar.ts';

/** A finding of the schema, with where it is; `what` says whether the key or the value is at fault. */
export interface Located {
  readonly path: Path;
  readonly what: 'value' | 'key';
  readonly finding: Finding;
}

type Issue = z.core.$ZodIssue;

/** What the schema's issues mean for a person who wrote `value`. */
export function explainIssues(issues: readonly Issue[], value: unknown, schema: JsonSchema): readonly Located[] {
  return issues.flatMap((issue) => explain(issue, { value, schema, prefix: [] }));
}

interface Context {
  readonly value: unknown;
  readonly schema: JsonSchema;
  /** Issues below a choice have paths from there. */
  readonly prefix: Path;
}

function explain(issue: Issue, context: Context): readonly Located[] {
  const path: Path = [...context.prefix, ...issue.path.filter((part) => typeof part !== 'symbol')];
  const value = valueAt(context.value, path);
  const schemas = schemasAt(context.schema, path);
  const at = (finding: Finding): readonly Located[] => [{ path, what: 'value', finding }];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key], key, schemas));
  if (value === undefined) return at(missingField(schemas));
  switch (issue.code) {
    case 'invalid_type':
      return at({ reason: 'WrongType', message: `is ${typeText(value)}`, expected: expectedText(schemas) });
    case 'invalid_union':
      return explainChoice(issue.errors, path, value, context);
    case 'invalid_value':
      return at(wrongValue(value, issue.values));
    case 'too_small':
    case 'too_big':
      return at(outOfRange(issue, value, path));
    case 'invalid_format':
      return at(badFormat(issue, value, schemas));
    case 'custom':
      return at(badText(issue, value));
    default:
      return at({ reason: 'WrongValue', message: `${show(value)} is not allowed`, expected: expectedText(schemas) });
  }
}

function unknownField(path: Path, key: string, schemas: readonly JsonSchema[]): Located {
  const known = schemas.flatMap((schema) => Object.keys(schema.properties ?? {}));
  const similar = mostSimilar(key, known);
  const fix = similar === undefined ? 'remove it' : `did you mean "${similar}"?`;
  const expected = `one of the fields ${known.join(', ')}`;
  return { path, what: 'key', finding: { reason: 'UnknownField', message: 'there is no such field', expected, fix } };
}

function missingField(schemas: readonly JsonSchema[]): Finding {
  const description = schemas[0]?.description;
  return {
    reason: 'MissingField',
    message: 'is missing',
    expected: expectedText(schemas),
    fix: description === undefined ? 'add it' : `add it: ${description.replace(/\.$/, '')}`,
  };
}

function wrongValue(value: unknown, values: readonly unknown[]): Finding {
  const texts = values.map(String);
  const similar = mostSimilar(String(value), texts);
  return {
    reason: 'WrongValue',
    message: `${show(value)} is not allowed`,
    expected: listText(texts),
    ...(similar === undefined ? {} : { fix: `did you mean "${similar}"?` }),
  };
}

type RangeIssue = Extract<Issue, { code: 'too_small' | 'too_big' }>;

function outOfRange(issue: RangeIssue, value: unknown, path: Path): Finding {
  const small = issue.code === 'too_small';
  const limit = small ? issue.minimum : issue.maximum;
  if (issue.origin === 'array') {
    if (path.join('.') === 'spec.default.clusters')
      return {
        reason: 'EmptyDefault',
        message: 'nobody answers those whom no rule names',
        expected: 'at least one cluster',
        fix: 'name the cluster that can serve everyone',
      };
    return { reason: 'EmptyList', message: 'is empty', expected: `at least ${limit}` };
  }
  if (issue.origin === 'string')
    return {
      reason: 'OutOfRange',
      message: small ? 'is an empty text' : 'is too long',
      expected: `${small ? 'at least' : 'at most'} ${limit} characters`,
    };
  const bound = small ? (issue.inclusive ? 'at least' : 'more than') : issue.inclusive ? 'at most' : 'less than';
  return {
    reason: 'OutOfRange',
    message: `${show(value)} is too ${small ? 'small' : 'large'}`,
    expected: `${bound} ${limit}`,
  };
}

type FormatIssue = Extract<Issue, { code: 'invalid_format' }>;

function badFormat(issue: FormatIssue, value: unknown, schemas: readonly JsonSchema[]): Finding {
  const finding = { reason: 'BadFormat', message: `${show(value)} has the wrong form` } as const;
  if (issue.format === 'datetime')
    return { ...finding, expected: 'an RFC 3339 time with a zone, e.g. 2026-12-24T18:00:00Z' };
  const pattern = schemas.find((schema) => schema.pattern !== undefined)?.pattern;
  const text = String(value);
  const close = [text.toLowerCase(), text.toUpperCase(), text.toLowerCase().replace(/\.$/, '')];
  const right = pattern === undefined ? undefined : close.find((candidate) => new RegExp(pattern).test(candidate));
  return { ...finding, expected: issue.message, ...(right === undefined ? {} : { fix: `write ${right}` }) };
}

function badText(issue: Extract<Issue, { code: 'custom' }>, value: unknown): Finding {
  if (issue.params?.['reason'] === 'BadPrefix') {
    const near = nearestPrefix(String(value));
    const fix = near === undefined ? {} : { fix: `write ${near.text}` };
    return { reason: 'BadPrefix', message: `${show(value)} is not a prefix`, expected: issue.message, ...fix };
  }
  return { reason: 'BadAddress', message: `${show(value)} is not an address`, expected: issue.message };
}

/** Of several shapes that exclude each other, the one that was meant; or that none or several were. */
function explainChoice(
  branches: readonly (readonly Issue[])[],
  path: Path,
  value: unknown,
  context: Context,
): readonly Located[] {
  const schemas = schemasAt(context.schema, path);
  const finding: Finding = { reason: 'WrongChoice', message: `is ${typeText(value)}`, expected: expectedText(schemas) };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const literal = schemas.every((schema) => schema.const !== undefined);
    if (literal)
      return [
        {
          path,
          what: 'value',
          finding: wrongValue(
            value,
            schemas.map((schema) => schema.const),
          ),
        },
      ];
    return [{ path, what: 'value', finding: { ...finding, reason: 'WrongType' } }];
  }
  const keys = Object.keys(value);
  const meant = schemas.flatMap((schema, index) =>
    (schema.required ?? []).some((key) => keys.includes(key)) ? [{ schema, index }] : [],
  );
  const only = meant[0];
  if (meant.length === 1 && only !== undefined) {
    return (branches[only.index] ?? []).flatMap((issue) => explain(issue, { ...context, prefix: path }));
  }
  const choices = schemas.flatMap((schema) => schema.required ?? []);
  const similar = keys.flatMap((key) => mostSimilar(key, choices) ?? [])[0];
  const message =
    meant.length === 0
      ? `has none of ${listText(choices)}`
      : `has ${meant.flatMap(({ schema }) => schema.required ?? []).join(' and ')}, which exclude each other`;
  const fix = meant.length > 0 ? 'keep one' : similar === undefined ? undefined : `did you mean "${similar}"?`;
  const expected = `exactly one of ${listText(choices)}`;
  return [{ path, what: 'value', finding: { ...finding, message, expected, ...(fix === undefined ? {} : { fix }) } }];
}

function typeText(value: unknown): string {
  if (value === null) return 'empty (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return `the truth value ${value}`;
  return `the text ${show(value)}`;
}

function expectedText(schemas: readonly JsonSchema[]): string {
  return listText([...new Set(schemas.map(shapeText))]);
}

function shapeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return show(schema.const);
  if (schema.enum !== undefined) return listText(schema.enum.map(String));
  if (schema.type === 'array') return 'a list';
  if (schema.type === 'object')
    return schema.required === undefined ? 'a mapping' : `a mapping with ${schema.required.join(', ')}`;
  if (schema.type === 'integer') return 'a whole number';
  if (schema.type === 'number') return 'a number';
  if (schema.type === 'boolean') return 'true or false';
  return 'a text';
}
