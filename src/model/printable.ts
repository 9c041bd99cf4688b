/**
 * Text of other people, made fit for one line of a terminal or a log: names of objects and files, reasons, messages of servers.
 * A terminal obeys control characters, a reader believes what looks like a line of its own, and bidirectional controls show a
 * text in another order than it has.
 */

/** Controls (C0, DEL, C1), line separators, and format characters but the two joiners, which scripts and emoji need. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line: every character that is not visible is written as its escape. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => short[character] ?? escape(character));
}

/** JSON text, as `JSON.stringify` makes it, with the characters escaped that it leaves as they are; it stays the same JSON. */
export function printableJson(json: string): string {
  return json.replace(unprintable, (character) => (character === '\n' ? character : escape(character)));
}

/** In UTF-16 units, as JSON has it. */
function escape(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
