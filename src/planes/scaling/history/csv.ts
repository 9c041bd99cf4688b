import { countryOf } from '../../../model/geo/countries.ts';
import { placeFix } from '../../../model/geo/meant.ts';
import { stateOf } from '../../../model/geo/states.ts';
import { type Step, stepMs, unknownPlace } from '../forecast/history.ts';
import { badScaling } from '../reasons.ts';

const mostPerSecond = 1e12;

interface Row {
  readonly atMs: number;
  readonly place: string;
  readonly perSecond: number;
}

/**
 * The history that a table tells, `time,country,requests per second` in each line: RFC 3339 times or seconds since the epoch, codes of countries
 * or states or `unknown`. What lies in the same five minutes is averaged. Throws an InputError for another form.
 */
export function stepsOfCsv(text: string, file: string): readonly Step[] {
  const sums = new Map<number, Map<string, { sum: number; count: number }>>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || (index === 0 && /^time,/i.test(line))) continue;
    const { atMs, place, perSecond } = rowOf(line, `${file}:${index + 1}`);
    const step = Math.ceil(atMs / stepMs) * stepMs;
    const places = sums.get(step) ?? new Map<string, { sum: number; count: number }>();
    const known = places.get(place) ?? { sum: 0, count: 0 };
    places.set(place, { sum: known.sum + perSecond, count: known.count + 1 });
    sums.set(step, places);
  }
  return [...sums].toSorted(([a], [b]) => a - b).map(([atMs, places]) => stepOf(atMs, places));
}

function stepOf(atMs: number, places: ReadonlyMap<string, { readonly sum: number; readonly count: number }>): Step {
  const means = Object.fromEntries([...places].map(([place, { sum, count }]) => [place, sum / count]));
  const { [unknownPlace]: unknownPerSecond, ...requestsPerSecond } = means;
  return { atMs, requestsPerSecond, ...(unknownPerSecond === undefined ? {} : { unknownPerSecond }) };
}

function rowOf(line: string, where: string): Row {
  const [time = '', place = '', rate = '', ...more] = line
    .split(',')
    .map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  if (rate === '' || more.length > 0)
    throw unreadable(where, 'expected time,country,requests per second', 'see docs/operations/scaling.md');
  const atMs = /^\d{9,10}(\.\d+)?$/.test(time) ? Number(time) * 1000 : Date.parse(time);
  if (!/^\d{9,10}(\.\d+)?$|^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(time) || Number.isNaN(atMs))
    throw unreadable(
      where,
      `${JSON.stringify(time)} is no time`,
      'write it as 2026-11-28T12:05:00Z, or as seconds since the epoch',
    );
  if (place !== unknownPlace && countryOf(place) === undefined && stateOf(place) === undefined)
    throw unreadable(where, `${JSON.stringify(place)} is no country`, placeFix(place));
  const perSecond = Number(rate);
  if (!(perSecond >= 0 && perSecond <= mostPerSecond))
    throw unreadable(
      where,
      `${JSON.stringify(rate)} is no number of requests`,
      `expected a number from 0 to ${mostPerSecond}`,
    );
  return { atMs, place, perSecond };
}

function unreadable(where: string, why: string, fix: string): Error {
  return badScaling('HistoryUnreadable', `${where}: ${why}`, fix);
}
