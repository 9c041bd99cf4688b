import { expect, test } from 'vitest';
import { withDrainOf, withGuard } from '../../../../test/support/steering/agent.ts';
import { withAnswers } from '../../../../test/support/steering/kept-out.ts';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform, withDifferentCountries } from '../../../../test/support/steering/world.ts';
import type { TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { applyPlans } from './apply.ts';
import { approvalsFor, isApproved, overGuardText } from './guard.ts';
import { checksumOf, planZones, type ZonePlan } from './plan.ts';
import { renderPlans } from './text.ts';

const nowMs = Date.UTC(2026, 10, 27, 16);
const providers = ['route53', 'powerdns'] as const;
const answer = (...names: readonly string[]) => ({
  clusters: [{ name: names[0] ?? '', weight: 100 }],
  failover: names.slice(1),
});
type Answers = Pick<TrafficPolicy['spec'], 'rules' | 'default' | 'never'>;

/** Everybody is answered by cloud, then paris, then newyork; these users never by newyork. */
const keeping = (...continents: Answers['never'][number]['continents']): Answers => ({
  rules: [],
  default: answer('cloud', 'paris', 'newyork'),
  never: continents.length === 0 ? [] : [{ clusters: ['newyork'], countries: [], continents, unknownLocation: false }],
});

/** Applies the first platform, and plans the second on top of it. */
async function planned(provider: (typeof providers)[number], first: Platform, second: Platform): Promise<ZonePlan> {
  const connect = memoryProviders();
  const before = await planZones(first, provider, connect, nowMs - 7_200_000);
  const approval = { checksum: checksumOf(before), share: 1, failoverShare: 1, down: [], removals: [], broken: [] };
  const { failure } = await applyPlans(before, approval, connect);
  if (failure !== undefined) throw failure;
  const [plan] = await planZones(second, provider, connect, nowMs);
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

test.each(providers)(
  '%s: a third choice that is lost needs an approval, though no single failure shows it',
  async (provider) => {
    const platform = await examplePlatform();
    const plan = await planned(provider, withAnswers(platform, keeping()), withAnswers(platform, keeping('AF', 'EU')));
    expect([plan.impacts[0]?.movedShare, plan.overGuard.map(overGuardText)]).toEqual([
      0,
      [
        'www.video.example leaves 45.1% of the traffic fewer choices when clusters fail one after the other, the guard allows 25%',
      ],
    ]);
    expect(approvalsFor(plan.overGuard)).toEqual(['--approve-failover 0.452']);
    const approval = { checksum: '', share: 1, failoverShare: 0, down: [], removals: [], broken: [] };
    expect(plan.overGuard.every((over) => isApproved(over, approval))).toBe(false);
    expect(plan.overGuard.every((over) => isApproved(over, { ...approval, failoverShare: 0.452 }))).toBe(true);
    expect(renderPlans([plan]).join('\n')).toContain(
      '    45.1% loses choices, cloud > paris > newyork -> cloud > paris: AF (all 57), EU (all 54)',
    );
  },
);

test.each(providers)('%s: what failures would change has a limit of its own', async (provider) => {
  const platform = await examplePlatform();
  const judged = async (moves: number, failures?: number) => {
    const next = withGuard(withAnswers(platform, keeping('AF', 'EU')), moves, failures);
    return (await planned(provider, withAnswers(platform, keeping()), next)).overGuard.map(({ kind }) => kind);
  };
  expect(await judged(0)).toEqual(['depth']);
  expect(await judged(0, 0.44)).toEqual(['depth']);
  expect(await judged(0, 0.46)).toEqual([]);
  expect(await judged(1)).toEqual([]);
  expect(await judged(1, 0.1)).toEqual(['depth']);
});

test.each(providers)('%s: a Drain of a second choice may pass where nobody may be moved', async (provider) => {
  const platform = withAnswers(await examplePlatform(), keeping());
  const drained = withDrainOf(platform, 'paris', nowMs + 3_600_000);
  const narrow = await planned(provider, platform, drained);
  expect(narrow.overGuard.map(({ kind }) => kind)).toEqual(['failover']);
  const wide = await planned(provider, platform, withGuard(drained, 0, 1));
  expect([wide.impacts[0]?.movedShare, wide.overGuard]).toEqual([0, []]);
});

test.each(providers)(
  '%s: a choice that few lose is told, as is one that is gained, and needs nobody',
  async (provider) => {
    const platform = await examplePlatform();
    const [all, some] = [withAnswers(platform, keeping()), withAnswers(platform, keeping('SA'))];
    const [lost, gained] = [await planned(provider, all, some), await planned(provider, some, all)];
    expect([lost.overGuard, gained.overGuard]).toEqual([[], []]);
    expect(renderPlans([lost]).join('\n')).toContain('loses choices, cloud > paris > newyork -> cloud > paris: SA');
    expect(renderPlans([gained]).join('\n')).toContain('gains choices, cloud > paris -> cloud > paris > newyork: SA');
    expect(renderPlans([await planned(provider, all, all)]).join('\n')).not.toContain('choices');
  },
);

test('the third choice that countries lose to more than 100 locations counts', async () => {
  const crowded = await planned('route53', await withDifferentCountries(20), await withDifferentCountries(246));
  expect(crowded.notices.map(({ reason }) => reason)).toContain('FailoverCut');
  const lost = crowded.impacts[0]?.depth.filter(({ choices }) => choices.after < choices.before) ?? [];
  expect(lost.flatMap(({ countries }) => countries)).toHaveLength(150);
  expect(crowded.overGuard.map(({ kind }) => kind)).toContain('depth');
  const exact = await planned('powerdns', await withDifferentCountries(20), await withDifferentCountries(246));
  expect(exact.impacts[0]?.depth).toEqual([]);
});
