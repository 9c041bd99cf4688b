import { printable, printableJson } from '../model/printable.ts';
import { withoutUrlSecrets } from '../model/secrets.ts';

/**
 * The one place where text reaches the terminal of a person: every command prints by this, a line at a time. What belongs to
 * other people stands inside of lines and cannot leave them (`printable`); so whoever makes text for people makes lines.
 * Passwords in addresses are hidden.
 */
export interface Output {
  write(text: string): unknown;
}

/** Prints each text as one line on standard output. */
export function printLines(lines: readonly string[], output: Output = process.stdout): void {
  output.write(lines.map((line) => `${printable(withoutUrlSecrets(line))}\n`).join(''));
}

/** Prints each text as one line on standard error. */
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
