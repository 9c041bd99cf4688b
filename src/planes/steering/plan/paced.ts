import type { Platform } from '../../../model/spec/platform.ts';
import type { ZoneReader } from '../providers/provider.ts';
import { type Counts, planFailback, type Watch } from './failback.ts';
import type { ZonePlan } from './plan.ts';
import { planReturns } from './returning.ts';

/** The plan that leads users as fast as their policies say: from overlays that have ended, and back to clusters that were down; else the given one. */
export async function planPaced(
  platform: Platform,
  reader: ZoneReader,
  plan: ZonePlan,
  watch: Watch,
): Promise<{ readonly plan: ZonePlan; readonly counts: Counts }> {
  const returning = await planReturns(platform, reader, plan, watch);
  const watched = await planFailback(platform, reader, returning.plan, watch);
  return { plan: watched.plan, counts: new Map([...returning.counts, ...watched.counts]) };
}
