import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calico } from '../../../test/support/network/calico.ts';
import { agentOf, InMemory } from '../../../test/support/network/in-memory.ts';
import type { NetworkAgent } from './agent.ts';

const me = 'paris-worker-1';
const a = '10.10.1.0/26';
const base = [calico.node(me, '10.1.0.11'), calico.node('other', '10.1.0.12'), calico.pool('10.10.0.0/16')];

describe('NetworkAgent', () => {
  let world: InMemory;
  let agent: NetworkAgent;
  beforeEach(() => {
    world = new InMemory();
    agent = agentOf(world);
    agent.start();
  });
  afterEach(() => agent.stop());
  const happens = (ms?: number): Promise<readonly string[]> => world.happens(ms);

  const guards = [`${a} from eth0: inside`, `${a} from eth0: drop`];

  it('makes a hole in a blackhole only after its rules, and takes these away only after it is closed or the block gone', async () => {
    const lent = [...base, ...calico.owned(a, me, { 0: 'other' })];
    world.publish(...base, ...calico.owned(a, me));
    await happens();
    world.publish(...lent);
    const opened = await happens();
    expect(opened.slice(0, 3)).toEqual([...guards.map((rule) => `+ ${rule}`), '+ 10.10.1.1/32']);
    expect(opened.at(-1)).toBe(`- ${a}`);
    world.publish(...base, ...calico.owned(a, me));
    const closed = await happens();
    expect([closed[0], ...closed.slice(-2)]).toEqual([`+ ${a}`, ...guards.map((rule) => `- ${rule}`)]);
    world.publish(...lent);
    await happens();
    expect(agent.status().uplinkRules).toEqual(guards);
    world.publish(...base);
    const released = await happens(5000);
    expect(released.slice(-2)).toEqual(guards.map((rule) => `- ${rule}`));
    expect(world.kernel).toEqual([]);
  });

  it('makes no hole where the kernel takes no rule, and says so', async () => {
    world.rulesFail = true;
    world.publish(...base, ...calico.owned(a, me, { 0: 'other' }));
    expect(await happens()).toEqual([`+ ${a}`, `announce [10.1.0.11/32 ${a}]`]);
    expect(agent.status().notices).toMatchObject([{ subject: a, reason: 'UplinkRuleMissing' }]);
    world.rulesFail = false;
    expect(await happens(10_000)).toContain('+ 10.10.1.1/32');
    expect(agent.status().notices).toEqual([]);
  });

  describe('while the cluster is not read', () => {
    const away = { phase: 'stale', sinceMs: 0, reason: 'SourceUnreachable', message: 'no answer' } as const;
    beforeEach(async () => {
      world.publish(...base, ...calico.owned(a, me));
      await happens();
    });

    it('lets its routes yield after five minutes, withdraws nothing, and ends that when the cluster is read', async () => {
      world.turn(away);
      expect(await happens(299_000)).toEqual([]);
      expect(await happens(2000)).toEqual(['yield']);
      expect(agent.status().notices).toMatchObject([{ subject: 'cluster', reason: 'YieldsWhileStale' }]);
      expect(await happens(3_600_000)).toEqual([]);
      world.turn({ phase: 'live', sinceMs: 0 });
      expect(await happens()).toEqual(['yield no more']);
      expect(agent.status().notices).toEqual([]);
      world.turn(away);
      expect(await happens(299_000)).toEqual([]);
    });

    it('does so after a restart as its predecessor did, and for nothing that is only doubted', async () => {
      await agent.stop();
      await happens();
      world.yielded = { sinceMs: 1, asked: true };
      agent = agentOf(world);
      agent.start();
      world.turn(away);
      expect(await happens()).toEqual(['yield']);
      world.turn({ ...away, reason: 'SourceImplausible' });
      expect(await happens(3_600_000)).toEqual(['yield no more']);
    });
  });
});
