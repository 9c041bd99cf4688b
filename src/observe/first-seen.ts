import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';
import type { Snapshot } from './snapshot.ts';

/** When each finding was seen first, in milliseconds since the epoch, by whoever looks again and again. */
export type FirstSeen = ReadonlyMap<string, number>;

/**
 * The moments as of this snapshot. Of what the first look finds nobody knows how old it is, so it has none. A finding that is not made
 * is forgotten.
 */
export function firstSeen(before: FirstSeen | undefined, snapshot: Snapshot): FirstSeen {
  const { takenAtMs } = snapshot;
  return new Map(
    findingsOf(snapshot).map((finding) => {
      const key = keyOf(finding);
      return [key, before === undefined ? unknownMs : (before.get(key) ?? takenAtMs)];
    }),
  );
}

/** The findings, each with the moment it was seen first unless it says itself when it began. */
export function withFirstSeen(findings: readonly Finding[], seen: FirstSeen = new Map()): readonly Finding[] {
  return findings.map((finding) => {
    const seenMs = seen.get(keyOf(finding)) ?? unknownMs;
    return seenMs === unknownMs || finding.sinceMs !== undefined ? finding : { ...finding, seenMs };
  });
}

const unknownMs = -Infinity;

/** The text of a finding may change while it lasts, as the last attempt of a session does. */
function keyOf({ severity, subject, what }: Finding): string {
  return JSON.stringify([severity, subject, what]);
}
