import type { z } from 'zod';
import { nearestPrefix, parseAddress } from '../address.ts';
import { type Path, valueAt } from './document.ts';
import { type Fault, listText, shortJson } from './objects.ts';
import { type JsonSchema, schemasAt } from './schema.ts';
import { mostSimilar } from './similar.ts';

/** A fault against the schema and its place; `what` says whether the key or the value is at fault. */
export interface Located {
  readonly path: Path;
  readonly what: 'value' | 'key';
  readonly fault: Fault;
}

type Issue = z.core.$ZodIssue;

/** Translates the schema's issues into faults for the person who wrote `value`. */
export function explainIssues(issues: readonly Issue[], value: unknown, schema: JsonSchema): readonly Located[] {
  return issues.flatMap((issue) => explain(issue, { value, schema, prefix: [] }));
}

interface Context {
  readonly value: unknown;
  readonly schema: JsonSchema;
  /** The path of the choice that the issues are below; their own paths start from there. */
  readonly prefix: Path;
}

function explain(issue: Issue, context: Context): readonly Located[] {
  const path: Path = [...context.prefix, ...issue.path.filter((part) => typeof part !== 'symbol')];
  const value = valueAt(context.value, path);
  const schemas = schemasAt(context.schema, path);
  const at = (fault: Fault): readonly Located[] => [{ path, what: 'value', fault }];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) =>
      schemas.some((schema) => schema.required?.includes(key))
        ? { path, what: 'value', fault: noOneChoice(issue.keys, meantBy(Object(value), schemas), schemas) }
        : unknownField([...path, key], key, value, schemas),
    );
  if (value === undefined) return at(missingField(path.at(-1), schemas));
  switch (issue.code) {
    case 'invalid_type':
      return at({
        reason: 'WrongType',
        message: `is ${typeText(value)}`,
        expected: expectedText(schemas),
        fix: quotedText(value, schemas) ?? writeText(schemas),
      });
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
      return at({
        reason: 'WrongValue',
        message: `${shortJson(value)} is not allowed`,
        expected: expectedText(schemas),
        fix: writeText(schemas),
      });
  }
}

function unknownField(path: Path, key: string, parent: unknown, schemas: readonly JsonSchema[]): Located {
  const meant = typeof parent === 'object' && parent !== null ? meantBy(parent, schemas) : [];
  const known = (meant.length > 0 ? meant : schemas).flatMap((schema) => Object.keys(schema.properties ?? {}));
  const similar = mostSimilar(key, known);
  const fix = similar === undefined ? 'remove it' : `did you mean "${similar}"?`;
  const expected = known.length === 1 ? `the field ${known[0]}` : `one of the fields ${known.join(', ')}`;
  return { path, what: 'key', fault: { reason: 'UnknownField', message: 'there is no such field', expected, fix } };
}

function missingField(key: string | number | undefined, schemas: readonly JsonSchema[]): Fault {
  const meaning = schemas[0]?.description?.replace(/\.( .*)?$/, '');
  return {
    reason: 'MissingField',
    message: 'is missing',
    expected: expectedText(schemas),
    fix: `add "${key}"${meaning === undefined ? '' : ` (${meaning})`}`,
  };
}

function wrongValue(value: unknown, values: readonly unknown[]): Fault {
  const texts = values.map(String);
  const similar = typeof value === 'string' ? mostSimilar(value, texts) : undefined;
  return {
    reason: 'WrongValue',
    message: `${shortJson(value)} is not allowed`,
    expected: listText(texts),
    fix: similar === undefined ? 'write one of these' : `did you mean "${similar}"?`,
  };
}

type RangeIssue = Extract<Issue, { code: 'too_small' | 'too_big' }>;

function outOfRange(issue: RangeIssue, value: unknown, path: Path): Fault {
  const small = issue.code === 'too_small';
  const limit = small ? issue.minimum : issue.maximum;
  if (issue.origin === 'array' && !small)
    return {
      reason: 'OutOfRange',
      message: `has ${Array.isArray(value) ? value.length : 'too many'} entries`,
      expected: `at most ${limit}`,
      fix: 'remove some',
    };
  if (issue.origin === 'array') {
    if (path.join('.') === 'spec.default.clusters')
      return {
        reason: 'EmptyDefault',
        message: 'nobody answers those whom no rule names',
        expected: 'at least one cluster',
        fix: 'name the cluster that can serve everyone',
      };
    return {
      reason: 'EmptyList',
      message: 'is empty',
      expected: limit === 1 ? 'at least one entry' : `at least ${limit} entries`,
      fix: limit === 1 ? 'add an entry' : 'add entries',
    };
  }
  if (issue.origin === 'string')
    return {
      reason: 'OutOfRange',
      message: small ? 'is an empty text' : 'is too long',
      expected: small ? 'some text' : `at most ${limit} characters`,
      fix: small ? 'write something, or remove the field' : 'shorten it',
    };
  const bound = small ? (issue.inclusive ? 'at least' : 'more than') : issue.inclusive ? 'at most' : 'less than';
  return {
    reason: 'OutOfRange',
    message: `${shortJson(value)} is too ${small ? 'small' : 'large'}`,
    expected: `${bound} ${limit}`,
    fix: small ? 'write a larger number' : 'write a smaller number',
  };
}

type FormatIssue = Extract<Issue, { code: 'invalid_format' }>;

function badFormat(issue: FormatIssue, value: unknown, schemas: readonly JsonSchema[]): Fault {
  const fault = { reason: 'BadFormat', message: `${shortJson(value)} has the wrong form` } as const;
  if (issue.format === 'datetime')
    return { ...fault, expected: 'an RFC 3339 time with a zone', fix: 'write it like 2026-12-24T18:00:00Z' };
  const hidden = hiddenIn(value);
  if (hidden.length > 0) return { ...fault, expected: issue.message, fix: withoutHidden(String(value), hidden) };
  const pattern = schemas.find((schema) => schema.pattern !== undefined)?.pattern;
  const text = String(value);
  const close = [text.toLowerCase(), text.toUpperCase(), text.toLowerCase().replace(/\.$/, '')];
  const right = pattern === undefined ? undefined : close.find((candidate) => new RegExp(pattern, 'u').test(candidate));
  return { ...fault, expected: issue.message, fix: `write ${right ?? 'it in that form'}` };
}

/** The characters that end a line or control a terminal: `U+0007`. */
function hiddenIn(value: unknown): readonly string[] {
  const found = typeof value === 'string' ? (value.match(/[\p{Cc}\p{Zl}\p{Zp}]/gu) ?? []) : [];
  return [...new Set(found)].map((one) => `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
}

/** A text is repeated where it is no longer than what a person compares at a glance. */
const longestRepeated = 80;

function withoutHidden(text: string, hidden: readonly string[]): string {
  const plain = text
    .replaceAll(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  const named = `control characters, here ${hidden.join(', ')}`;
  if (plain === '') return `write something without ${named}`;
  return plain.length > longestRepeated
    ? `write it on one line and take out the ${named}`
    : `write ${JSON.stringify(plain)}`;
}

function badText(issue: Extract<Issue, { code: 'custom' }>, value: unknown): Fault {
  if (issue.params?.['reason'] === 'BadPrefix') {
    const near = nearestPrefix(String(value));
    const fix = `write ${near?.text ?? 'an address, a slash and the length of the prefix'}`;
    return { reason: 'BadPrefix', message: `${shortJson(value)} is not a prefix`, expected: issue.message, fix };
  }
  const plain = addressWithLength(value);
  return {
    reason: 'BadAddress',
    message: `${shortJson(value)} is not an address`,
    expected: issue.message,
    fix:
      plain === undefined
        ? 'write the whole address, such as 192.0.2.1 or 2001:db8::1'
        : `write ${plain}, without the length of its network`,
  };
}

/** The address in `10.1.0.31/24`, as many lists have it. */
function addressWithLength(value: unknown): string | undefined {
  const plain = typeof value === 'string' ? /^(.+)\/\d{1,3}$/.exec(value)?.[1] : undefined;
  return plain === undefined ? undefined : parseAddress(plain)?.text;
}

/**
 * The faults of a value that may have several shapes: those against the shape that was meant, or that none or several were
 * meant.
 */
function explainChoice(
  branches: readonly (readonly Issue[])[],
  path: Path,
  value: unknown,
  context: Context,
): readonly Located[] {
  const schemas = schemasAt(context.schema, path);
  const at = (fault: Fault): readonly Located[] => [{ path, what: 'value', fault }];
  const literals = schemas.flatMap((schema) => (schema.const === undefined ? [] : [schema.const]));
  if (literals.length === schemas.length) return at(wrongValue(value, literals));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return at({
      reason: 'WrongType',
      message: `is ${typeText(value)}`,
      expected: expectedText(schemas),
      fix: writeText(schemas),
    });
  const meant = meantBy(value, schemas);
  const only = meant[0];
  if (only === undefined || meant.length > 1) return at(noOneChoice(Object.keys(value), meant, schemas));
  const issues = branches[schemas.indexOf(only)] ?? [];
  return issues.flatMap((issue) => explain(issue, { ...context, prefix: path }));
}

/** The shapes that were meant: those whose distinguishing field the mapping has. */
function meantBy(value: object, schemas: readonly JsonSchema[]): readonly JsonSchema[] {
  return schemas.filter((schema) => (schema.required ?? []).some((key) => Object.hasOwn(value, key)));
}

function noOneChoice(keys: readonly string[], meant: readonly JsonSchema[], schemas: readonly JsonSchema[]): Fault {
  const fields = (some: readonly JsonSchema[]): readonly string[] => some.flatMap((schema) => schema.required ?? []);
  const fault = { reason: 'WrongChoice', expected: `exactly one of ${listText(fields(schemas))}` } as const;
  if (meant.length > 0)
    return { ...fault, message: `has ${fields(meant).join(' and ')}, which exclude each other`, fix: 'keep one' };
  const similar = keys.flatMap((key) => mostSimilar(key, fields(schemas)) ?? [])[0];
  const message = keys.length === 0 ? 'is empty' : `has ${keys.join(', ')}, which is none of the choices`;
  return { ...fault, message, fix: similar === undefined ? 'write one of them' : `did you mean "${similar}"?` };
}

function typeText(value: unknown): string {
  if (value === null) return 'empty (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return `the truth value ${value}`;
  return `the text ${shortJson(value)}`;
}

/** What YAML takes for a number or a truth value, where a text was meant: a rack named 1, a version 1.36, the country NO. */
function quotedText(value: unknown, schemas: readonly JsonSchema[]): string | undefined {
  const isText = schemas.every(({ type }) => type === 'string');
  return isText && (typeof value === 'number' || typeof value === 'boolean')
    ? `put it into quotes: '${value}'`
    : undefined;
}

function expectedText(schemas: readonly JsonSchema[]): string {
  return listText([...new Set(schemas.map(shapeText))]);
}

function writeText(schemas: readonly JsonSchema[]): string {
  return `write ${schemas.some(({ type }) => type === 'array') ? 'a list, each entry on a line of its own after a dash' : expectedText(schemas)}`;
}

function shapeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return shortJson(schema.const);
  if (schema.enum !== undefined) return listText(schema.enum.map(String));
  if (schema.type === 'array') return 'a list';
  if (schema.type === 'object')
    return schema.required === undefined ? 'a mapping' : `a mapping with ${schema.required.join(', ')}`;
  if (schema.type === 'integer') return 'a whole number';
  if (schema.type === 'number') return 'a number';
  if (schema.type === 'boolean') return 'true or false';
  if (schema.format === 'ip') return 'an IP address';
  return schema.format === 'cidr' ? 'an IP prefix' : 'a text';
}
