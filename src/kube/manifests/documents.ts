import { hash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { LineCounter } from 'yaml';
import { messageOf } from '../../model/values.ts';
import { knownKind } from '../kinds.ts';
import { type ReadObject, readObject } from '../read-object.ts';
import { BadFile } from './bad-file.ts';
import { bounds, parseBounded, tooMany } from './bounds.ts';
import { countLines, cutList } from './lists.ts';

/** One object of a file, read or refused. `line` is where its document (or its item of a large list) starts, counted from 1. */
export interface FoundObject {
  readonly line: number;
  readonly read: ReadObject;
}

/** The content of a document. It is kept by the hash of the text, so that an edit parses only the documents that it touched. */
interface ParsedDocument {
  readonly objects: readonly ReadObject[];
  /** How many objects are of kinds that we do not read. */
  readonly ignored: number;
}
export type DocumentCache = ReadonlyMap<string, ParsedDocument>;

export interface ParsedFile {
  readonly objects: readonly FoundObject[];
  readonly ignored: number;
  readonly cache: DocumentCache;
}

/**
 * Parses a manifest file: YAML (one or many documents) or JSON, objects or lists of them. Throws BadFile when any
 * document is not readable, because half a file must never be in force. Yields to other work after every `charactersPerTurn` characters.
 */
export async function parseManifests(text: string, before: DocumentCache = new Map()): Promise<ParsedFile> {
  const cache = new Map<string, ParsedDocument>();
  const objects: FoundObject[] = [];
  let ignored = 0;
  let parsedLength = 0;
  for (const { body, line, typed } of splitParts(text)) {
    const id = hash('sha1', typed === undefined ? body : `${typed.apiVersion} ${typed.kind}\n${body}`);
    let document = cache.get(id) ?? before.get(id);
    if (document === undefined) {
      document = typed === undefined ? readDocument(body, line) : readItem(body, line, typed);
      parsedLength += body.length;
      if (parsedLength > charactersPerTurn) {
        parsedLength = 0;
        await yieldToOthers();
      }
    }
    cache.set(id, document);
    ignored += document.ignored;
    for (const read of document.objects) objects.push({ line, read });
  }
  return { objects, ignored, cache };
}

/** How many characters are parsed before other work may run: some ten milliseconds of work. */
const charactersPerTurn = 16_384;

interface Part {
  readonly body: string;
  readonly line: number;
  /** The type that a large list gives to its items; absent for anything else. */
  readonly typed?: ListType;
}

/** The type of a list such as `ServiceList`, whose items may leave out apiVersion and kind. A plain `List` gives none. */
interface ListType {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Splits a text into its documents, and large lists further into their items. */
function* splitParts(text: string): Generator<Part> {
  for (const part of splitDocuments(text)) {
    const cut = part.body.length > charactersPerTurn ? cutList(part.body) : undefined;
    const typed = cut === undefined ? undefined : listType(cut.rest, part.line);
    if (cut === undefined || typed === undefined) yield part;
    else for (const item of cut.items) yield { body: item.text, line: part.line + item.line, typed };
  }
}

function listType(rest: string, line: number): ListType | undefined {
  const document = parseBounded(rest, line);
  if (document === undefined || document.errors.length > 0) return undefined;
  const { apiVersion, kind, items } = (document.toJS() ?? {}) as Readonly<Record<string, unknown>>;
  const isList = typeof apiVersion === 'string' && typeof kind === 'string' && kind.endsWith('List') && items === null;
  return isList ? { apiVersion, kind } : undefined;
}

function readItem(text: string, line: number, typed: ListType): ParsedDocument {
  const value = parseYaml(text, line);
  if (!Array.isArray(value)) throw notAnObject(line);
  const items: readonly unknown[] = value;
  return sortOut(unpackList({ ...typed, items }, line));
}

/** Splits at `---` at the start of a line, which begins a new document even inside a scalar (YAML 1.2, 9.1.2). */
function* splitDocuments(text: string): Generator<{ readonly body: string; readonly line: number }> {
  const starts = [0];
  for (const { index } of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) {
    if (index > 0) starts.push(index);
    if (starts.length > bounds.documents) throw tooMany('documents', bounds.documents, 1);
  }
  let line = 1;
  for (const [position, start] of starts.entries()) {
    const body = text.slice(start, starts[position + 1]);
    if (!onlyDirectives.test(body)) yield { body, line };
    line += countLines(body);
  }
}

/** Matches a document of nothing but the marker, comments and `%` directives. */
const onlyDirectives = /^(---)?([ \t\r]*([#%].*)?(\n|$))*$/;

function readDocument(body: string, firstLine: number): ParsedDocument {
  const value = body.trimStart().startsWith('{') ? parseJson(body, firstLine) : parseYaml(body, firstLine);
  if (value === null || value === undefined) return { objects: [], ignored: 0 };
  return sortOut(unpackList(value, firstLine));
}

function sortOut(found: Iterable<RawObject>): ParsedDocument {
  const objects: ReadObject[] = [];
  let ignored = 0;
  for (const item of found) {
    const kind = knownKind(item.apiVersion, item.kind);
    if (kind === undefined) ignored += 1;
    else objects.push(readObject(kind, item.raw));
  }
  return { objects, ignored };
}

/** Parses a text that starts like JSON. When it is not JSON, it may still be YAML in flow style. */
function parseJson(body: string, firstLine: number): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return parseYaml(body, firstLine);
  }
}

function parseYaml(body: string, firstLine: number): unknown {
  const document = parseBounded(body, firstLine);
  const error = document?.errors[0];
  if (error === undefined) {
    try {
      return document?.toJS() as unknown;
    } catch (problem) {
      throw new BadFile('BadYaml', messageOf(problem), { line: firstLine });
    }
  }
  const lines = new LineCounter();
  parseBounded(body, firstLine, lines);
  const line = firstLine + lines.linePos(error.pos[0]).line - 1;
  throw new BadFile('BadYaml', firstSentence(error.message), { line });
}

function firstSentence(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

interface RawObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The objects of a document: the document itself, or the items of a list. Items of a typed list may leave out their type. */
function* unpackList(value: unknown, line: number, typed?: RawObject): Generator<RawObject> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAnObject(line);
  const raw = value as Readonly<Record<string, unknown>>;
  const apiVersion = raw['apiVersion'] ?? typed?.apiVersion;
  const kind = raw['kind'] ?? typed?.kind;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw notAnObject(line);
  if (!kind.endsWith('List') || !Array.isArray(raw['items'])) {
    yield { apiVersion, kind, raw };
    return;
  }
  const items: readonly unknown[] = raw['items'];
  const itemType = kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -'List'.length), raw: {} };
  for (const item of items) yield* unpackList(item, line, itemType);
}

function notAnObject(line: number): BadFile {
  return new BadFile('NotAnObject', 'is not a Kubernetes object: apiVersion and kind are missing', { line });
}
