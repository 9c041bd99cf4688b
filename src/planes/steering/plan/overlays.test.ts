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

test('nobody is asked to approve what has ended, or what would do nothing', async () => {
  const platform = await examplePlatform();
  const approved = overlay();
  const said = verdict(approved);
  const { plan } = await zone(overlaid(platform, [approved, said]));
  const start = 'policy video: overlay evening of optimiser';
  const late = Date.parse('2026-11-28T00:00:01Z');
  expect(told(await plan(overlaid(platform, [approved], late), late)).at(-1)).toBe(
    `OverlayEnded: ${start} ended at 2026-11-28T00:00:00Z before a person approved it, and leads nobody; its owner withdraws it or gives it a later end`,
  );
  const changed = async (change: object, nowMs = overlayNowMs) =>
    told(await plan(overlaid(platform, [overlay(change), said], nowMs), nowMs)).at(-1);
  const newyork = [{ countries: ['FR'], clusters: [{ name: 'newyork' }] }];
  expect(await changed({ rules: newyork })).toBe(
    `OverlayWaits: ${start} says otherwise than what was approved, which stays in force until a person approves the new version (tideline steering approve evening FOLDER)`,
  );
  expect(await changed({ rules: newyork, expires: '2026-11-27T15:00:00Z' })).toBe(
    `OverlayEnded: ${start} was changed, and its new version ended at 2026-11-27T15:00:00Z before a person approved it; what was approved stays in force`,
  );
  const paris = [{ countries: ['FR'], clusters: [{ name: 'paris' }], failover: ['cloud'] }];
  expect(await changed({ rules: paris })).toBe(
    `OverlayWaits: ${start} says otherwise than what was approved, which stays in force, and the policy says the same as the new version; reject it to lead its traffic back (tideline steering reject evening FOLDER)`,
  );
  const tokyo = [{ countries: ['FR'], clusters: [{ name: 'tokyo' }] }];
  expect(await changed({ rules: tokyo })).toBe(
    `OverlayWaits: ${start} says otherwise than what was approved, which stays in force, and the policy does not allow the new version: there is no cluster tokyo; reject it to lead its traffic back (tideline steering reject evening FOLDER)`,
  );
});

test('a version that came after one that ended waits for a person', async () => {
  const platform = await examplePlatform();
  const old = overlay({ afterwards: 'return' });
  const late = Date.parse('2026-11-28T00:00:01Z');
  const { plan } = await zone(platform);
  const next = overlay({ afterwards: 'return', expires: '2026-11-29T00:00:00Z' });
  expect(told(await plan(overlaid(platform, [next, verdict(old)], late), late))).toEqual([
    'OverlayWaits: policy video: overlay evening of optimiser waits for a person (tideline steering approve evening FOLDER), for FR',
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
