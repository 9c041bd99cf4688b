import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { guarded, overlaid, overlay, overlayNowMs, verdict } from '../../../../test/support/steering/overlays.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyPlans } from './apply.ts';
import { explain, renderExplanation } from './explain.ts';
import { checksumOf, isEmpty, planZones, type ZonePlan } from './plan.ts';

const host = 'www.video.example';

/** A zone that holds what the example says, and what is planned for it then. */
async function zone(before: Platform) {
  const connect = memoryProviders();
  const plan = async (platform: Platform, nowMs = overlayNowMs): Promise<ZonePlan> => {
    const [made] = await planZones(platform, 'route53', connect, nowMs);
    if (made === undefined) throw new Error('no plan');
    return made;
  };
  const apply = async (platform: Platform, nowMs = overlayNowMs) => {
    const plans = [await plan(platform, nowMs)];
    const approval = { checksum: checksumOf(plans), share: 1, failoverShare: 1, removals: [], down: [], broken: [] };
    const outcome = await applyPlans(plans, approval, connect);
    if ('failure' in outcome) throw outcome.failure;
  };
  await apply(before);
  return { plan, apply };
}

const told = ({ notices }: ZonePlan): readonly string[] =>
  notices.filter(({ reason }) => reason.startsWith('Overlay')).map(({ reason, message }) => `${reason}: ${message}`);

test('a plan names the overlay that moves users, and moves nobody when there is none', async () => {
  const platform = await examplePlatform();
  const { plan } = await zone(platform);
  const evening = overlay();
  const waits = await plan(overlaid(platform, [evening]));
  expect([isEmpty(waits), told(waits)]).toEqual([
    true,
    [
      'OverlayWaits: policy video: overlay evening of optimiser waits for a person (tideline steering approve evening FOLDER), for FR',
    ],
  ]);
  const moves = await plan(overlaid(platform, [evening, verdict(evening)]));
  const [family] = moves.impacts[0]?.families ?? [];
  expect(family?.groups.filter(({ before, after }) => before !== after)).toEqual([
    expect.objectContaining({ countries: ['FR'], before: 'paris', after: 'cloud' }),
  ]);
  expect(told(moves)).toEqual([
    'OverlayMoves: policy video: FR answered as the overlay evening of optimiser says: paris is at its limit',
  ]);
});

test('what an overlay moved comes back when a person rejects it or when it ends, and a plan says why', async () => {
  const platform = guarded(await examplePlatform(), { proposals: 'automatic' });
  const evening = overlay({ afterwards: 'return' });
  const { plan } = await zone(overlaid(platform, [evening]));
  const rejected = overlaid(platform, [evening, verdict(evening, { verdict: 'reject', reason: 'no' })]);
  expect(told(await plan(rejected))).toEqual([
    'OverlayReturns: policy video: FR no longer answered as the overlay evening of optimiser says: anna rejected it: no',
  ]);
  const late = Date.parse('2026-11-28T00:00:01Z');
  expect(told(await plan(overlaid(platform, [evening], late), late))).toEqual([
    'OverlayReturns: policy video: FR no longer answered as the overlay evening of optimiser says: it ended',
  ]);
});

test('one that has ended and stays moves nobody, and every plan names it', async () => {
  const platform = guarded(await examplePlatform(), { proposals: 'automatic' });
  const evening = overlay({ renewed: '2026-11-27T16:00:00Z' });
  const { plan } = await zone(overlaid(platform, [evening]));
  const late = Date.parse('2026-11-28T00:00:01Z');
  const after = await plan(overlaid(platform, [evening], late), late);
  expect([isEmpty(after), told(after).map((text) => text.split(':')[0])]).toEqual([
    true,
    ['OverlayExpired', 'OverlaySilent'],
  ]);
});

test('explain says by which overlay a country is answered', async () => {
  const platform = guarded(await examplePlatform(), { proposals: 'automatic' });
  const laid = overlaid(platform, [overlay()]);
  expect(renderExplanation(explain(laid, host, 'FR', overlayNowMs))).toContain(
    '  by overlay: evening of optimiser, until 2026-11-28T00:00:00Z: paris is at its limit',
  );
  expect(explain(laid, host, 'DE', overlayNowMs)).not.toHaveProperty('overlay');
});
