import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { nowMs, scaled, targetIn } from '../../../test/support/scaling/world.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import { createLog } from '../../runtime/log.ts';
import { createRegistry } from '../../runtime/metrics.ts';
import { ScalingAgent } from './agent.ts';
import { MemoryFile } from './follow/memory.ts';
import type { Remembrance } from './follow/remembrance.ts';
import type { Forecast } from './forecast/forecast.ts';
import type { Step } from './forecast/history.ts';
import { externalList } from './serve/answers.ts';
import { askOf } from './serve/asks.ts';

const platform = scaled(await examplePlatform(), [targetIn('cloud-europe')], 6000);
/** What the file of the agent holds. */
let kept: Remembrance;
let clock: FakeClock;
/** Clusters of which a blade is silent, and those that answer no health check. */
let partial: ReadonlySet<string>;
let down: ReadonlySet<string>;
/** What blades tell; undefined while none does. */
let rates: Readonly<Record<string, number>> | undefined;
const agents: ScalingAgent[] = [];
/** What the agent kept, and what is forecast by that. */
const steps: Step[] = [];
let forecast: Forecast | Error | undefined;

beforeEach(() => {
  kept = { floors: new Map(), rates: new Map(), shares: new Map() };
  clock = new FakeClock(nowMs);
  rates = { FR: 900 };
  partial = new Set();
  down = new Set();
  steps.length = 0;
  forecast = undefined;
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
});

const log = createLog('test', 'silent');

function started(): ScalingAgent {
  const agent = new ScalingAgent({
    platform: () => platform,
    cluster: 'cloud',
    measure: async () => {
      if (rates === undefined) throw new Error('no blade told what it measured');
      const measured = { measuredAtMs: clock.now(), requestsPerSecond: rates };
      const whole = { silent: [], unmeasured: [], shares: new Map(), unknownPerSecond: 0 };
      return { ...whole, rates: measured, seconds: 60, hosts: new Map(), partial };
    },
    health: async () => ({ down }),
    observe: async (_, targets) => new Map(targets.map((name) => [name, { state: 'read', ready: 1000 } as const])),
    margin: 0,
    memory: {
      read: async () => kept,
      write: async (next) => {
        kept = next;
        return undefined;
      },
    },
    history: {
      append: async (step) => {
        steps.push(step);
      },
      forecast: async () => {
        if (forecast instanceof Error) throw forecast;
        return forecast;
      },
    },
    everyMs: 15_000,
    clock,
    log,
    registry: createRegistry('test'),
  });
  agents.push(agent);
  agent.start();
  return agent;
}

function told(agent: ScalingAgent, metric: string): string | undefined {
  const ask = askOf('GET', `/apis/external.metrics.k8s.io/v1beta1/namespaces/video/${metric}`);
  if (ask.of !== 'external') throw new Error('no such metric');
  const { items } = externalList(ask, agent.book()) as { readonly items: readonly { readonly value: string }[] };
  return items[0]?.value;
}

async function after(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5000) {
    await clock.advance(Math.min(left, 5000));
    await setImmediate();
  }
}

it('tells a floor that carries the loss of Paris, and what is measured as long as it is fresh', async () => {
  const agent = started();
  await after(200);
  // 900 calls a second at 45 each.
  expect(told(agent, 'tideline_floor_replicas')).toBe('20');
  expect(told(agent, 'tideline_country_requests_per_second')).toBe('900');
  rates = undefined;
  await after(50_000);
  expect(told(agent, 'tideline_country_requests_per_second')).toBe('900');
  await after(60_000);
  expect(told(agent, 'tideline_country_requests_per_second')).toBeUndefined();
  expect(told(agent, 'tideline_floor_replicas')).toBe('20');
  expect(agent.status().problems).toEqual(['no blade told what it measured']);
});

it('gives back slowly, and does not forget by a restart', async () => {
  const first = started();
  await after(200);
  rates = { FR: 500 };
  await after(60_000);
  expect(told(first, 'tideline_floor_replicas')).toBe('20');
  await after(300_000);
  expect(told(first, 'tideline_floor_replicas')).toBe('18');
  await first.stop();
  rates = undefined;
  const second = started();
  await after(200);
  expect(told(second, 'tideline_floor_replicas')).toBe('18');
});

it('counts the users of a data centre whose blades are silent', async () => {
  const agent = started();
  await after(200);
  rates = { DE: 90 };
  await after(3_600_000);
  // 900 of France, whom nobody measures now, and 90 of Germany.
  expect(told(agent, 'tideline_floor_replicas')).toBe('22');
  expect(
    agent
      .status()
      .findings.map(({ message }) => message)
      .join(),
  ).toContain('FR: as measured before');
});

it('keeps in a file what must outlast a restart, and begins anew with one that cannot be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-scaling-agent-'));
  try {
    const path = join(folder, 'memory.json');
    const nothing = { floors: new Map(), rates: new Map(), shares: new Map() };
    const all = {
      floors: new Map([['web', { replicas: 20, changedAtMs: 5 }]]),
      rates: new Map([['FR', { requestsPerSecond: 900, atMs: 5 }]]),
      shares: new Map([['video', 1]]),
    };
    expect(await new MemoryFile(path, log).read()).toEqual(nothing);
    expect(await new MemoryFile(path, log).write(all)).toBeUndefined();
    expect(await new MemoryFile(path, log).read()).toEqual(all);
    await writeFile(path, '{"format":1,"floors":{"web":{"replicas":-1}}}');
    expect(await new MemoryFile(path, log).read()).toEqual(nothing);
    expect(await new MemoryFile(join(folder, 'absent/memory.json'), log).write(all)).toMatch(
      /cannot be written: ENOENT/,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const forecastOf = (requestsPerSecond: number, changed: object = {}): Forecast => ({
  question: { nowMs: clock.now(), atMs: clock.now() + 900_000, quantile: 0.975, fallbackMargin: 0 },
  fromMs: clock.now() - 86_400_000,
  toMs: clock.now(),
  places: [
    {
      place: 'FR',
      requestsPerSecond,
      margin: 0.1,
      looks: 1000,
      isShort: false,
      before: { measured: 900, usual: 900 },
      standing: 'usual',
      ...changed,
    },
  ],
});

it('keeps what it measured, and is ready for what is forecast', async () => {
  forecast = forecastOf(1800);
  const agent = started();
  await after(20_000);
  // 1,800 and a tenth, at 45 each; measured are 900.
  expect(told(agent, 'tideline_floor_replicas')).toBe('44');
  expect(told(agent, 'tideline_predicted_calls_per_second')).toBeDefined();
  expect(told(agent, 'tideline_country_requests_per_second')).toBe('900');
  await after(600_000);
  expect(steps[0]).toMatchObject({ requestsPerSecond: { FR: 900 } });
});

it('follows what is measured where a forecast is lower, does not know its errors, or fails', async () => {
  forecast = forecastOf(90);
  expect(await floorWith()).toBe('20');
  forecast = forecastOf(1800, { isShort: true });
  expect(await floorWith()).toBe('20');
  forecast = new Error('no thread');
  expect(await floorWith()).toBe('20');
  expect(agents.at(-1)?.status().problems).toEqual(['nothing is forecast: no thread']);
});

async function floorWith(): Promise<string | undefined> {
  kept = { floors: new Map(), rates: new Map(), shares: new Map() };
  const agent = started();
  await after(20_000);
  return told(agent, 'tideline_floor_replicas');
}

it('tells no less because a blade is silent', async () => {
  const agent = started();
  await after(200);
  expect(told(agent, 'tideline_country_requests_per_second')).toBe('900');
  [rates, partial] = [{ FR: 450 }, new Set(['paris'])];
  await after(30_000);
  expect(told(agent, 'tideline_country_requests_per_second')).toBe('900');
  expect(told(agent, 'tideline_floor_replicas')).toBe('20');
});

it('believes after an hour that the users of a data centre are gone, which is told meanwhile', async () => {
  const agent = started();
  await after(200);
  rates = { FR: 0 };
  await after(50 * 60_000);
  expect(told(agent, 'tideline_floor_replicas')).toBe('20');
  expect(agent.status().doubts).toEqual(['FR ask less than half of what they did within the hour']);
  await after(40 * 60_000);
  expect(Number(told(agent, 'tideline_floor_replicas'))).toBeLessThan(20);
});

it('counts users where they are and where they are led, while a cluster answers no health check', async () => {
  const agent = started();
  await after(200);
  expect(told(agent, 'tideline_calls_per_second')).toBe('0');
  down = new Set(['paris']);
  await after(40_000);
  // Paris is lost, as far as this machine sees; what its blades count may come to the cloud.
  expect(told(agent, 'tideline_calls_per_second')).toBe('900');
});
