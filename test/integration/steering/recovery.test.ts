import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { promised } from '../../support/promised.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { planZone } from '../../support/steering/plans.ts';
import { type Resolver, startUsers } from '../../support/steering/users.ts';
import { examplePlatform, Vips, withDefault } from '../../support/steering/world.ts';

/** What users see of the loss of a site, by the resolver that they have. Time is ten times as fast. */
const compression = 10;
const zone = 'video.example';
const vips = new Vips();
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ timeCompression: compression, checkers: 3 });
  client = clientOf(emulator);
  await createZone(client, zone);
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

test('after the loss of a site all users are led elsewhere within the time that the plan says, or as much later as their resolvers overstay', async () => {
  // Who is nowhere known, as a resolver in this namespace that sends no client subnet, is answered by paris as well.
  const platform = withDefault(await examplePlatform(), 'paris');
  const provider = route53(client, timing);
  const plan = await planZone(platform, provider, zone, 0);
  await applyZone(plan, provider);
  const recovery = plan.recoveries.find(({ clusters }) => clusters.includes('paris'));
  if (recovery === undefined) throw new Error('the plan says nothing of paris');
  const [boundMs, ttlMs] = [recovery.totalSeconds, recovery.ttlSeconds].map((one) => (one * 1000) / compression);
  if (boundMs === undefined || ttlMs === undefined) throw new Error('no bound');
  const france = Array.from({ length: 60 }, (_, n): Resolver => ({ client: clientAddress('FR', n), overstayMs: 0 }));
  const britain = Array.from({ length: 20 }, (_, n): Resolver => ({ client: clientAddress('GB', n), overstayMs: 0 }));
  const silent = Array.from({ length: 20 }, (): Resolver => ({ overstayMs: 0 }));
  const late = Array.from({ length: 20 }, (_, n): Resolver => {
    return { client: clientAddress('FR', 100 + n), overstayMs: 200 * (n % 10) };
  });
  const resolvers = [...france, ...britain, ...silent, ...late];
  const users = startUsers(emulator.dns, 'www.video.example', resolvers, ttlMs);
  try {
    await users.ready();
    const paris = vips.addresses.paris ?? '';
    const before = users.answers();
    expect(new Set(before.slice(0, 60))).toEqual(new Set([paris]));
    expect(new Set(before.slice(80, 100))).toEqual(new Set([paris]));
    vips.fail('paris');
    const times = await users.recoveries(paris, promised(boundMs + 1800));
    // Infinity would mean that somebody is still led to paris.
    for (const [index, { overstayMs }] of resolvers.entries())
      expect(times[index], `resolver ${index}`).toBeLessThanOrEqual(promised(boundMs + overstayMs));
    // Answers end all along the TTL, so half of the users are led elsewhere well before the bound.
    const half = times.slice(0, 60).toSorted((a, b) => a - b)[30];
    expect(half).toBeLessThan(boundMs - 0.2 * ttlMs);
    // Health is watched, not guessed: nobody in France can have left paris before a check of the endpoint had failed.
    const soonest = Math.min(...times.slice(0, 60));
    expect(soonest).toBeGreaterThan(((recovery.detectSeconds * 1000) / compression) * 0.3);
  } finally {
    await users.stop();
  }
});
