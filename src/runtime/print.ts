import { printable, printableJson } from '../model/printable.ts';
import { withoutUrlSecrets } from '../model/secrets.ts';
import { wrapLine } from '../model/wrap.ts';

/**
 * The one place where text reaches the terminal of a person: every command prints by this, a line at a time. What belongs to
 * other people stands inside of lines and cannot leave them (`printable`); so whoever makes text for people makes lines.
 * Passwords in addresses are hidden.
 */
export interface Output {
  write(text: string): unknown;
  /** Of a terminal, its width. */
  readonly columns?: number;
}

/** Prints each text as one line on standard output; on a terminal, where it does not fit, as several (`wrapLine`). */
export function printLines(lines: readonly string[], output: Output = process.stdout): void {
  const texts = lines.map((line) => printable(withoutUrlSecrets(line)));
  output.write(
    texts
      .flatMap((text) => wrapLine(text, output.columns))
      .map((line) => `${line}\n`)
      .join(''),
  );
}

/** A part of a line, in colours by their number among the 256 of xterm. */
export interface Segment {
  readonly text: string;
  readonly foreground?: number;
  readonly background?: number;
}

/** Prints lines in colours, for a terminal that has them (`hasColour`). They are not wrapped. */
export function printColoured(lines: readonly (readonly Segment[])[], output: Output = process.stdout): void {
  output.write(lines.map((line) => `${line.map(coloured).join('')}\n`).join(''));
}

/** Whether standard output is a terminal with colours, and nobody asked for none (https://no-color.org). */
export function hasColour(): boolean {
  const { NO_COLOR = '', TERM } = process.env;
  return process.stdout.isTTY && NO_COLOR === '' && TERM !== 'dumb';
}

function coloured({ text, foreground, background }: Segment): string {
  const codes = [
    ...(foreground === undefined ? [] : [`38;5;${foreground}`]),
    ...(background === undefined ? [] : [`48;5;${background}`]),
  ];
  const shown = printable(withoutUrlSecrets(text));
  return codes.length === 0 ? shown : `\u001b[${codes.join(';')}m${shown}\u001b[0m`;
}

/** As `printLines`, on standard error. */
export function printErrorLines(lines: readonly string[]): void {
  printLines(lines, process.stderr);
}

/** Empties a terminal for the next picture. */
export function clearScreen(): void {
  process.stdout.write('\u001b[H\u001b[2J');
}

/** Prints a value as JSON on standard output, for programs; indented unless it is to be one line. */
export function printJson(value: unknown, space: 0 | 2 = 2): void {
  process.stdout.write(`${printableJson(withoutUrlSecrets(JSON.stringify(value, undefined, space)))}\n`);
}

/** Prints a value as YAML on standard output, for programs. A text with characters that are not visible is quoted and escapes them. */
export async function printYaml(value: unknown): Promise<void> {
  const { Document, Scalar, visit } = await import('yaml');
  const document = new Document(JSON.parse(withoutUrlSecrets(JSON.stringify(value))));
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && node.value !== printable(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  process.stdout.write(printableJson(document.toString({ lineWidth: 0 })));
}

/** The lines of a message that may have several: those after the first are indented, and cannot be taken for lines of ours. */
export function messageLines(message: string): readonly string[] {
  const [first = '', ...rest] = message.trimEnd().split('\n');
  return [first, ...rest.map((line) => `    ${line}`)];
}
