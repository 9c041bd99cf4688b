import type { RecordSet } from '../../../answers/record.ts';
import { SteeringError } from '../reasons.ts';
import { type AppliedPlan, readApplied } from './applied.ts';
import { findRegistry, parseHead } from './registry.ts';

/** So many applies are named. */
const mostNamed = 3;

/**
 * The refusal of a writer whose zone was changed since it read the generation record `before`: by whom and when, as far as the records `now`
 * say, and what to do. `differing` names a record that is not as it was.
 */
export function staleZone(
  zone: string,
  { before, now, differing }: Changed,
  options: ErrorOptions = {},
): SteeringError {
  const newer = readApplied(zone, now).filter(({ first }) => first > generationOf(before));
  const who = newer.length > 0 ? namesOf(newer) : withoutName(zone, { before, now, differing });
  const next = newer.some(({ outcome }) => outcome === 'begun')
    ? 'when that is done, or was cut off (`tideline steering history FOLDER`), plan again'
    : 'plan again, from what the zone holds now';
  return new SteeringError(
    'StaleGeneration',
    `the zone ${zone} was changed since it was read: ${who}; ${next}`,
    options,
  );
}

interface Changed {
  readonly before: RecordSet | undefined;
  readonly now: readonly RecordSet[];
  readonly differing?: string | undefined;
}

const generationOf = (record: RecordSet | undefined): number =>
  record === undefined ? 0 : (parseHead(record)?.generation ?? 0);

function namesOf(newer: readonly AppliedPlan[]): string {
  const named = newer.slice(0, mostNamed).map(({ by, outcome, task, plan, atMs, first }) => {
    const did = outcome === 'done' ? 'did' : 'began';
    return `${by} ${did} \`${task}\` with plan ${plan} at ${new Date(atMs).toISOString()}, from generation ${first}`;
  });
  const rest = newer.length - named.length;
  return [...named, ...(rest > 0 ? [`${rest} more before`] : [])].join(', ');
}

/** What is known when no apply left a note. */
function withoutName(zone: string, { before, now, differing }: Changed): string {
  const record = findRegistry(zone, now);
  const generation = record === undefined ? undefined : parseHead(record)?.generation;
  if (generation === undefined && before !== undefined) return 'somebody deleted or damaged its generation record';
  if (generation !== undefined && generation !== generationOf(before)) {
    return `it is at generation ${generation}, not ${generationOf(before)}, and no note says by whom`;
  }
  const what = differing === undefined ? 'a record' : `the record ${differing}`;
  return `${what} is not as it was, and Tideline did not write it`;
}
