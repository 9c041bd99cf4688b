import { afterEach, describe, expect, test } from 'vitest';
import { platformForTests } from '../../../test/support/edge-platform.ts';
import { pair, Rig, stopAgents } from '../../../test/support/edge-rig.ts';
import type { FakeClock } from '../../../test/support/fake-clock.ts';

afterEach(stopAgents);

describe('drain', () => {
  const drained = (kind: string, name: string, clock: FakeClock) =>
    platformForTests({ drains: [{ kind, name, expires: new Date(clock.now() + 60_000).toISOString() }] });

  test('nginx drains first, then the VIP goes to the other blade; when the drain expires it comes back', async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(1000);
    expect(one.dataPlane.draining).toBe(true);
    expect(one.announces).toBe(true);
    expect(one.vip()).toMatchObject({ fit: false, reasons: ['Draining'] });
    await one.clock.advance(6000);
    expect([one.announces, two.announces]).toEqual([false, true]);
    await one.clock.advance(60_000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.dataPlane.draining).toBe(false);
  });

  test('a drained cluster keeps its VIPs on every blade, and its policies are unhealthy', async () => {
    const [one, two] = await pair();
    for (const rig of [one, two]) rig.platform = drained('Cluster', 'paris', rig.clock);
    await one.clock.advance(30_000);
    expect([one.announces, two.announces]).toEqual([true, true]);
    expect(one.vip().reasons).toEqual(['Draining', 'LastAnnouncer']);
    expect(one.dataPlane.health?.[0]).toEqual({ policy: 'video', healthy: false, reason: 'ClusterDraining' });
  });

  test("a drained blade takes the VIP back before the other's relay withdraws it for want of an agent", async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(8000);
    expect(one.announces).toBe(false);
    two.reachable = false;
    await one.clock.advance(2000);
    expect(one.announces).toBe(false);
    // The lease is 5 s; its last renewal may be 1 s older than the agent's end.
    await one.clock.advance(1900);
    expect(one.announces).toBe(true);
    two.reachable = true;
    await one.clock.advance(2000);
    expect(one.announces).toBe(false);
  });

  test('an agent restarted during a drain does not announce what its blade gave up', async () => {
    const [one, two] = await pair();
    one.platform = drained('Blade', 'paris-blade-1', one.clock);
    await one.clock.advance(8000);
    const again = new Rig('paris-blade-1', one.clock);
    again.peers.push(two);
    again.platform = one.platform;
    await again.serve();
    await one.clock.advance(8000);
    expect(again.announces).toBe(false);
  });

  test('a planned stop withdraws when another blade has the VIP, and not when none has', async () => {
    const [one, two] = await pair();
    const stopped = one.agent.withdraw();
    await one.clock.advance(8000);
    await stopped;
    expect([one.announces, two.announces]).toEqual([false, true]);
    const last = two.agent.withdraw();
    await one.clock.advance(12_000);
    await last;
    expect(two.announces).toBe(true);
  });
});
