import { apiVersion } from '../../../src/model/contract.ts';
import { proposalOf, withOverlays } from '../../../src/model/platform/overlays.ts';
import { TrafficOverlay, type TrafficPolicy, TrafficVerdict } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';

/** The day on which nothing has expired yet. */
export const overlayNowMs = Date.UTC(2026, 10, 27, 16);

/** An overlay of the policy `video` that leads FR to the cloud, with these fields instead. */
export const overlay = (change: object = {}, name = 'evening'): TrafficOverlay =>
  TrafficOverlay.parse({
    apiVersion,
    kind: 'TrafficOverlay',
    metadata: { name },
    spec: {
      policy: 'video',
      owner: 'optimiser',
      reason: 'paris is at its limit',
      expires: '2026-11-28T00:00:00Z',
      rules: [{ countries: ['FR'], clusters: [{ name: 'cloud' }] }],
      ...change,
    },
  });

/** What anna says of an overlay as it stands, with these fields instead. */
export const verdict = (of: TrafficOverlay, change: object = {}, name = of.metadata.name): TrafficVerdict =>
  TrafficVerdict.parse({
    apiVersion,
    kind: 'TrafficVerdict',
    metadata: { name },
    spec: {
      overlay: of.metadata.name,
      verdict: 'approve',
      by: 'anna',
      at: '2026-11-27T15:00:00Z',
      reason: 'looked at the plan',
      proposal: proposalOf(of),
      ...change,
    },
  });

/** The platform with these overlays and verdicts, which are not laid over its policies yet. */
export function proposing(platform: Platform, ...objects: readonly (TrafficOverlay | TrafficVerdict)[]): Platform {
  const byName = <T extends TrafficOverlay | TrafficVerdict>(kind: T['kind']) =>
    new Map(objects.filter((one): one is T => one.kind === kind).map((one) => [one.metadata.name, one]));
  return {
    ...platform,
    overlays: byName<TrafficOverlay>('TrafficOverlay'),
    verdicts: byName<TrafficVerdict>('TrafficVerdict'),
  };
}

/** The platform with these overlays and verdicts, as they are at this time. */
export const overlaid = (
  platform: Platform,
  objects: readonly (TrafficOverlay | TrafficVerdict)[],
  nowMs = overlayNowMs,
): Platform => withOverlays(proposing(platform, ...objects), nowMs);

/** The platform whose policy `video` has other limits. */
export function guarded(platform: Platform, guard: Partial<TrafficPolicy['spec']['guard']>): Platform {
  const video = platform.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const changed = { ...video, spec: { ...video.spec, guard: { ...video.spec.guard, ...guard } } };
  return { ...platform, policies: new Map(platform.policies).set('video', changed) };
}
