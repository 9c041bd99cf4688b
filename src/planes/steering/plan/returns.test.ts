import { beforeAll, describe, expect, it } from 'vitest';
import { FailbackWorld, withFailback } from '../../../../test/support/steering/failback.ts';
import { guarded, overlay, proposing, verdict } from '../../../../test/support/steering/overlays.ts';
import { examplePlatform } from '../../../../test/support/steering/world.ts';
import { withOverlays } from '../../../model/platform/overlays.ts';
import type { TrafficOverlay, TrafficVerdict } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { everything } from '../records/scope.ts';
import { readHistories, renderHistories } from './history.ts';
import { planStep } from './plan.ts';

let example: Platform;
beforeAll(async () => {
  example = await examplePlatform();
});

const countries = ['BE', 'ES', 'FR', 'IT'];
const evening = overlay({
  afterwards: 'return',
  expires: '2026-11-27T13:00:00Z',
  rules: [{ countries, clusters: [{ name: 'cloud' }] }],
});
/** One country of all counts 0.4%: a step leads two of them back. */
const pace = { mode: 'gradual', holdMinutes: 30, stepShare: 0.01, stepMinutes: 10 } as const;

/** A world in which the overlay is in force, half an hour before it ends. */
async function world(
  { failback = pace, maxTrafficShare = 0.02 }: { failback?: object; maxTrafficShare?: number } = {},
  ...words: readonly (TrafficOverlay | TrafficVerdict)[]
): Promise<FailbackWorld> {
  const policies = guarded(withFailback(example, { ...pace, ...failback }), {
    proposals: 'automatic',
    maxTrafficShare,
    maxFailoverShare: 1,
    windowMinutes: 60,
  });
  const made = new FailbackWorld(proposing(policies, evening, ...words));
  await made.look();
  made.pass(30);
  return made;
}

const at = async (made: FailbackWorld) =>
  (await Promise.all(countries.map(async (code) => [code, Object.keys(await made.answer(code)).join()] as const)))
    .filter(([, cluster]) => cluster === 'cloud')
    .map(([code]) => code);

describe('an overlay that ends with afterwards: return', () => {
  it('leads its users back in steps of the size and at the pace of failback', async () => {
    const made = await world();
    expect(await at(made)).toEqual(countries);
    made.pass(31);
    // The zone is told first, and nobody moves by that.
    expect((await made.look()).impacts.map(({ movedShare }) => movedShare)).toEqual([0]);
    expect([await at(made), await made.returns()]).toEqual([
      countries,
      [expect.objectContaining({ overlay: 'evening', back: {} })],
    ]);
    await made.look();
    expect(await at(made)).toEqual(['FR', 'IT']);
    await made.look();
    await made.watch(8);
    expect([await at(made), (await made.returns())[0]?.back]).toEqual([['FR', 'IT'], { upTo: 'ES' }]);
    await made.watch(4);
    expect([await at(made), await made.returns()]).toEqual([[], []]);
    const provider = await made.provider();
    const histories = await readHistories([{ provider: 'route53', zone: 'video.example' }], async () => provider);
    const told = renderHistories(histories).filter((line) => line.includes('overlays that have ended'));
    expect(told.length).toBe(3);
  });

  it('is kept so by the plan of anybody, who sees where it stands', async () => {
    const made = await world();
    made.pass(31);
    await made.look();
    await made.look();
    const platform = withOverlays(made.platform, made.nowMs);
    const plan = await planStep(
      platform,
      await made.provider(),
      { zone: 'video.example', purpose: everything },
      made.nowMs,
    );
    expect(plan.batches).toEqual([]);
    expect(plan.notices.filter(({ reason }) => reason === 'OverlayReturning').map(({ message }) => message)).toEqual([
      'policy video: overlay evening has ended; since 2026-11-27T13:01:00Z its users are led back, now up to ES, at most 1% of the traffic each 10 minutes',
    ]);
  });

  it('leads a country larger than a step back in parts', async () => {
    const made = await world({ maxTrafficShare: 0.5 });
    const { of } = made.weights;
    made.weights = { ...made.weights, of: (code) => (code === 'BE' ? 0.015 : of(code)) };
    made.pass(31);
    await made.look();
    await made.look();
    expect(Object.keys(await made.answer('BE')).sort()).toEqual(['cloud', 'paris']);
    await made.watch(34);
    expect([await at(made), await made.returns()]).toEqual([[], []]);
  });

  it('waits for room in the guard and for no person, and a person may reject it to lead all back', async () => {
    const made = await world({ maxTrafficShare: 0.005 });
    made.pass(31);
    await made.look();
    const waits = await made.look();
    expect([waits.batches, waits.overGuard]).toEqual([[], []]);
    expect(waits.notices.map(({ reason }) => reason)).toContain('OverlayReturnWaits');
    const rejected = proposing(made.platform, evening, verdict(evening, { verdict: 'reject' }));
    const plan = await planStep(
      withOverlays(rejected, made.nowMs),
      await made.provider(),
      { zone: 'video.example', purpose: everything },
      made.nowMs,
    );
    expect(plan.overGuard.map(({ kind }) => kind)).toEqual(['moves']);
    expect(plan.returns.size).toBe(0);
  });

  it('goes on by itself when the window of the guard has room again', async () => {
    const made = await world({ maxTrafficShare: 0.01 });
    made.pass(31);
    await made.look();
    await made.watch(14);
    expect(await at(made)).toEqual(['FR', 'IT']);
    made.pass(50);
    await made.look();
    await made.look();
    expect([await at(made), await made.returns()]).toEqual([[], []]);
  });

  it.each(['immediate', 'heldDown', 'byHand'] as const)('returns at once where failback is %s', async (mode) => {
    const made = await world({ failback: { mode }, maxTrafficShare: 1 });
    made.pass(31);
    await made.look();
    expect([await at(made), await made.returns()]).toEqual([[], []]);
  });

  it('goes on where it was when another agent takes over, and after a write that was cut off', async () => {
    const made = await world();
    made.pass(31);
    made.failsBefore = 2;
    await made.look().catch(() => undefined);
    await made.look();
    await made.look();
    made.restart();
    await made.look();
    expect(await at(made)).toEqual(['FR', 'IT']);
    await made.watch(12);
    expect([await at(made), await made.returns()]).toEqual([[], []]);
  });

  it('is not begun for users whom the zone does not answer as it said', async () => {
    const policies = guarded(withFailback(example, pace), { proposals: 'automatic' });
    const made = new FailbackWorld(policies);
    await made.look();
    made.platform = proposing(policies, evening);
    made.pass(61);
    await made.look();
    expect([await at(made), await made.returns()]).toEqual([[], []]);
  });

  it('is in force again when its owner gives it a later end', async () => {
    const made = await world();
    made.pass(31);
    await made.look();
    await made.look();
    const later = overlay({ ...evening.spec, expires: '2026-11-28T00:00:00Z' });
    made.platform = proposing(made.platform, later);
    await made.look();
    expect([await at(made), await made.returns()]).toEqual([countries, []]);
  });
});
