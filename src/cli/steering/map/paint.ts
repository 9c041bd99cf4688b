import type { Group } from './view.ts';

/** How a group is drawn. */
export interface Paint {
  /** One character, for terminals without colour. */
  readonly letter: string;
  /** For terminals: its number among the 256 colours of xterm. */
  readonly ansi: number;
  /** For pictures: `#0072b2`. */
  readonly colour: string;
}

/** The colours of Okabe and Ito, which people with any kind of colour blindness tell apart. */
const palette: readonly Omit<Paint, 'letter'>[] = [
  { ansi: 32, colour: '#0072b2' },
  { ansi: 214, colour: '#e69f00' },
  { ansi: 36, colour: '#009e73' },
  { ansi: 166, colour: '#d55e00' },
  { ansi: 175, colour: '#cc79a7' },
  { ansi: 74, colour: '#56b4e9' },
  { ansi: 227, colour: '#f0e442' },
];

export const neutral: Paint = { letter: '.', ansi: 244, colour: '#b8b8b8' };

/**
 * A paint for each group. A cluster has the same colour in every map of a platform, since `clusters` are all of its clusters in order; mixtures
 * and changes get what is left. Letters come from the labels, and are unique.
 */
export function paintsFor(groups: readonly Group[], clusters: readonly string[]): ReadonlyMap<Group, Paint> {
  const paints = new Map<Group, Paint>();
  const letters = new Set<string>();
  let next = clusters.length;
  for (const group of groups) {
    if (group.neutral) {
      paints.set(group, neutral);
      continue;
    }
    const known = clusters.indexOf(group.label);
    const place = known === -1 ? next++ : known;
    const letter = letterFor(group.label, letters);
    letters.add(letter);
    paints.set(group, { ...(palette[place % palette.length] ?? neutral), letter });
  }
  return paints;
}

function letterFor(label: string, taken: ReadonlySet<string>): string {
  const own = label.replace(/[^a-z]/gi, '').toLowerCase();
  const candidates = `${own}${own.toUpperCase()}abcdefghijklmnopqrstuvwxyz0123456789`.split('');
  return candidates.find((letter) => !taken.has(letter)) ?? '?';
}
