import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { steeringAgent, withDrainOf, withGuard } from '../../../test/support/steering/agent.ts';
import { memoryProviders } from '../../../test/support/steering/memory.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import { systemClock } from '../../runtime/clock.ts';
import { Registry } from '../../runtime/metrics.ts';
import type { AskNameServers } from './after-apply.ts';
import type { SteeringAgent } from './agent.ts';

let agent: SteeringAgent | undefined;
afterEach(() => agent?.stop());

/** Starts an agent that applies in memory and asks by this. */
async function startedWith(ask: AskNameServers, registry = new Registry()) {
  const memory = memoryProviders();
  const whole = withGuard(await examplePlatform(), 1);
  let platform = whole;
  const agentNow = steeringAgent({
    platform: () => platform,
    hands: { mode: 'automatic', write: memory },
    read: memory,
    providers: 'route53',
    everyMs: 50,
    registry,
    ask,
  });
  agent = agentNow;
  agentNow.start();
  const zone = () => agentNow.status().zones[0];
  const comes = (what: string, look: () => boolean) =>
    eventually(what, look, { timeoutMs: 20_000, everyMs: 10, show: () => JSON.stringify(agentNow.status()) });
  const drain = (): void => {
    platform = withDrainOf(whole, 'paris', systemClock.now() + 3_600_000);
    agentNow.refresh();
  };
  return { zone, comes, drain };
}

it('goes on with its work while name servers are asked, and asks no more for what was applied before', async () => {
  const ended: AbortSignal[] = [];
  const { zone, comes, drain } = await startedWith((_, how) => {
    ended.push(how.ended);
    return new Promise(() => {});
  });
  await comes('it is applied', () => zone()?.state === 'inForce');
  drain();
  await comes('the Drain is applied', () => zone()?.state === 'inForce' && zone()?.generation === 2);
  expect(ended.map(({ aborted }) => aborted)).toEqual([true, false]);
  await agent?.stop();
  expect(ended.map(({ aborted }) => aborted)).toEqual([true, true]);
});

it('names who answers otherwise, asks again at each look, and forgets it once all answer as planned', async () => {
  const registry = new Registry();
  let answer: readonly string[] | undefined = ['192.0.2.53: does not answer', '192.0.2.54: answers FR otherwise'];
  const asked: boolean[] = [];
  const { zone, comes } = await startedWith(async (_, { isAgain }) => {
    asked.push(isAgain);
    if (answer === undefined) throw new Error('the provider does not tell the health');
    return answer;
  }, registry);
  await comes('it is named', () => zone()?.conditions[0]?.reason === 'AnsweredOtherwise');
  expect(zone()).toMatchObject({
    state: 'inForce',
    conditions: [{ message: '192.0.2.53: does not answer; 192.0.2.54: answers FR otherwise' }],
  });
  expect(await registry.metrics()).toMatch(/^tideline_steering_answered_otherwise\{[^}]*\} 1$/m);
  answer = undefined;
  const before = asked.length;
  await comes('it is asked again', () => asked.length > before + 1);
  expect(zone()?.conditions).toHaveLength(1);
  answer = [];
  await comes('it is forgotten', () => zone()?.conditions.length === 0);
  const last = asked.length;
  await comes('some looks are taken', () => (zone()?.plannedAtMs ?? 0) > systemClock.now() - 30);
  expect([asked[0], asked[1], asked.length]).toEqual([false, true, last]);
  expect(await registry.metrics()).not.toMatch(/^tideline_steering_answered_otherwise\{/m);
});

it('forgets it when somebody else writes the zone', async () => {
  const memory = memoryProviders();
  const platform = withGuard(await examplePlatform(), 1);
  const options = {
    hands: { mode: 'automatic', write: memory },
    read: memory,
    providers: 'route53',
    everyMs: 50,
  } as const;
  const first = steeringAgent({ ...options, platform: () => platform, ask: async () => ['192.0.2.53: is silent'] });
  first.start();
  const reasons = () =>
    first
      .status()
      .zones[0]?.conditions.map(({ reason }) => reason)
      .join();
  await eventually('it is named', () => reasons() === 'AnsweredOtherwise', { timeoutMs: 20_000, everyMs: 10 });
  const drained = withDrainOf(platform, 'paris', systemClock.now() + 3_600_000);
  const other = steeringAgent({ ...options, platform: () => drained });
  other.start();
  await eventually('it is gone', () => !reasons()?.includes('AnsweredOtherwise'), { timeoutMs: 20_000, everyMs: 5 });
  await Promise.all([first.stop(), other.stop()]);
});
