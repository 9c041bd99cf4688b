import { ListHostedZonesCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import type { SteeringAgent } from '../../../src/planes/steering/agent.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty } from '../../../src/planes/steering/plan/plan.ts';
import { readOnlyRoute53Client, route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53Reader } from '../../../src/planes/steering/providers/route53/read.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { sleep, systemClock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { steeringAgent, withDrainOf, withGuard } from '../../support/steering/agent.ts';
import { clientOf, createZone, credentials, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { examplePlatform, Vips, withDefault } from '../../support/steering/world.ts';

/** The provider's control plane is away, or overrun, while the world goes on: name servers answer by health all the while. */
const zone = 'video.example';
const vips = new Vips();
let emulator: Emulator;
let client: Route53Client;
let agent: SteeringAgent | undefined;
let spec: Platform;
/** Gives up soon, so that an outage is long for it. */
const impatient = { ...timing, firstMs: 5, ceilingMs: 50, limitMs: 400 };

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: 200, insyncDelayMs: 10, rate: 5, burst: 5 });
  client = clientOf(emulator);
  await createZone(client, zone);
  spec = withGuard(await examplePlatform(), 1);
});

afterEach(async () => {
  emulator.setOutage('none');
  vips.fail();
  await agent?.stop();
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

function started(): SteeringAgent {
  const options = { endpoint: emulator.apiUrl, credentials, requestTimeoutMs: 500 };
  agent = steeringAgent({
    platform: () => spec,
    hands: { mode: 'automatic', write: async (_, gate) => route53(route53Client({ ...options, gate }), timing) },
    read: async (_, gate) => route53Reader(readOnlyRoute53Client({ ...options, gate }), impatient),
    providers: 'route53',
    everyMs: 300,
    clock: systemClock,
  });
  agent.start();
  return agent;
}

const stateOf = (some: SteeringAgent): string => some.status().zones[0]?.state ?? 'none';
const comes = (some: SteeringAgent, state: string): Promise<unknown> =>
  eventually(`the zone is ${state}`, () => stateOf(some) === state, {
    timeoutMs: 60_000,
    everyMs: 20,
    show: () => JSON.stringify(some.status().zones),
  });

async function clusterOf(country: string): Promise<string> {
  const [address] = await resolveFor(emulator.dns, 'www.video.example', clientAddress(country, 1));
  return Object.entries(vips.addresses).find(([, vip]) => vip === address)?.[0] ?? `${address}`;
}

const answers = (country: string, cluster: string): Promise<unknown> =>
  eventually(`${country} is answered by ${cluster}`, async () => (await clusterOf(country)) === cluster, {
    timeoutMs: 30_000,
    everyMs: 20,
  });

test.each(['refused', 'silent'] as const)(
  'a site dies and returns while every call is %s: users follow health, and the agent says what it cannot do, and does it later',
  { timeout: 120_000 },
  async (state) => {
    spec = withGuard(await examplePlatform(), 1);
    const steering = started();
    await comes(steering, 'inForce');
    await answers('FR', 'paris');
    const { applied } = steering.status();
    emulator.setOutage(state);
    vips.fail('paris');
    await answers('FR', 'cloud');
    // A Drain that begins meanwhile is not in DNS, and the agent does not say that it is.
    spec = withDrainOf(spec, 'newyork', Date.now() + 3_600_000);
    steering.refresh();
    await comes(steering, 'fails');
    const [condition] = steering.status().zones[0]?.conditions ?? [];
    expect(condition?.reason).toMatch(/^Provider(Refused|Unreachable)$/);
    vips.fail();
    await answers('FR', 'paris');
    expect(await clusterOf('US')).toBe('newyork');
    expect(steering.status().applied).toEqual(applied);
    emulator.setOutage('none');
    await comes(steering, 'inForce');
    await answers('US', 'cloud');
  },
);

test('all sites are unhealthy: everybody is still answered, and the agent moves nobody', async () => {
  spec = withGuard(await examplePlatform(), 1);
  const steering = started();
  await comes(steering, 'inForce');
  await answers('FR', 'paris');
  const { length } = steering.status().applied;
  vips.fail(...Object.keys(vips.addresses));
  const reader = route53Reader(client, timing);
  await eventually(
    'the checkers know it',
    async () => {
      const state = await reader.read(zone);
      const health = await reader.readHealth?.(state, [...state.healthChecks.keys()]);
      return health !== undefined && health.size > 0 && [...health.values()].every((isHealthy) => !isHealthy);
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
  for (const country of ['FR', 'US', 'JP']) expect(Object.keys(vips.addresses)).toContain(await clusterOf(country));
  expect(await clusterOf('FR')).toBe('paris');
  await comes(steering, 'inForce');
  expect(steering.status().applied).toHaveLength(length);
});

test('an apply gets through while others use the whole rate of the account', { timeout: 120_000 }, async () => {
  let isOver = false;
  let refused = 0;
  const others = Array.from({ length: 6 }, async () => {
    const storm = clientOf(emulator);
    while (!isOver) {
      await storm.send(new ListHostedZonesCommand({})).catch(() => (refused += 1));
      // Together they ask four times as often as the account may.
      await sleep(systemClock, 300);
    }
    storm.destroy();
  });
  try {
    const provider = route53(client, { ...timing, limitMs: 60_000 });
    const wanted = withDefault(await examplePlatform(), 'newyork');
    await applyZone(await planZone(wanted, provider, zone, Date.now()), provider);
    expect(isEmpty(await planZone(wanted, provider, zone, Date.now()))).toBe(true);
    expect(await clusterOf('JP')).toBe('newyork');
  } finally {
    isOver = true;
    await Promise.all(others);
  }
  expect(refused).toBeGreaterThan(10);
});
