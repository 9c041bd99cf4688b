import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml';
import { BadFile } from './bad-file.ts';

/**
 * What a folder of manifests may have. Agents read it on the thread that renews their leases, and the parser needs minutes for a text
 * that was made for it. An object of Kubernetes has at most 1.5 MiB.
 */
export const bounds = {
  files: 20_000,
  folders: 5000,
  levelsOfFolders: 32,
  fileBytes: 64 << 20,
  folderBytes: 512 << 20,
  documents: 100_000,
  /** Of one YAML document, or of one item of a list that is cut. */
  characters: 8 << 20,
  tokens: 500_000,
  /** Open collections of the parser: two or three for each level that a person sees. */
  open: 600,
  aliases: 100,
} as const;

const split = 'split it, or write it as `kubectl get -o yaml` prints it';

export function tooMany(what: string, most: number, line: number, fix: string = split): BadFile {
  return new BadFile('FileTooLarge', `has too many ${what}`, { line, expected: `at most ${most}`, fix });
}

const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;

/**
 * Parses one YAML document, and throws BadFile as soon as it goes beyond a bound. `line` is where the text starts in its file.
 * Unique keys and pretty errors would take most of the time of large files.
 */
export function parseBounded(text: string, line: number, lines?: LineCounter): Document.Parsed | undefined {
  if (text.length > bounds.characters) throw tooMany('characters in one object', bounds.characters, line);
  const composer = new Composer({ ...options, ...(lines === undefined ? {} : { lineCounter: lines }) });
  let first: Document.Parsed | undefined;
  for (const document of composer.compose(tokensOf(text, line, lines), true, text.length))
    first ??= document as Document.Parsed;
  return first;
}

function* tokensOf(text: string, line: number, lines: LineCounter | undefined) {
  const parser = new Parser(lines?.addNewLine);
  let [tokens, aliases] = [0, 0];
  lines?.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    tokens += 1;
    if (lexeme.charCodeAt(0) === 42) aliases += 1;
    if (tokens > bounds.tokens) throw tooMany('values in one object', bounds.tokens, line);
    if (aliases > bounds.aliases) throw tooMany('aliases', bounds.aliases, line, 'write the values out');
    yield* parser.next(lexeme);
    if (parser.stack.length > bounds.open) throw tooMany('levels', bounds.open, line, 'remove the nesting');
  }
  yield* parser.end();
}
