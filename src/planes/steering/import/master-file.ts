import { withoutUndefined } from '../../../model/values.ts';
import { serverTypes } from './zone-file.ts';

/**
 * A reader of master files (RFC 1035, section 5; RFC 2308 for $TTL), as BIND and most name servers keep zones. It reads what stands in one
 * file: $INCLUDE and BIND's $GENERATE are refused by name. What is wrong is a MasterFileError with the line.
 */
export interface MasterRecord {
  /** Absolute, in lower case, without the trailing dot; escaped characters of a label stay escaped where they must be. */
  readonly owner: string;
  readonly ttlSeconds: number;
  /** In upper case. */
  readonly type: string;
  /** The words of the data: those in quotes without them, names as they stand. */
  readonly data: readonly string[];
  /** Of NS, MX and SRV: the name that they lead to, in the form of `owner`. */
  readonly leadsTo?: string;
  readonly line: number;
}

export class MasterFileError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** What a file may hold at most. */
const mostRecords = 1_000_000;
const mostWords = 1000;
/** RFC 1035, section 2.3.4, without the trailing dot; escapes may make the text of a name longer. */
const longestName = 1020;
const longestTtl = 2 ** 31 - 1;

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

interface Entry {
  readonly words: readonly Word[];
  /** True when the line begins with a space: the owner is that of the record before. */
  readonly indented: boolean;
  readonly line: number;
}

/** The records of a file; `origin` is that of relative names before the first $ORIGIN, absolute. */
export function parseMasterFile(text: string, origin: string): readonly MasterRecord[] {
  const records: MasterRecord[] = [];
  const state: State = { origin: clean(origin), owner: undefined, ttl: undefined, lastTtl: undefined };
  for (const entry of entriesOf(text)) {
    const record = read(entry, state);
    if (record === undefined) continue;
    if (records.length === mostRecords) throw new MasterFileError(entry.line, `more than ${mostRecords} records`);
    records.push(record);
  }
  return records;
}

interface State {
  origin: string;
  owner: string | undefined;
  /** Of $TTL. */
  ttl: number | undefined;
  lastTtl: number | undefined;
}

function read(entry: Entry, state: State): MasterRecord | undefined {
  const { line, indented } = entry;
  const words = [...entry.words];
  const [first] = words;
  if (first === undefined) return undefined;
  if (!indented && !first.quoted && first.text.startsWith('$')) {
    direct(words, state, line);
    return undefined;
  }
  if (!indented) state.owner = absolute(words.shift()?.text ?? '', state.origin, line);
  const { owner } = state;
  if (owner === undefined) throw new MasterFileError(line, 'a record without an owner, and none stands before it');
  const ttl = ttlBeforeType(words, line);
  const type = words.shift()?.text.toUpperCase() ?? '';
  if (!/^[A-Z][A-Z0-9-]{0,15}$/.test(type))
    throw new MasterFileError(line, `expected a record type, not ${shown(type)}`);
  if (words.length === 0) throw new MasterFileError(line, `${owner} ${type} has no data`);
  const ttlSeconds = ttl ?? state.ttl ?? state.lastTtl ?? soaMinimum(type, words, line);
  if (ttlSeconds === undefined)
    throw new MasterFileError(line, `${owner} ${type} has no TTL, and no $TTL or record with one stands before it`);
  state.lastTtl = ttlSeconds;
  const data = words.map((word) => word.text);
  const leadsTo = serverTypes.includes(type) ? absolute(data.at(-1) ?? '', state.origin, line) : undefined;
  return { owner, ttlSeconds, type, data, line, ...withoutUndefined({ leadsTo }) };
}

/** Takes TTL and class away, which may stand in either order, or not at all. */
function ttlBeforeType(words: Word[], line: number): number | undefined {
  let ttl: number | undefined;
  for (let word = words[0]; word !== undefined && !word.quoted; word = words[0]) {
    if (/^\d/.test(word.text) && ttl === undefined) ttl = ttlOf(word.text, line);
    else if (/^(CS|CH|HS)$/i.test(word.text)) throw new MasterFileError(line, `class ${word.text}: only IN is read`);
    else if (!/^IN$/i.test(word.text)) break;
    words.shift();
  }
  return ttl;
}

/** A file of before $TTL takes the last field of its SOA (RFC 2308, section 4). */
function soaMinimum(type: string, words: readonly Word[], line: number): number | undefined {
  const last = words.at(-1);
  return type === 'SOA' && last !== undefined ? ttlOf(last.text, line) : undefined;
}

function direct(words: readonly Word[], state: State, line: number): void {
  const [name = '', value, ...more] = words.map(({ text }) => text);
  const directive = name.toUpperCase();
  if (directive === '$INCLUDE' || directive === '$GENERATE')
    throw new MasterFileError(line, `${directive} is not read: write its records into the file`);
  if (directive !== '$ORIGIN' && directive !== '$TTL') throw new MasterFileError(line, `${shown(name)} is not known`);
  if (value === undefined || more.length > 0) throw new MasterFileError(line, `${directive} takes one value`);
  if (directive === '$ORIGIN') state.origin = absolute(value, state.origin, line);
  else state.ttl = ttlOf(value, line);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds, or BIND's `1h30m`. */
function ttlOf(text: string, line: number): number {
  const parts = [...text.toLowerCase().matchAll(/(\d{1,10})([smhdw]?)/gy)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 1), 0);
  if (parts.length === 0 || length !== text.length || seconds > longestTtl)
    throw new MasterFileError(line, `${shown(text)} is no time to live: expected seconds, or the like of 1h30m`);
  return seconds;
}

const clean = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** The absolute name, without the trailing dot; that of the root is empty. */
function absolute(name: string, origin: string, line: number): string {
  if (name === '@') return origin;
  const isAbsolute = /(?:^|[^\\])(?:\\\\)*\.$/.test(name);
  const own = withoutNeedlessEscapes(name, line);
  const relative = isAbsolute || origin === '' ? own : `${own}.${origin}`;
  const whole = isAbsolute ? relative.slice(0, -1).toLowerCase() : relative.toLowerCase();
  if (whole.length > longestName || /(?:^|[^\\])(?:\\\\)*\.\./.test(whole) || whole.startsWith('.'))
    throw new MasterFileError(line, `${shown(name)} is no name`);
  return whole;
}

/** A letter, a digit and the like are the same with an escape as without (RFC 1035, section 5.1). */
function withoutNeedlessEscapes(name: string, line: number): string {
  return replaceEscapes(name, line, (meant, escape) => (/[\w*-]/.test(meant) ? meant : escape));
}

/** Replaces each escape: `\DDD` is a byte by its decimal number, `\X` the character itself. */
function replaceEscapes(text: string, line: number, by: (meant: string, escape: string) => string): string {
  return text.replace(/\\(?:(\d{1,3})|(.))/g, (escape: string, number?: string, character?: string) => {
    if (number !== undefined && (number.length < 3 || Number(number) > 255))
      throw new MasterFileError(line, `${shown(escape)} is no character: expected a backslash and 000 to 255`);
    return by(character ?? String.fromCharCode(Number(number)), escape);
  });
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** What cannot be part of a plain word. */
const wordEnds = ' \t\r\n;()"';

/** The entries of the file: a line, or several where parentheses join them. */
function* entriesOf(text: string): Generator<Entry> {
  const scanner = new Scanner(text);
  for (let entry = scanner.next(); entry !== undefined; entry = scanner.next()) if (entry.words.length > 0) yield entry;
}

class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  /** The next entry, which may be empty; undefined at the end. */
  next(): Entry | undefined {
    const text = this.#text;
    if (this.#at >= text.length) return undefined;
    const line = this.#line;
    const indented = text[this.#at] === ' ' || text[this.#at] === '\t';
    const words: Word[] = [];
    let openedAt: number | undefined;
    while (this.#at < text.length) {
      const character = text[this.#at] ?? '';
      if (character === '\n') {
        this.#at += 1;
        this.#line += 1;
        if (openedAt === undefined) return { words, indented, line };
      } else if (character === ';') {
        const end = text.indexOf('\n', this.#at);
        this.#at = end < 0 ? text.length : end;
      } else if (character === '(') {
        if (openedAt !== undefined) throw new MasterFileError(this.#line, 'a parenthesis inside parentheses');
        openedAt = this.#line;
        this.#at += 1;
      } else if (character === ')') {
        if (openedAt === undefined) throw new MasterFileError(this.#line, 'a parenthesis ends that did not begin');
        openedAt = undefined;
        this.#at += 1;
      } else if (character === ' ' || character === '\t' || character === '\r') this.#at += 1;
      else {
        if (words.length === mostWords)
          throw new MasterFileError(this.#line, `more than ${mostWords} words in a record`);
        words.push(character === '"' ? this.#quoted() : this.#plain());
      }
    }
    if (openedAt !== undefined) throw new MasterFileError(openedAt, 'a parenthesis does not end');
    return { words, indented, line };
  }

  #plain(): Word {
    const begin = this.#at;
    while (this.#at < this.#text.length && !wordEnds.includes(this.#text[this.#at] ?? '')) this.#skip();
    return { text: this.#text.slice(begin, this.#at), quoted: false };
  }

  /** Passes one character, or one with the backslash before it. */
  #skip(): void {
    const escapes = this.#text[this.#at] === '\\';
    const next = this.#text[this.#at + 1];
    if (escapes && (next === undefined || next === '\n'))
      throw new MasterFileError(this.#line, 'a backslash at the end of the line');
    this.#at += escapes ? 2 : 1;
  }

  #quoted(): Word {
    const line = this.#line;
    this.#at += 1;
    const begin = this.#at;
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length || this.#text[this.#at] === '\n')
        throw new MasterFileError(line, 'a quotation mark does not end');
      this.#skip();
    }
    const text = replaceEscapes(this.#text.slice(begin, this.#at), line, (meant) => meant);
    this.#at += 1;
    return { text, quoted: true };
  }
}
