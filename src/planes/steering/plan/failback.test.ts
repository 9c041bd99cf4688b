import { beforeAll, describe, expect, it } from 'vitest';
import { FailbackWorld, withFailback } from '../../../../test/support/steering/failback.ts';
import { examplePlatform, withIPv6On, withManyOfParis, withNetworks } from '../../../../test/support/steering/world.ts';
import { countedAlike } from '../../../model/country-weights.ts';
import { entryAddresses } from '../../../model/platform/entries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { Failback } from '../failback.ts';
import { SteeringError } from '../reasons.ts';
import { everything } from '../records/scope.ts';
import { viewOf } from '../zone-memory.ts';
import { driftOf } from './drift.ts';
import { readHistories } from './history.ts';
import { planStep } from './plan.ts';

const rule: Failback = { mode: 'heldDown', holdMinutes: 30, stepShare: 0.01, stepMinutes: 10 };
let example: Platform;
beforeAll(async () => {
  example = await examplePlatform();
});

/** A world whose zone is as the policy wants it, in which paris has been down for long enough to be held. */
async function held(change: Partial<Failback> = {}): Promise<FailbackWorld> {
  const world = new FailbackWorld(withFailback(example, { ...rule, ...change }));
  await world.look();
  world.down.add('paris');
  world.pass(0.5);
  await world.look();
  return world;
}

describe('a cluster that was down', () => {
  it('is held without anybody being moved or asked, and stays behind the others when it is healthy again', async () => {
    const world = await held();
    expect(await world.holds()).toMatchObject([{ cluster: 'paris', by: 'agent@test', healthySeconds: 0 }]);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    const provider = await world.provider();
    const state = await provider.read('video.example');
    const drift = await driftOf(world.platform, provider, state, { nowMs: world.nowMs, weights: countedAlike() });
    expect(drift).toMatchObject({ isEdited: false, comparedWith: 'applied' });
    world.down.clear();
    await world.watch(28);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    await world.watch(6);
    expect([await world.answer('FR'), await world.holds()]).toEqual([{ paris: 1 }, []]);
  });

  it.each([7, -7])(
    'returns when it has been healthy for long enough, though the time of day jumps by %i days',
    async (days) => {
      const world = await held();
      world.down.clear();
      await world.watch(16);
      world.nowMs += days * 86_400_000;
      await world.watch(12);
      expect(await world.answer('FR')).toEqual({ cloud: 1 });
      await world.watch(6);
      expect([await world.answer('FR'), await world.holds()]).toEqual([{ paris: 1 }, []]);
    },
  );

  it('returns users of its networks at the same pace, last and with those of unknown location', async () => {
    const office = '198.51.100.0/24';
    const gradual: Failback = { mode: 'gradual', holdMinutes: 10, stepShare: 0.01, stepMinutes: 10 };
    const world = new FailbackWorld(withFailback(withNetworks(example, 'paris', office), gradual));
    await world.look();
    expect(await world.answer(office)).toEqual({ paris: 1 });
    world.down.add('paris');
    world.pass(0.5);
    await world.look();
    const during = await world.answer(office);
    expect(during['paris']).toBeUndefined();
    world.down.clear();
    const back: string[] = [];
    for (let looks = 0; looks < 120 && back.length < 2; looks += 1) {
      await world.watch(2);
      for (const place of ['FR', office])
        if ((await world.answer(place))['paris'] === 1 && !back.includes(place)) back.push(place);
      if (!back.includes(office)) expect((await world.holds()).map(({ cluster }) => cluster)).toEqual(['paris']);
    }
    expect(back).toEqual(['FR', office]);
    expect(await world.holds()).toEqual([]);
  });

  it('moves as much by the status of the agent as by the history of the zone', async () => {
    const world = new FailbackWorld(withFailback(example, rule));
    await world.look();
    world.down.add('paris');
    world.pass(0.5);
    const plan = await world.look();
    expect(plan.impacts[0]?.movedShare).toBeGreaterThan(0);
    const of = [{ provider: 'route53' as const, zone: 'video.example' }];
    const [history] = await readHistories(of, () => world.provider());
    expect(history).toMatchObject({ applies: [{ task: 'hold', share: viewOf(plan).movedShare }, {}] });
    expect(viewOf(plan).movedShare).toBe(0);
  });

  it('is not held while only a part of its addresses is down, and that is said', async () => {
    const both = withIPv6On(example, 'paris', 'newyork', 'cloud');
    const world = new FailbackWorld(withFailback(both, rule));
    await world.look();
    const told = async (...down: readonly string[]) => {
      world.down.clear();
      for (const one of down) world.down.add(one);
      world.pass(2);
      const { notices } = await world.look();
      return notices.flatMap(({ reason, message }) => (reason === 'FailbackPartly' ? [message] : []));
    };
    expect(await told()).toEqual([]);
    const [IPv4 = '', IPv6 = ''] = entryAddresses(both, 'paris').map(({ text }) => text);
    expect([await told(IPv6), await told(IPv4), await world.holds()]).toEqual([
      [
        'policy video: paris is down over IPv6 only; it is held back only when too few addresses answer for a first choice in every family, so users return to those as soon as they are healthy',
      ],
      [expect.stringContaining('paris is down over IPv4 only;')],
      [],
    ]);
    expect(await told('paris')).toEqual([]);
    expect(await world.holds()).toMatchObject([{ cluster: 'paris' }]);
    expect(await told(IPv6)).toEqual([]);
  });

  it('is held when it is left because too few of its addresses answer', async () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const many = withManyOfParis(example, addresses, 2);
    const world = new FailbackWorld(withFailback(many, rule));
    await world.look();
    const [first = '', second = ''] = addresses;
    const toldWith = async (...down: readonly string[]) => {
      world.down.clear();
      for (const one of down) world.down.add(one);
      world.pass(2);
      return (await world.look()).notices.map(({ reason }) => reason).includes('FailbackPartly');
    };
    expect([await toldWith(first), await world.holds()]).toEqual([true, []]);
    expect(await toldWith(first, second)).toBe(false);
    expect(await world.holds()).toMatchObject([{ cluster: 'paris', healthySeconds: 0 }]);
    // With one address too few its time does not run, and with all it returns after the hold.
    await toldWith(first);
    await world.watch(40);
    expect(await world.holds()).toMatchObject([{ cluster: 'paris' }]);
    world.down.clear();
    await world.watch(34);
    expect([await world.answer('FR'), await world.holds()]).toEqual([{ paris: 1 }, []]);
  });

  it('begins its hold anew when it is down again', async () => {
    const world = await held();
    world.down.clear();
    await world.watch(26);
    world.down.add('paris');
    await world.watch(2);
    world.down.clear();
    await world.watch(26);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    await world.watch(8);
    expect(await world.answer('FR')).toEqual({ paris: 1 });
  });

  it('returns by steps that say how much of the traffic moves at most', async () => {
    const world = await held({ mode: 'gradual', stepShare: 0.01 });
    world.down.clear();
    await world.watch(34);
    const returned: string[][] = [];
    for (let step = 0; step < 4; step += 1) {
      const countries = ['BE', 'ES', 'FR', 'GB', 'IT', 'SN'];
      const answers = await Promise.all(countries.map(async (code) => [code, await world.answer(code)] as const));
      returned.push(answers.filter(([, answer]) => 'paris' in answer).map(([code]) => code));
      await world.watch(12);
    }
    expect(returned).toEqual([
      ['BE', 'ES'],
      ['BE', 'ES', 'FR', 'GB'],
      ['BE', 'ES', 'FR', 'GB', 'IT', 'SN'],
      ['BE', 'ES', 'FR', 'GB', 'IT', 'SN'],
    ]);
    expect(await world.holds()).toEqual([]);
  });

  it('counts a state with its country in a step, because they return together', async () => {
    const video = example.policies.get('video');
    if (video === undefined) throw new Error('no policy');
    const answer = (...failover: readonly string[]) => ({
      continents: [],
      clusters: [{ name: 'paris', weight: 100 }],
      failover: [...failover],
    });
    const rules = [
      { countries: ['US'], ...answer('cloud') },
      { countries: ['US-CA'], ...answer('newyork', 'cloud') },
    ];
    const spec = { ...video.spec, rules, default: { clusters: [{ name: 'cloud', weight: 100 }], failover: [] } };
    const platform = { ...example, policies: new Map([['video', { ...video, spec }]]) };
    const world = new FailbackWorld(withFailback(platform, { ...rule, mode: 'gradual', stepShare: 0.1 }));
    const shares = new Map([
      ['US', 0.5],
      ['US-CA', 0.2],
    ]);
    world.weights = { basis: 'as measured', of: (code) => shares.get(code) ?? 0.002 };
    await world.look();
    world.down.add('paris');
    world.pass(0.5);
    await world.look();
    world.down.clear();
    await world.watch(34);
    // A tenth of all is a fifth of the country with its state.
    for (const place of ['US', 'US-CA']) expect((await world.answer(place))['paris']).toBeCloseTo(0.2, 2);
  });

  it('takes away again what was led back when it is down in the middle of a return', async () => {
    const world = await held({ mode: 'gradual', stepShare: 0.01 });
    world.down.clear();
    await world.watch(34);
    expect(await world.answer('BE')).toEqual({ paris: 1 });
    world.down.add('paris');
    await world.watch(2);
    world.down.clear();
    expect(await world.answer('BE')).toEqual({ cloud: 1 });
    expect(await world.holds()).toMatchObject([{ healthySeconds: 0, back: {} }]);
  });

  it('waits for a person where the policy says so, who ends any hold', async () => {
    const world = await held({ mode: 'byHand' });
    world.down.clear();
    await world.watch(120);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    const provider = await world.provider();
    const returned = { policy: 'video', cluster: 'paris' };
    const purpose = { kind: 'everything', returned } as const;
    const plan = await planStep(world.platform, provider, { zone: 'video.example', purpose }, world.nowMs);
    expect(plan.overGuard.map(({ kind }) => kind)).toEqual(['moves', 'failover']);
    const other = { kind: 'everything', returned: { policy: 'video', cluster: 'cloud' } } as const;
    await expect(
      planStep(world.platform, provider, { zone: 'video.example', purpose: other }, world.nowMs),
    ).rejects.toThrow(
      new SteeringError(
        'NotHeld',
        'the zone video.example does not hold back cloud of policy video; held back are paris of video',
      ),
    );
  });

  it('answers all the same when everything before it has failed', async () => {
    const world = await held();
    world.down.delete('paris');
    world.down.add('cloud').add('newyork');
    expect(await world.answer('FR')).toEqual({ paris: 1 });
  });

  it('is not held while nothing else of its users answers, or nobody knows whether it does', async () => {
    const world = new FailbackWorld(withFailback(example, rule));
    await world.look();
    world.down.add('paris').add('cloud').add('newyork');
    await world.look();
    expect(await world.holds()).toEqual([]);
    world.down.delete('cloud');
    world.silent.add('cloud');
    await world.look();
    expect(await world.holds()).toEqual([]);
    world.silent.clear();
    await world.look();
    expect((await world.holds()).map(({ cluster }) => cluster)).toEqual(['newyork', 'paris']);
  });

  it('is not counted as healthy, or as down, while nobody knows', async () => {
    const world = await held();
    world.down.clear();
    await world.watch(20);
    world.silent.add('paris');
    await world.watch(60);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    world.silent.clear();
    await world.watch(16);
    expect(await world.answer('FR')).toEqual({ paris: 1 });
  });

  it('is held no more when the policy says immediate, which is a change that a person approves', async () => {
    const world = await held();
    world.platform = withFailback(example, { ...rule, mode: 'immediate' });
    const plan = await planStep(
      world.platform,
      await world.provider(),
      { zone: 'video.example', purpose: everything },
      world.nowMs,
    );
    expect(plan.holds.size).toBe(0);
    expect(plan.overGuard.map(({ kind }) => kind)).toContain('moves');
  });
});

describe('a zone without a rule of failback', () => {
  it('has no record of it, and no look at health', async () => {
    const world = new FailbackWorld(example);
    await world.look();
    world.down.add('paris');
    const plan = await world.look();
    expect([plan.batches, await world.holds()]).toEqual([[], []]);
  });
});

describe('whoever goes on after an agent was killed', () => {
  it('ends at the policy as written, from the zone alone, whichever write the other died in', async () => {
    for (let batch = 1; batch <= 9; batch += 2) {
      const world = new FailbackWorld(withFailback(example, { ...rule, mode: 'gradual' }));
      world.failsBefore = batch;
      for (let look = 0; look < 3; look += 1) await world.look().catch(() => world.restart());
      world.down.add('paris');
      for (let look = 0; look < 3; look += 1) await world.look().catch(() => world.restart());
      expect((await world.holds()).map(({ cluster }) => cluster)).toEqual(['paris']);
      world.down.clear();
      for (let look = 0; look < 50; look += 1) {
        world.pass(2);
        await world.look().catch(() => world.restart());
      }
      expect([await world.answer('FR'), await world.holds()]).toEqual([{ paris: 1 }, []]);
    }
  });

  it('counts at most a quarter of the hold once more', async () => {
    const world = await held();
    world.down.clear();
    await world.watch(18);
    world.restart();
    await world.watch(14);
    expect(await world.answer('FR')).toEqual({ cloud: 1 });
    await world.watch(6);
    expect(await world.answer('FR')).toEqual({ paris: 1 });
  });
});
