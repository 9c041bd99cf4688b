import {
  type Document,
  isMap,
  isNode,
  isPair,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
  type YAMLError,
  type YAMLWarning,
} from 'yaml';
import { type Path, type SpecDocument, valueAt } from '../model/spec/document.ts';
import type { SpecProblem } from '../model/spec/objects.ts';
import { messageOf } from '../model/values.ts';
import { tooMuchToParse } from './limits.ts';

/** The documents of one file's text (YAML 1.2, so JSON too) and the problems of its syntax. Never throws. */
export function readDocuments(
  text: string,
  file: string,
  folder: string,
): { readonly documents: readonly SpecDocument[]; readonly problems: readonly SpecProblem[] } {
  const loneReturn = text.search(/\r(?!\n)/);
  if (loneReturn >= 0) return { documents: [], problems: [badLineEnds(text, loneReturn, file)] };
  const tooMuch = tooMuchToParse(text, file);
  if (tooMuch !== undefined) return { documents: [], problems: [tooMuch] };
  const lines = new LineCounter();
  const documents: SpecDocument[] = [];
  const problems: SpecProblem[] = [];
  for (const document of parse(text, lines)) {
    const read = valueOf(document, file, lines);
    const object = objectText(read.value);
    const syntax = syntaxProblems(document, text, file, lines).map((problem) => ({ ...problem, ...object }));
    problems.push(...syntax, ...read.problems);
    if (read.value === null || read.value === undefined) continue;
    const lineOf = (path: Path, what: 'value' | 'key' = 'value'): number => lineAt(document, path, what, lines);
    const broken = read.problems.length > 0 || syntax.some((problem) => problem.reason === 'NotYaml');
    documents.push({ file, folder, value: read.value, broken, lineOf });
  }
  if (documents.length === 0 && problems.length === 0) problems.push(fileEmpty(file));
  return { documents, problems };
}

/**
 * The text of a file without some of its documents, which are named by their places among those that `readDocuments` gives. What is
 * left of the text stays as it is.
 */
export function withoutDocuments(text: string, places: readonly number[]): string {
  const filled = parse(text, new LineCounter()).filter((document) => (document.toJS() ?? null) !== null);
  return places
    .flatMap((place) => filled[place] ?? [])
    .toSorted((a, b) => b.range[0] - a.range[0])
    .reduce((left, { range: [from, , to] }) => left.slice(0, from) + left.slice(to), text);
}

function parse(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  return Array.isArray(documents) ? documents : [];
}

interface Read {
  readonly value: unknown;
  readonly problems: readonly SpecProblem[];
}

/** The document as plain data. Aliases without an anchor, and aliases that expand without bounds, are problems. */
function valueOf(document: Document.Parsed, file: string, lines: LineCounter): Read {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), problems: [] };
  } catch (error) {
    let offset = document.contents?.range[0] ?? 0;
    visit(document, {
      Alias(_key, alias) {
        if (alias.resolve(document) !== undefined) return undefined;
        offset = alias.range?.[0] ?? offset;
        return visit.BREAK;
      },
    });
    const problem: SpecProblem = {
      reason: 'NotYaml',
      file,
      line: lines.linePos(offset).line,
      message: `not YAML: ${messageOf(error)}`,
      fix: 'write the values out instead of using YAML aliases',
    };
    return { value: undefined, problems: [problem] };
  }
}

function objectText(value: unknown): { readonly object?: string } {
  const kind = valueAt(value, ['kind']);
  const name = valueAt(value, ['metadata', 'name']);
  return typeof kind === 'string' && typeof name === 'string' ? { object: `${kind}/${name}` } : {};
}

function lineAt(document: Document.Parsed, path: Path, what: 'value' | 'key', lines: LineCounter): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? document.range[0];
  for (const [depth, part] of path.entries()) {
    if (isMap(node) && what === 'key' && depth === path.length - 1) {
      const key = node.items.find((pair) => isPair(pair) && keyText(pair.key) === String(part))?.key;
      if (isNode(key)) offset = key.range?.[0] ?? offset;
      break;
    }
    const next: unknown = isNode(node) && 'get' in node ? node.get(part, true) : undefined;
    if (!isNode(next)) break;
    node = next;
    offset = node.range?.[0] ?? offset;
  }
  return lines.linePos(offset).line;
}

function keyText(key: unknown): string {
  return isNode(key) && 'value' in key ? String(key.value) : String(key);
}

/** Every duplicate key, and the first other error: errors after that are mostly its consequences. */
function syntaxProblems(
  document: Document.Parsed,
  text: string,
  file: string,
  lines: LineCounter,
): readonly SpecProblem[] {
  const duplicates = document.errors.filter((error) => error.code === 'DUPLICATE_KEY');
  const others = [...document.errors, ...document.warnings].filter((error) => error.code !== 'DUPLICATE_KEY');
  const first = others.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  return [
    ...duplicates.map((error) => duplicateKey(error, text, file, lines)),
    ...(first === undefined ? [] : [syntaxProblem(first, file, lines)]),
  ];
}

function duplicateKey(error: YAMLError, text: string, file: string, lines: LineCounter): SpecProblem {
  const key = /^["']?([^"':\s,}]+)/.exec(text.slice(error.pos[0], error.pos[0] + 80))?.[1] ?? '';
  const { line } = lines.linePos(error.pos[0]);
  const message = `the key "${key}" is written twice in one mapping`;
  return { reason: 'DuplicateKey', file, line, message, fix: 'keep one' };
}

function syntaxProblem(error: YAMLError | YAMLWarning, file: string, lines: LineCounter): SpecProblem {
  const { line } = lines.linePos(error.pos[0]);
  if (error.code === 'TAB_AS_INDENT')
    return { reason: 'NotYaml', file, line, message: 'a tab is used for indentation', fix: 'indent with spaces' };
  const message = error.message.replaceAll('\n', ' ').replace(/[.:]?\s*$/, '');
  return { reason: 'NotYaml', file, line, message: `not YAML: ${message}`, fix: 'correct the text there' };
}

function badLineEnds(text: string, at: number, file: string): SpecProblem {
  return {
    reason: 'BadLineEnds',
    file,
    line: text.slice(0, at).split('\n').length,
    message: 'a carriage return without a line feed, which YAML readers take for different things',
    fix: 'save the file with Unix line ends',
  };
}

function fileEmpty(file: string): SpecProblem {
  return {
    reason: 'FileEmpty',
    file,
    message: 'holds no object',
    expected: 'at least one YAML document with apiVersion, kind, metadata and spec',
    fix: 'write an object into it, or remove the file',
  };
}
