import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { examplePlatform, withCheck, withDefault } from '../../support/steering/world.ts';

/** How often the API of Route 53 is called, at least and at most: an account has few calls a second for all of its programs. */
const zone = 'video.example';
const calls = new Map<string, number>();
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;

beforeAll(async () => {
  emulator = await testEmulator();
  client = clientOf(emulator);
  await createZone(client, zone);
  client.middlewareStack.add(
    (next, context) => (args) => {
      const call = String(context['commandName']).replace(/Command$/, '');
      calls.set(call, (calls.get(call) ?? 0) + 1);
      return next(args);
    },
    { step: 'initialize', name: 'count' },
  );
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});

/** The calls that were made meanwhile, without those that wait for something (a change, the health of new checks). */
async function during(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  calls.clear();
  await work();
  const { GetChange: _changes, GetHealthCheckStatus: _health, ...counted } = Object.fromEntries(calls);
  return counted;
}

const provider = () => route53(client, timing);
const reading = { ListHostedZonesByName: 1, ListHealthChecks: 1, ListResourceRecordSets: 1 };
const quotas = { GetAccountLimit: 1, GetHostedZoneLimit: 1 };

test('a plan lists the zone, the checks and the records once, and asks for quotas once', async () => {
  const platform = await examplePlatform();
  expect(await during(() => planZone(platform, provider(), zone, 0))).toEqual({ ...reading, ...quotas });
});

test('the first apply makes each check and one batch, and calls nothing else', async () => {
  const platform = await examplePlatform();
  const plan = await planZone(platform, provider(), zone, 0);
  const expected = { CreateHealthCheck: plan.checks.create.length, ChangeResourceRecordSets: plan.batches.length };
  expect(await during(() => applyZone(plan, provider()))).toEqual(expected);
  expect(expected).toEqual({ CreateHealthCheck: 3, ChangeResourceRecordSets: 1 });
});

test('an apply that changes answers is one batch', async () => {
  const plan = await planZone(withDefault(await examplePlatform(), 'newyork'), provider(), zone, 0);
  expect(await during(() => applyZone(plan, provider()))).toEqual({ ChangeResourceRecordSets: plan.batches.length });
  expect(plan.batches).toHaveLength(1);
});

test('a check that changes in place is changed once, after the generation was read again', async () => {
  const spec = withCheck(withDefault(await examplePlatform(), 'newyork'), { failureThreshold: 5 });
  const plan = await planZone(spec, provider(), zone, 0);
  expect(await during(() => applyZone(plan, provider()))).toEqual({
    ChangeResourceRecordSets: 1,
    ListResourceRecordSets: 1,
    UpdateHealthCheck: 1,
  });
});
