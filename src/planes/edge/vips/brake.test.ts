import { afterEach, describe, expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { clusterWith, pair, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { freeze } from '../../../../test/support/platform.ts';
import type { Platform } from '../../../model/spec/platform.ts';

afterEach(stopAgents);

const minute = 60_000;
const old = '192.0.2.10';
const other = '192.0.2.11';

type Drains = NonNullable<Parameters<typeof platformForTests>[0]>['drains'];

/** The platform with these VIPs in the pool. */
function having(vips: readonly string[], drains: NonNullable<Drains> = []): Platform {
  return platformForTests({ pool: poolForTests({ vips: vips.map((address) => ({ address })) }), drains });
}

const drain = (rig: Rig) => ({ kind: 'Blade', name: rig.agent.status().blade, expires: '2100-01-01T00:00:00Z' });

/** Both blades read the same edit. */
function edit(rigs: readonly Rig[], platform: Platform): void {
  for (const rig of rigs) {
    rig.platform = platform;
    rig.agent.platformChanged();
  }
}

const announced = (rigs: readonly Rig[]): readonly string[] =>
  rigs.map(({ speaker }) => speaker.prefixes.map((prefix) => prefix.slice(0, -3)).join(' '));

describe('a VIP that an edit takes out of its pool', () => {
  test('stays on every blade for ten minutes, with a countdown, while what the edit adds is announced at once', async () => {
    const rigs = await pair();
    edit(rigs, having([other]));
    await rigs[0].clock.advance(1500);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
    const [notice] = rigs[0].agent.status().notices ?? [];
    expect(notice).toEqual({
      subject: old,
      reason: 'PoolEditWaits',
      message: expect.stringMatching(
        /^pool paris-edge has it no longer: it stays announced until 1970-01-01T00:\S+Z; put it back to keep it, or write 192\.0\.2\.10 into \/state\/accept to withdraw it now$/,
      ),
      untilMs: expect.closeTo(rigs[0].clock.now() - 1500 + 10 * minute, -3),
    });
    expect(await rigs[0].registry.metrics()).toMatch(/^tideline_edge_vip_leaves_seconds\{vip="192\.0\.2\.10"\} 598\./m);
    await rigs[0].clock.advance(9 * minute + 55_000);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
    await rigs[0].clock.advance(5000);
    expect(announced(rigs)).toEqual([other, other]);
    expect(rigs[0].agent.status().notices).toEqual([]);
    expect(await rigs[0].registry.metrics()).not.toContain(`vip="${old}"`);
  });

  test('stays as long as the platform is frozen, goes at once by a word meanwhile, and else when it is thawed', async () => {
    const rigs = await pair();
    const [one, two] = rigs;
    const frozen: Platform = { ...having([other]), freezes: new Map([['f', freeze({})]]) };
    edit(rigs, frozen);
    await one.clock.advance(30 * minute);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
    expect(one.agent.doubting().doubts).toMatchObject([
      { reason: 'PoolEditWaits', fingerprint: old, waitsMs: 10 * minute },
    ]);
    expect(one.agent.doubting().doubts[0]).not.toHaveProperty('untilMs');
    one.accepted = { said: old, by: 'anna', writtenMs: one.clock.now() };
    await one.clock.advance(3000);
    expect(announced(rigs)).toEqual([other, `${other} ${old}`]);
    expect(one.agent.doubting().accepted).toMatchObject([{ fingerprint: old, by: 'anna' }]);
    edit([two], having([other]));
    await one.clock.advance(3000);
    expect(announced(rigs)).toEqual([other, other]);
  });

  test('stays for good when it is put back meanwhile, and its ten minutes begin anew with the next edit', async () => {
    const rigs = await pair();
    edit(rigs, having([other]));
    await rigs[0].clock.advance(5 * minute);
    edit(rigs, having([old]));
    await rigs[0].clock.advance(5000);
    expect(announced(rigs)).toEqual([old, old]);
    expect(rigs[0].agent.status().notices).toEqual([]);
    edit(rigs, having([other]));
    await rigs[0].clock.advance(6 * minute);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
  });

  test('goes at once on a blade where a person wrote it into the accept file, unless it was written long before the edit', async () => {
    const rigs = await pair();
    const [one] = rigs;
    one.accepted = { said: old, writtenMs: one.clock.now() - 2 * minute };
    edit(rigs, having([other]));
    await one.clock.advance(10_000);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
    one.accepted = { said: old, writtenMs: one.clock.now() };
    await one.clock.advance(2000);
    expect(announced(rigs)).toEqual([other, `${other} ${old}`]);
    expect(one.accepted).toBeUndefined();
  });

  test('goes at once when another pool has it now', async () => {
    const rigs = await pair();
    const platform = having([other]);
    const pool = poolForTests({ vips: [{ address: old }] });
    const theirs = { ...pool, metadata: { name: 'lyon-edge' } };
    edit(rigs, { ...platform, edgePools: new Map([...platform.edgePools, ['lyon-edge', theirs]]) });
    await rigs[0].clock.advance(1000);
    expect(rigs[0].announces).toBe(false);
    expect(rigs[0].agent.status().notices).toEqual([]);
  });

  test('goes at once when it had just been added: that edit is taken back', async () => {
    const rigs = await pair();
    edit(rigs, having([old, other]));
    await rigs[0].clock.advance(minute);
    expect(announced(rigs)).toEqual([`${old} ${other}`, `${old} ${other}`]);
    edit(rigs, having([old]));
    await rigs[0].clock.advance(1000);
    expect(announced(rigs)).toEqual([old, old]);
  });

  test('stays over a restart of the agent, which finds it in ExaBGP', async () => {
    const [one, two] = await pair();
    edit([one, two], having([other]));
    await one.clock.advance(minute);
    const again = new Rig('paris-blade-1', one.clock);
    again.peers.push(two);
    again.platform = one.platform;
    again.speaker.announced = one.speaker.announced;
    await one.agent.stop();
    again.speaker.relay = 'disconnected';
    again.agent.start();
    again.source.publish(clusterWith());
    // What ExaBGP holds is not known before the relay answers; nothing is given to it until then.
    await again.clock.advance(3000);
    again.speaker.relay = 'synced';
    await again.clock.advance(3000);
    expect(announced([again, two])).toEqual([`${other} ${old}`, `${other} ${old}`]);
    expect(again.agent.status().notices).toMatchObject([{ subject: old, reason: 'PoolEditWaits' }]);
  });

  /** The agent of a drained blade, which ExaBGP announces nothing of, is started again `pausedMs` after it was stopped. */
  async function restartDrained(pausedMs: number): Promise<readonly [Rig, Rig]> {
    const [one, two] = await pair();
    edit([one, two], having([other], [drain(one)]));
    await one.clock.advance(minute);
    expect(announced([one, two])).toEqual(['', `${other} ${old}`]);
    await one.agent.stop();
    const again = new Rig('paris-blade-1', one.clock);
    again.peers.push(two);
    [again.platform, again.keptVips] = [one.platform, one.keptVips];
    await one.clock.advance(pausedMs);
    await again.serve();
    return [again, two];
  }

  test('is not forgotten by an agent that is started again on a drained blade, and its ten minutes go on', async () => {
    const [again, two] = await restartDrained(minute);
    expect(again.agent.status().notices).toMatchObject([{ subject: old, reason: 'PoolEditWaits' }]);
    expect(again.agent.doubting().doubts[0]?.sinceMs).toBeLessThan(again.clock.now() - 2 * minute);
    edit([again, two], having([other]));
    await again.clock.advance(10_000);
    expect(announced([again, two])).toEqual([`${other} ${old}`, `${other} ${old}`]);
    expect(again.views.at(-1)?.announced).toContain(old);
    await again.clock.advance(8 * minute);
    expect(announced([again, two])).toEqual([other, other]);
  });

  test('is forgotten by an agent that was away for longer than ten minutes: the address may be somebody else’s', async () => {
    const [again] = await restartDrained(11 * minute);
    expect(again.agent.status().notices).toEqual([]);
  });

  test('does not come back with a restart of the agent once a person let it go', async () => {
    const [one, two] = await pair();
    edit([one, two], having([other]));
    await one.clock.advance(minute);
    one.accepted = { said: old, writtenMs: one.clock.now() };
    await one.clock.advance(2000);
    expect(one.keptVips?.vips.map(({ address }) => address)).toEqual([other]);
  });

  test('that was edited away while no agent ran is found by the one that is started', async () => {
    const [one, two] = await pair();
    await one.agent.stop();
    const again = new Rig('paris-blade-1', one.clock);
    again.peers.push(two);
    [again.platform, again.keptVips] = [having([other]), one.keptVips];
    await again.serve();
    expect(announced([again])).toEqual([`${other} ${old}`]);
    const elsewhere = new Rig('paris-blade-1', one.clock);
    elsewhere.platform = having([other]);
    if (one.keptVips !== undefined) elsewhere.keptVips = { ...one.keptVips, pool: 'lyon-edge' };
    await elsewhere.serve();
    expect(elsewhere.agent.status().notices).toEqual([]);
  });

  test('is withdrawn by a blade that becomes unfit while another has it, and never by the last one', async () => {
    const rigs = await pair();
    const [one, two] = rigs;
    edit(rigs, having([other]));
    await one.clock.advance(5000);
    one.answering = () => undefined;
    await one.clock.advance(5000);
    expect(announced(rigs)).toEqual(['', `${other} ${old}`]);
    two.answering = () => undefined;
    await one.clock.advance(minute);
    expect(announced(rigs)[1]).toBe(`${other} ${old}`);
  });

  test('goes from a drained blade when another has it, is kept by the last one, and goes when its ten minutes are over', async () => {
    const rigs = await pair();
    const [one, two] = rigs;
    edit(rigs, having([other]));
    await one.clock.advance(5000);
    edit(rigs, having([other], [drain(one)]));
    await one.clock.advance(500);
    expect(announced(rigs)[0]).toBe(`${other} ${old}`);
    await one.clock.advance(10_000);
    expect(announced(rigs)).toEqual(['', `${other} ${old}`]);
    expect(one.agent.status().notices).toMatchObject([{ subject: old, reason: 'PoolEditWaits' }]);
    // The drained one is repaired now.
    one.answering = () => undefined;
    edit(rigs, having([other], [drain(one), drain(two)]));
    await one.clock.advance(minute);
    expect(announced(rigs)).toEqual(['', `${other} ${old}`]);
    const kept = two.agent.status().vips.find(({ address }) => address === old);
    expect(kept?.reasons).toEqual(['Draining', 'LastAnnouncer']);
    await one.clock.advance(9 * minute);
    expect(announced(rigs)).toEqual(['', other]);
  });

  test.each([
    ['before', [true, false]],
    ['after', [false, true]],
  ] as const)(
    'is announced again by a blade whose Drain, begun %s the edit, ends meanwhile',
    async (_, [early, late]) => {
      const rigs = await pair();
      const [one, two] = rigs;
      edit(rigs, having([old], early ? [drain(one)] : []));
      await one.clock.advance(10_000);
      edit(rigs, having([other], [drain(one)]));
      await one.clock.advance(10_000);
      expect(announced(rigs)).toEqual(['', `${other} ${old}`]);
      edit(rigs, having([other], late ? [drain(two)] : []));
      await one.clock.advance(10_000);
      expect(announced(rigs)).toEqual([`${other} ${old}`, late ? '' : `${other} ${old}`]);
      await one.clock.advance(10 * minute);
      expect(announced(rigs)).toEqual([other, late ? '' : other]);
    },
  );

  test('goes at once by the word of a person on a drained blade that is the last one', async () => {
    const rigs = await pair();
    const [one, two] = rigs;
    edit(rigs, having([other], [drain(one), drain(two)]));
    await one.clock.advance(minute);
    expect(announced(rigs)).toEqual([`${other} ${old}`, `${other} ${old}`]);
    one.accepted = { said: old, writtenMs: one.clock.now() };
    two.accepted = { said: old, writtenMs: one.clock.now() };
    await one.clock.advance(3000);
    expect(announced(rigs)).toEqual([other, other]);
  });
});
