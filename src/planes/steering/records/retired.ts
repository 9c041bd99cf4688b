import type { RecordSet } from '../../../answers/record.ts';
import { contentName } from './hash.ts';

/**
 * A health check that the generation record says is unused. No plan uses it again: a writer whose plan did has an older generation
 * and fails, and one that reads this generation makes another check. So it can be deleted at any later time, however
 * late the writer is that does it.
 */
export interface Retired {
  /** `retiredName` of the provider's identifier. */
  readonly name: string;
  /** When it was retired, seconds since the epoch. */
  readonly atSeconds: number;
}

/** For this long a retired check stays, for a person who has to put records back by hand. */
const graceSeconds = 3600;
/** So many checks may be retired at once, so that the generation record leaves room for hosts. */
const mostRetired = 400;
/** A character string of a TXT record has at most 255 characters. */
const namesPerValue = 16;
const valueStart = 'retired=';

/** The short name of a check in the generation record. */
export function retiredName(id: string): string {
  return contentName(id);
}

export function isPastGrace({ atSeconds }: Retired, nowMs: number): boolean {
  return nowMs >= (atSeconds + graceSeconds) * 1000;
}

/** How many more checks can be retired when the generation record has room for so many more values. */
export function roomToRetire(retired: readonly Retired[], values: number): number {
  return Math.max(0, Math.min(mostRetired, values * namesPerValue) - retired.length);
}

/** The values of the generation record for retired checks: `"retired=<seconds> <name> <name> ..."`. */
export function retiredValues(retired: readonly Retired[]): readonly string[] {
  const byTime = Map.groupBy(retired, ({ atSeconds }) => atSeconds);
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .flatMap(([atSeconds, members]) => {
      const names = members.map(({ name }) => name).sort();
      const starts = names.flatMap((_name, index) => (index % namesPerValue === 0 ? [index] : []));
      return starts.map(
        (start) => `"${valueStart}${atSeconds} ${names.slice(start, start + namesPerValue).join(' ')}"`,
      );
    });
}

/** What a value of the generation record, without its quotes, says of retired checks; undefined when it says something else. */
export function parseRetired(text: string): readonly Retired[] | undefined {
  const [, seconds, names] = /^retired=(\d{1,12})((?: [0-9a-z]+)+)$/.exec(text) ?? [];
  if (seconds === undefined || names === undefined) return undefined;
  return names
    .trim()
    .split(' ')
    .map((name) => ({ name, atSeconds: Number(seconds) }));
}

/** The retired checks of a generation record, also of one whose other values cannot be read. */
export function retiredIn(record: RecordSet | undefined): readonly Retired[] {
  if (record?.target.kind !== 'values') return [];
  return record.target.values.flatMap((value) => parseRetired(value.replaceAll('"', '')) ?? []);
}
