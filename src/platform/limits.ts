import { type CST, Parser } from 'yaml';
import type { SpecProblem } from '../model/spec/objects.ts';

/**
 * What a file of the spec may have. An agent reads the files on the thread that renews its leases, and the parser needs seconds for
 * a text that was made for it: keys of a mapping are compared with each other, levels are calls inside of calls, and an alias is
 * looked for in the whole document.
 */
export const limits = {
  bytes: 1 << 20,
  levels: 64,
  entries: 1000,
  aliases: 100,
  documents: 1000,
  /** Files and folders under one path. */
  entriesOfFolder: 10_000,
} as const;

/** The problem of a file that is too large to be read at all. */
export function tooManyBytes(file: string, bytes: number): SpecProblem | undefined {
  if (bytes <= limits.bytes) return undefined;
  return tooLarge(file, undefined, `has ${bytes} bytes`, `at most ${limits.bytes}`);
}

/** The problem of a folder that somebody named instead of that of the spec, a home directory say. */
export function tooManyEntries(folder: string): SpecProblem {
  const message = 'has too many files and folders';
  const fix = 'name the folder that holds the platform spec';
  return { reason: 'FileTooLarge', file: folder, message, expected: `at most ${limits.entriesOfFolder}`, fix };
}

/**
 * The problem of a text that would keep the parser busy. Only its tokens are looked at, which takes a time in proportion to the
 * text.
 */
export function tooMuchToParse(text: string, file: string): SpecProblem | undefined {
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  const levels = `at most ${limits.levels} levels`;
  let aliases = 0;
  let documents = 0;
  for (const token of new Parser().parse(text)) {
    if (token.type !== 'document') continue;
    documents += 1;
    if (documents > limits.documents)
      return tooLarge(file, lineOf(token.offset), 'has too many documents', `at most ${limits.documents}`);
    for (const { node, level } of nodesOf(token.value)) {
      if (level > limits.levels) return tooLarge(file, lineOf(node.offset), 'is nested too deeply', levels);
      if (node.type === 'alias') aliases += 1;
      if (aliases > limits.aliases)
        return tooLarge(file, lineOf(node.offset), 'has too many aliases', `at most ${limits.aliases}`);
      const entries = 'items' in node ? node.items.length : 0;
      if (entries > limits.entries)
        return tooLarge(file, lineOf(node.offset), `has ${entries} entries in one place`, `at most ${limits.entries}`);
    }
  }
  return undefined;
}

/** The nodes of a document with their levels, without calls inside of calls. */
function* nodesOf(root: CST.Token | undefined): Generator<{ readonly node: CST.Token; readonly level: number }> {
  const rest = root === undefined ? [] : [{ node: root, level: 1 }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    yield next;
    const { node, level } = next;
    if (!('items' in node)) continue;
    for (const { key, value } of node.items)
      for (const inner of [key, value])
        if (inner !== undefined && inner !== null) rest.push({ node: inner, level: level + 1 });
  }
}

function tooLarge(file: string, line: number | undefined, message: string, expected: string): SpecProblem {
  const place = line === undefined ? {} : { line };
  const fix = 'split it into several files and objects, and write values out instead of using aliases';
  return { reason: 'FileTooLarge', file, ...place, message, expected, fix };
}
