import { formatRecord, identityOf, type RecordSet } from '../../../answers/record.ts';

/** What a terminal shows of a record in two lines; a LUA record of PowerDNS is longer by far. */
const longest = 160;
/** So many places of one record are shown. */
const mostPlaces = 12;
/** Characters around a place, by which a person finds it. */
const around = 24;
/** Texts whose parts between beginning and end have more pairs of words than this are not compared word by word. */
const mostPairs = 4_000_000;

/** The records of a plan, one line each. Of a long one that is replaced only the places are shown in which both differ (pure). */
export function recordLines(changes: {
  readonly delete: readonly RecordSet[];
  readonly create: readonly RecordSet[];
}): readonly string[] {
  const created = new Map(changes.create.map((record) => [identityOf(record), formatRecord(record)]));
  const replaced = new Map<string, readonly string[]>();
  for (const record of changes.delete) {
    const [before, after] = [formatRecord(record), created.get(identityOf(record))];
    if (after === undefined || Math.max(before.length, after.length) <= longest) continue;
    replaced.set(identityOf(record), replacedLines(record, before, after));
  }
  const others = (records: readonly RecordSet[]) => records.filter((record) => !replaced.has(identityOf(record)));
  return [
    ...others(changes.delete).map((record) => `- ${shortened(formatRecord(record), longest)}`),
    ...others(changes.create).map((record) => `+ ${shortened(formatRecord(record), longest)}`),
    ...[...replaced.values()].flat(),
  ];
}

function replacedLines(record: RecordSet, before: string, after: string): readonly string[] {
  const places = differences(words(before), words(after));
  const more = places.length - mostPlaces;
  return [
    `~ ${identityOf(record).trimEnd()} (${before.length} -> ${after.length} characters) differs in ${places.length} ${places.length === 1 ? 'place' : 'places'}:`,
    ...places.slice(0, mostPlaces).map((place) => `    ${placeText(place)}`),
    ...(more > 0 ? [`    and in ${more} more`] : []),
  ];
}

/** Words of a record are what a person compares: a country, an address, a number; every other character stands by itself. */
function words(text: string): readonly string[] {
  return text.match(/[\w.:/-]+|[^]/g) ?? [];
}

/** A place in which two texts differ, with the texts on both sides of it. */
interface Place {
  readonly left: string;
  readonly removed: string;
  readonly added: string;
  readonly right: string;
}

/** `…FR=1,[-GB=2-]{+GB=3+},IM=2…`, as `git diff --word-diff` has it. */
function placeText({ left, removed, added, right }: Place): string {
  const gone = removed === '' ? '' : `[-${shortened(removed, longest)}-]`;
  const come = added === '' ? '' : `{+${shortened(added, longest)}+}`;
  return `…${left.slice(-around)}${gone}${come}${right.slice(0, around)}…`;
}

/** The places in which two texts differ; those with less than three equal words between them are one. */
function differences(before: readonly string[], after: readonly string[]): readonly Place[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const [old, now] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const kept = old.length * now.length > mostPairs ? [] : commonWords(old, now);
  const ends = [...kept, [old.length, now.length] as const];
  const places: { from: readonly [number, number]; to: readonly [number, number] }[] = [];
  let [atOld, atNow] = [0, 0];
  for (const [nextOld, nextNow] of ends) {
    const last = places.at(-1);
    if (nextOld > atOld || nextNow > atNow) {
      if (last !== undefined && atOld - last.to[0] < 3) last.to = [nextOld, nextNow];
      else places.push({ from: [atOld, atNow], to: [nextOld, nextNow] });
    }
    [atOld, atNow] = [nextOld + 1, nextNow + 1];
  }
  const text = (all: readonly string[], from: number, to: number): string => all.slice(Math.max(0, from), to).join('');
  return places.map(({ from, to }) => ({
    left: text(after, head + from[1] - around, head + from[1]),
    removed: text(old, from[0], to[0]),
    added: text(now, from[1], to[1]),
    right: text(after, head + to[1], head + to[1] + around),
  }));
}

/** The longest common subsequence, as pairs of positions. */
function commonWords(old: readonly string[], now: readonly string[]): readonly (readonly [number, number])[] {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1)
    for (let column = now.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] =
        old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
  const pairs: (readonly [number, number])[] = [];
  for (let [row, column] = [0, 0]; row < old.length && column < now.length; ) {
    if (old[row] === now[column]) {
      pairs.push([row, column]);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return pairs;
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 10)}... (${text.length} characters)` : text;
}
