import { compareText } from '../../../../src/model/values.ts';
/**
 * A DNS name as the emulator keeps it: lower case, with the trailing dot, a wildcard label as `\052`, which is how
 * Route 53 shows it. Undefined when the text is no name of letters, digits, `-` and `_` (Route 53 takes more characters, in
 * octal; that is not emulated).
 */
export function canonicalName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/^\*(?=\.|$)/, '\\052');
  const labels = (name.endsWith('.') ? name.slice(0, -1) : name).split('.');
  const valid = labels.every(
    (label, index) => (index === 0 && label === '\\052') || (label.length <= 63 && /^[a-z0-9_-]+$/.test(label)),
  );
  const wireLength = labels.reduce((sum, label) => sum + label.length + 1, 1);
  return valid && wireLength <= 255 ? `${labels.join('.')}.` : undefined;
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
