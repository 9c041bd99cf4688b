import { SteeringError } from '../reasons.ts';
import type { Batch } from './batches.ts';

/** How much the provider allows of something, and how much there is, whoever made it. */
export interface Quota {
  readonly limit: number;
  readonly count: number;
}

export interface Quotas {
  /** Health checks of the whole account. */
  readonly healthChecks: Quota;
  /** Records of the zone. */
  readonly records: Quota;
  /** What the health checks that the zone's records use cost a month, in US dollars. */
  readonly dollarsPerMonth: number;
  /** What a million queries for the hosts of the zone cost, in US dollars. */
  readonly dollarsPerMillionQueries: number;
}

/** How many health checks do not fit: those to create, after the deletions that come first, and `pending` ones of other zones. */
export function shortageOf(
  { limit, count }: Quota,
  changes: { readonly create: number; readonly delete: number; readonly pending: number },
): number {
  return Math.max(0, count - changes.delete + changes.pending + changes.create - limit);
}

/** Throws TooManyRecords when the zone would at some time during the batches hold more records than it may. */
export function refuseFullZone(zone: string, { limit, count }: Quota, batches: readonly Batch[]): void {
  let now = count;
  for (const { changes } of batches) {
    for (const { action } of changes) now += action === 'CREATE' ? 1 : -1;
    if (now <= limit) continue;
    throw new SteeringError(
      'TooManyRecords',
      `the zone ${zone} has ${count} records and would have ${now} while it changes, the provider takes ${limit}; delete some, or ask the provider for more`,
    );
  }
}
