import { overlayMoments } from '../../model/platform/overlays.ts';
import type { Platform } from '../../model/spec/platform.ts';

/** For how long, in ms, nothing that decides about zones changes by itself: until the ends of Drains, Freezes and overlays to come, one each. */
export function msUntilMoments(platform: Platform, nowMs: number): readonly number[] {
  const { drains, freezes } = platform;
  return [
    ...overlayMoments(platform),
    ...[...drains.values()].map(({ spec }) => Date.parse(spec.expires)),
    ...[...freezes.values()].flatMap(({ spec }) => (spec.until === undefined ? [] : [Date.parse(spec.until)])),
  ].flatMap((atMs) => (atMs > nowMs ? [atMs - nowMs] : []));
}
