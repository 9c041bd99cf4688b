import { compareText } from '../../../../src/model/values.ts';
/**
 * A DNS name as the emulator keeps it and as Route 53 shows it: lower case, with the trailing dot, and every byte but `a` to `z`, `0` to `9`,
 * `-` and `_` as a backslash and three octal digits, so that a wildcard begins with `\052`. It takes visible ASCII characters
 * as they are and any byte in octal. Undefined when the text is no name.
 */
export function canonicalName(text: string): string | undefined {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.').map(bytesOfLabel);
  return nameOf(labels);
}

/** The canonical name of a name as it is decoded from a message, in which a backslash is a backslash. */
export function canonicalWireName(text: string): string | undefined {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  return nameOf(labels.map((label) => (/^[\x20-\x7e]+$/.test(label) ? [...Buffer.from(label)] : undefined)));
}

/** A canonical name for the encoder of messages, which knows no escapes. A dot inside of a label is lost on it. */
export function wireName(name: string): string {
  return name.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function bytesOfLabel(text: string): readonly number[] | undefined {
  const parts = text.match(/\\[0-3][0-7]{2}|[\x21-\x5b\x5d-\x7e]/g) ?? [];
  if (parts.join('') !== text || text === '') return undefined;
  return parts.map((part) => (part.length > 1 ? Number.parseInt(part.slice(1), 8) : part.charCodeAt(0)));
}

function nameOf(labels: readonly (readonly number[] | undefined)[]): string | undefined {
  const whole = labels.flatMap((label) => (label === undefined || label.length > 63 ? [] : [label]));
  const wireLength = whole.reduce((sum, label) => sum + label.length + 1, 1);
  if (whole.length < labels.length || wireLength > 255) return undefined;
  return `${whole.map((label) => label.map(textOfByte).join('')).join('.')}.`;
}

function textOfByte(byte: number): string {
  const character = String.fromCharCode(byte).toLowerCase();
  return /[a-z0-9_-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
}

/** The labels, rightmost first. */
function labelsFromRoot(name: string): readonly string[] {
  return name.slice(0, -1).split('.').toReversed();
}

/** Route 53's listing order: by label from the right, so a name comes before everything below it. */
export function compareNames(a: string, b: string): number {
  const left = labelsFromRoot(a);
  const right = labelsFromRoot(b);
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = compareText(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** True when `name` is the zone's apex or below it. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The name without its leftmost label; undefined for a top-level name. */
export function parentOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot < 0 || dot === name.length - 1 ? undefined : name.slice(dot + 1);
}
