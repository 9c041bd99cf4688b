import { CreateHealthCheckCommand, ListHealthChecksCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import type { Cluster } from '../../../src/model/spec/kinds.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { type ZonePlan } from '../../../src/planes/steering/plan/plan.ts';
import { renderPlans } from '../../../src/planes/steering/plan/text.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { examplePlatform } from '../../support/steering/world.ts';

/** An account that may have five health checks; the example uses three. */
const zone = 'video.example';
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;
let platform: Platform;
let now = 0;

beforeAll(async () => {
  emulator = await testEmulator({ timeCompression: 1000, insyncDelayMs: 5, healthCheckQuota: 5 });
  client = clientOf(emulator);
  await createZone(client, zone);
  platform = await examplePlatform();
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});

const provider = () =>
  route53(client, {
    clock: systemClock,
    random: Math.random,
    firstMs: 5,
    ceilingMs: 50,
    limitMs: 10_000,
    pollMs: 25,
    statusMs: 0,
    inSyncLimitMs: 10_000,
    blindSyncMs: 10,
  });
const plan = (spec: Platform): Promise<ZonePlan> => planZone(spec, provider(), zone, now);
const apply = async (made: ZonePlan): Promise<void> => applyZone(made, provider());

async function checksNow(): Promise<number> {
  const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
  return HealthChecks.length;
}

/** The same platform with these clusters probed in another way. */
function withCheck(names: readonly string[], change: Partial<Cluster['spec']['healthCheck']>): Platform {
  const clusters = [...platform.clusters].map(([name, cluster]) => {
    const healthCheck = { ...cluster.spec.healthCheck, ...(names.includes(name) ? change : {}) };
    return [name, { ...cluster, spec: { ...cluster.spec, healthCheck } }] as const;
  });
  return { ...platform, clusters: new Map(clusters) };
}

test('a plan shows how full the account is and what the checks cost', async () => {
  const made = await plan(platform);
  expect(renderPlans([made]).join('\n')).toContain(
    'health checks (the account has 0 of 5, then 3; those that this zone uses cost about $8.25 a month, and a million queries for its hosts $0.70):',
  );
  await apply(made);
});

test('a plan that does not fit is refused before it writes anything', async () => {
  const all = withCheck(['paris', 'newyork', 'cloud'], { intervalSeconds: 30 });
  await expect(plan(all)).rejects.toThrow(
    /may have 5 health checks and has 3; the zone video\.example needs 3 new ones, 1 too many; ask .*\(HealthCheckQuota\)/,
  );
  expect(await checksNow()).toBe(3);
});

test('unused checks never stand in the way for ever: they are retired, and deleted first when their hour is over', async () => {
  const left = await plan(withCheck(['paris', 'newyork'], { protocol: 'HTTPS' }));
  await provider().createHealthChecks(left.state, left.checks.create, 77);
  expect(await checksNow()).toBe(5);
  const HealthCheckConfig = { Type: 'TCP' as const, IPAddress: '192.0.2.1', Port: 80 };
  const another = client.send(new CreateHealthCheckCommand({ CallerReference: 'another', HealthCheckConfig }));
  await expect(another).rejects.toMatchObject({ name: 'TooManyHealthChecks' });
  const wanted = withCheck(['paris'], { intervalSeconds: 30 });
  const room = await plan(wanted);
  expect(room.checks).toMatchObject({ create: [], update: [], delete: [] });
  expect([room.checks.retire.length, room.batches.length, room.changes.create, room.impacts]).toEqual([2, 1, [], []]);
  expect(renderPlans([room]).join('\n')).toMatch(/1 too many; this plan changes no answer .*\(HealthCheckQuota\)/);
  await apply(room);
  await expect(plan(wanted)).rejects.toThrow('(HealthCheckQuota)');
  now += 3_600_000;
  const then = await plan(wanted);
  expect([then.checks.delete.length, then.checks.create.length, then.checks.retire.length]).toEqual([2, 1, 1]);
  await apply(then);
  expect(await checksNow()).toBe(4);
});
