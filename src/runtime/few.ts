import type { Log } from './log.ts';

/** How many of many things a log names one by one. */
const most = 20;

/** The first of many texts for one field of a log line, and how many there are beside these. */
export function few(texts: readonly string[]): readonly string[] {
  return texts.length <= most ? texts : [...texts.slice(0, most), `and ${texts.length - most} more`];
}

/** Warns about each of a few things in a line of its own, and says of many how many there are beside the first. */
export function warnOfFew(log: Log, things: readonly object[], message: string): void {
  for (const thing of things.slice(0, most)) log.warn({ ...thing }, message);
  if (things.length > most) log.warn({ more: things.length - most }, `${message}; so are others, see /status`);
}
