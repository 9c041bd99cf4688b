import type { Platform } from '../../model/spec/platform.ts';
import type { ZoneView } from '../../model/steering-status.ts';
import { driftOf } from './plan/drift.ts';
import { driftText, renderDrifts } from './plan/drift-text.ts';
import type { ZonePlan } from './plan/plan.ts';
import type { ZoneReader } from './providers/provider.ts';
import type { SteeringReason } from './reasons.ts';

/** Notices of what somebody else did in the zone. */
const ofOthers: ReadonlySet<SteeringReason> = new Set([
  'Drift',
  'HealthCheckOverridden',
  'HealthCheckOfOthers',
  'HealthCheckGone',
]);
const mostLines = 12;
const longestLine = 300;

/** What somebody else edited in the zone of a plan, as it was read for it; it is looked for only where the plan shows that something may be. */
export async function driftIn(
  plan: ZonePlan,
  platform: Platform,
  reader: ZoneReader,
): Promise<Omit<NonNullable<ZoneView['drift']>, 'sinceMs'> | undefined> {
  const { provider, zone, state, notices, checks, weights, author } = plan;
  if (checks.update.length === 0 && !notices.some(({ reason }) => ofOthers.has(reason))) return undefined;
  const drift = await driftOf(platform, reader, state, { nowMs: author.nowMs, weights });
  if (!drift.isEdited) return undefined;
  const [, ...lines] = renderDrifts([{ provider, zone, ...drift }]);
  return {
    what: driftText(drift),
    edits: Math.max(1, drift.records.length + drift.checks.length),
    lines: lines.slice(0, mostLines).map((line) => line.trim().slice(0, longestLine)),
  };
}
