import type { InputProblem } from '../problem.ts';
import { type Path, pathText, type SpecDocument } from './document.ts';
import type { KindName, ObjectOf } from './kinds.ts';
import type { SpecReason } from './reasons.ts';

/** An object that a document declares. `value` is undefined when the object is not valid; its name still counts as declared. */
export interface Declared<T> {
  readonly kind: KindName;
  readonly name: string;
  readonly document: SpecDocument;
  readonly value: T | undefined;
}

export interface Table<T> {
  /** Every object in the order of the files, also those whose name is taken already. */
  readonly all: readonly Declared<T>[];
  /** The first object of every name. */
  readonly byName: ReadonlyMap<string, Declared<T>>;
}

export type Objects = { readonly [Kind in KindName]: Table<ObjectOf[Kind]> };

/** Something wrong in a spec. */
export type SpecProblem = InputProblem<SpecReason>;

/** What is wrong with a value, without the place of the value. */
export type Fault = Pick<SpecProblem, 'reason' | 'message' | 'expected' | 'fix'>;

/** Reports a fault of the value at `path` of an object. */
export type Report = (at: Declared<unknown>, path: Path, fault: Fault) => void;

export interface Valid<T> {
  readonly at: Declared<T>;
  readonly value: T;
}

/** The objects that are valid, each with its declaration. */
export function valid<T>(declared: Iterable<Declared<T>>): readonly Valid<T>[] {
  return [...declared].flatMap((at) => (at.value === undefined ? [] : [{ at, value: at.value }]));
}

export function problemAt(at: Declared<unknown>, path: Path, fault: Fault): SpecProblem {
  return { ...fault, ...placeOf(at.document, path), object: `${at.kind}/${at.name}`, path: pathText(path) };
}

export function placeOf(document: SpecDocument, path: Path, what?: 'value' | 'key'): { file: string; line: number } {
  return { file: document.file, line: document.lineOf(path, what) };
}

/** The place of a value as text: `Site/paris (sites.yaml:4)`. */
export function whereIs(at: Declared<unknown>, path: Path): string {
  return `${at.kind}/${at.name} (${at.document.file}:${at.document.lineOf(path)})`;
}

/** The value as JSON, shortened for messages. */
export function shortJson(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** The words as a list in text: `a, b or c`. */
export function listText(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
