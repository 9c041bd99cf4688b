import type { z } from 'zod';
import { apiVersion } from '../contract.ts';
import { withoutUndefined } from '../values.ts';
import { type Path, pathText, type SpecDocument, valueAt } from './document.ts';
import { explainIssues } from './issues.ts';
import { isKindName, type KindName, kindNames, kinds } from './kinds.ts';
import { listText, placeOf, type SpecProblem, shortJson } from './objects.ts';
import { schemaOf } from './schema.ts';
import { mostSimilar } from './similar.ts';

export interface ReadObject {
  /** Absent when the kind of the object cannot be told. */
  readonly kind?: KindName;
  readonly name?: string;
  /** Absent when the object is not valid. */
  readonly value?: unknown;
  readonly problems: readonly SpecProblem[];
}

/** Reads one document by the schema of its kind. */
export function readObject(document: SpecDocument): ReadObject {
  const { value } = document;
  const kind = valueAt(value, ['kind']);
  const name = valueAt(value, ['metadata', 'name']);
  const identity = {
    ...(isKindName(kind) ? { kind } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  };
  if (document.broken) return { ...identity, problems: [] };
  const head = headProblem(document);
  if (head !== undefined && (head.reason !== 'UnknownApiVersion' || !isKindName(kind))) return { problems: [head] };
  if (!isKindName(kind)) return { problems: [] };
  const { parsed, issues: found } = parse(kind, value);
  const issues = [...found, ...hiddenLabels(value)];
  const object = typeof name === 'string' ? `${kind}/${name}` : kind;
  const located = (issues.length === 0 ? [] : explainIssues(issues, value, schemaOf(kind))).filter(
    ({ path }) => head === undefined || pathText(path) !== 'apiVersion',
  );
  const problems = located.map(({ path, what, fault }) => ({
    ...fault,
    ...placeOf(document, path, what),
    object,
    path: pathText(path),
  }));
  return {
    ...identity,
    ...withoutUndefined({ value: parsed }),
    problems: head === undefined ? problems : [head, ...problems],
  };
}

/** Issues for labels and annotations named `__proto__`: the schema would drop these silently, and takes any other name. */
function hiddenLabels(value: unknown): readonly z.core.$ZodIssue[] {
  return ['labels', 'annotations'].flatMap((field) => {
    const path = ['metadata', field, '__proto__'];
    const holder = valueAt(value, path.slice(0, 2));
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, '__proto__')) return [];
    return { code: 'invalid_format', format: 'label', path, message: 'the name of a label' };
  });
}

/** Parses a value. Unknown fields are reported and then left out, so that the rest of the object is checked all the same. */
function parse(
  kind: KindName,
  value: unknown,
): { readonly parsed?: unknown; readonly issues: readonly z.core.$ZodIssue[] } {
  const first = kinds[kind].safeParse(value);
  if (first.success) return { parsed: first.data, issues: [] };
  const { issues } = first.error;
  const pruned = structuredClone(value);
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const parent = valueAt(pruned, issue.path as Path);
    if (typeof parent === 'object' && parent !== null)
      for (const key of issue.keys) Reflect.deleteProperty(parent, key);
  }
  const second = kinds[kind].safeParse(pruned);
  return second.success ? { parsed: second.data, issues } : { issues };
}

function headProblem(document: SpecDocument): SpecProblem | undefined {
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const expected = 'a mapping with apiVersion, kind, metadata and spec';
    const fix = 'write these four as keys of the document';
    return { reason: 'NotAnObject', ...placeOf(document, []), message: 'the document is not a mapping', expected, fix };
  }
  const version = valueAt(value, ['apiVersion']);
  if (version !== apiVersion) {
    const kubernetes =
      version !== undefined && valueAt(value, ['kind']) !== undefined && !isKindName(valueAt(value, ['kind']));
    return {
      reason: version === undefined ? 'MissingField' : 'UnknownApiVersion',
      ...placeOf(document, ['apiVersion']),
      path: 'apiVersion',
      message: version === undefined ? 'is missing' : `${shortJson(version)} is not an apiVersion of the platform spec`,
      expected: apiVersion,
      fix: kubernetes
        ? 'Kubernetes objects belong into the manifest folder of a Cluster'
        : `write apiVersion: ${apiVersion}`,
    };
  }
  const kind = valueAt(value, ['kind']);
  if (isKindName(kind)) return undefined;
  const similar = typeof kind === 'string' ? mostSimilar(kind, kindNames) : undefined;
  return {
    reason: kind === undefined ? 'MissingField' : 'UnknownKind',
    ...placeOf(document, ['kind']),
    path: 'kind',
    message: kind === undefined ? 'is missing' : `there is no kind ${shortJson(kind)}`,
    expected: listText(kindNames),
    fix: similar === undefined ? `write ${kind === undefined ? 'the' : 'another'} kind` : `did you mean "${similar}"?`,
  };
}
