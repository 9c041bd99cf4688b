const minuteMs = 60_000;
const dayMs = 86_400_000;

/** So far clocks of a zone are ahead of UTC at a moment, in milliseconds; seconds of old local times are cut off. Throws a RangeError for no zone. */
export function offsetMs(zone: string, atMs: number): number {
  const part = formatOf(zone)
    .formatToParts(atMs)
    .find(({ type }) => type === 'timeZoneName');
  const [, sign, hours, minutes] = /([+-])(\d{2}):(\d{2})/.exec(part?.value ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs;
}

/** To make one takes as long as to use it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  formats.set(zone, made);
  return made;
}

/** What clocks of a zone show, as the milliseconds since the epoch at which those of UTC show the same. */
export type LocalClock = (atMs: number) => number;

/** The clock of a zone, for moments from one to another. Moments outside have the offset of the nearer end. */
export function localClock(zone: string, fromMs: number, toMs: number): LocalClock {
  const changes = [{ atMs: fromMs, offset: offsetMs(zone, fromMs) }];
  let offset = changes[0]?.offset ?? 0;
  for (let beforeMs = fromMs; beforeMs < toMs; beforeMs += dayMs) {
    const afterMs = Math.min(toMs, beforeMs + dayMs);
    const next = offsetMs(zone, afterMs);
    if (next !== offset) changes.push({ atMs: changeBetween(zone, beforeMs, afterMs), offset: next });
    offset = next;
  }
  const [first, ...later] = changes;
  return (atMs) => atMs + ((later.findLast((change) => change.atMs <= atMs) ?? first)?.offset ?? 0);
}

/** The first whole minute after which a zone has its later offset; there is one change between the two moments. */
function changeBetween(zone: string, beforeMs: number, afterMs: number): number {
  const later = offsetMs(zone, afterMs);
  let [low, high] = [Math.floor(beforeMs / minuteMs), Math.ceil(afterMs / minuteMs)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle * minuteMs) === later) high = middle;
    else low = middle;
  }
  return high * minuteMs;
}

/**
 * The moment at which clocks of a zone show a local time. Where they are put back, the first of the two moments; where they are put forward
 * and never show it, as long after the change as the time lies after the clocks' last: 02:30 becomes 03:30.
 */
export function momentOf(zone: string, localMs: number): number {
  const [before, after] = [offsetMs(zone, localMs - dayMs), offsetMs(zone, localMs + dayMs)];
  const shown = [before, after]
    .map((offset) => localMs - offset)
    .filter((atMs) => atMs + offsetMs(zone, atMs) === localMs);
  return shown.length === 0 ? localMs - before : Math.min(...shown);
}
