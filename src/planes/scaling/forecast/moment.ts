import { localClock, momentOf } from '../../../model/geo/local-time.ts';
import { badScaling } from '../reasons.ts';

const dayMs = 86_400_000;
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

export interface Here {
  readonly nowMs: number;
  /** The time zone of a moment that names none. */
  readonly zone: string;
}

/** Further ahead the history of fifteen days, which is kept, says nothing. */
const longestDays = 14;
const fix = 'write "sunday 21:00", "tomorrow 08:00 Europe/Paris" or 2026-12-24T18:00:00Z';

/** The moment of the next two weeks that somebody names, as `momentNamed` reads it. Throws an InputError for any other. */
export function momentAhead(text: string, here: Here): number {
  const atMs = momentNamed(text, here);
  if (atMs === undefined) throw badScaling('MomentUnusable', `${JSON.stringify(text)} names no moment to come`, fix);
  const at = new Date(atMs).toISOString();
  if (atMs < here.nowMs) throw badScaling('MomentUnusable', `${at} lies in the past`, fix);
  if (atMs > here.nowMs + longestDays * dayMs)
    throw badScaling('MomentUnusable', `${at} is more than ${longestDays} days ahead`, fix);
  return atMs;
}

/**
 * The moment that somebody names: `2026-11-29T21:00:00+01:00`, or a time after `now` as `21:00`, `tomorrow 21:00` and `sunday 21:00`, each with
 * a time zone where it is not that of this machine: `sunday 21:00 Europe/Paris`. Undefined for another form, and for no zone.
 */
export function momentNamed(text: string, { nowMs, zone: ownZone }: Here): number | undefined {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? undefined : atMs;
  }
  const [, day = '', hours = '', minutes = '', zone = ownZone] =
    /^(?:([a-z]+) )?([01]\d|2[0-3]):([0-5]\d)(?: ([A-Za-z][\w+-]*(?:\/[\w+-]+)*))?$/i.exec(text) ?? [];
  if (hours === '' || !isZone(zone)) return undefined;
  const today = Math.floor(localClock(zone, nowMs, nowMs)(nowMs) / dayMs);
  const timeMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return daysMeant(day.toLowerCase(), today)
    ?.map((one) => momentOf(zone, one * dayMs + timeMs))
    .find((atMs) => atMs > nowMs);
}

/** The days, since the epoch, that a word may mean, the first that is still to come counts. */
function daysMeant(word: string, today: number): readonly number[] | undefined {
  if (word === '') return [today, today + 1, today + 2];
  if (word === 'today') return [today];
  if (word === 'tomorrow') return [today + 1];
  const weekday = weekdays.findIndex((name) => name === word || (word.length === 3 && name.startsWith(word)));
  if (weekday === -1) return undefined;
  const next = today + ((weekday - ((today + 4) % 7) + 7) % 7);
  return [next, next + 7];
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format(0);
    return true;
  } catch {
    return false;
  }
}
