import { expect, test } from 'vitest';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { identityOf, type RecordSet } from '../../../answers/record.ts';
import { InputError } from '../../../model/problem.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import type { ZoneProvider } from '../providers/provider.ts';
import { applyPlans } from './apply.ts';
import { outcomeToJson } from './json.ts';
import { checksumOf, planZones } from './plan.ts';
import { renderOutcome } from './text.ts';

const sound: ReadonlySet<ProviderName> = new Set(['powerdns', 'route53']);

/** Providers whose zones are in memory; writing to one that is not in `working` fails. */
function world(working: ReadonlySet<ProviderName> = sound) {
  const zones = new Map<ProviderName, ReadonlyMap<string, RecordSet>>();
  const connect = async (name: ProviderName): Promise<ZoneProvider> => ({
    name,
    async read(zone) {
      const records = [...(zones.get(name)?.values() ?? [])];
      return { zone, zoneId: name, records, healthChecks: new Map(), strayHealthChecks: [] };
    },
    createHealthChecks: async () => new Map(),
    deleteHealthChecks: async () => {},
    async applyBatch(_state, batch) {
      if (!working.has(name)) throw new Error(`${name} is out of order`);
      const now = new Map(zones.get(name));
      for (const { action, record } of batch.changes) {
        if (action === 'DELETE') now.delete(identityOf(record));
        else now.set(identityOf(record), record);
      }
      zones.set(name, now);
    },
  });
  const plan = (platform: Platform) => planZones(platform, 'all', connect, 0);
  return { connect, plan };
}

test('every zone of every provider is planned in order and written; a second plan is then empty', async () => {
  const { connect, plan } = world();
  const plans = await plan(await examplePlatform());
  expect(plans.map(({ provider, zone }) => `${provider} ${zone}`)).toEqual([
    'powerdns video.example',
    'route53 video.example',
  ]);
  const outcome = await applyPlans(plans, { checksum: checksumOf(plans), share: 0 }, connect);
  expect(renderOutcome(outcome)).toEqual([
    'powerdns zone video.example: generation 1 answers',
    'route53 zone video.example: generation 1 answers',
  ]);
  const again = (await plan(await examplePlatform())).map(({ batches }) => batches);
  expect(again).toEqual([[], []]);
});

test('both providers are verified alike', async () => {
  const plans = await world().plan(await examplePlatform());
  const verified = plans.flatMap(({ intent }) => intent.policies.map(({ verification }) => verification));
  expect(verified).toEqual([
    { countries: 247, failureSets: 8 },
    { countries: 247, failureSets: 8 },
  ]);
});

test('a zone that fails ends the work; the zones written before it are in the outcome', async () => {
  const { connect, plan } = world(new Set(['powerdns']));
  const plans = await plan(await examplePlatform());
  const outcome = await applyPlans(plans, { checksum: checksumOf(plans), share: 0 }, connect);
  expect(outcome.failure).toEqual(new Error('route53 is out of order'));
  expect(outcomeToJson(outcome)).toEqual({
    checksum: checksumOf(plans),
    applied: [{ provider: 'powerdns', zone: 'video.example', generation: 1, batches: 1 }],
  });
});

test('a plan that is not the approved one, and a large move that nobody approved, write nothing', async () => {
  const { connect, plan } = world();
  const platform = await examplePlatform();
  const first = await plan(platform);
  await expect(applyPlans(first, { checksum: '0123456789abcdef', share: 1 }, connect)).rejects.toThrow('(PlanChanged)');
  expect((await plan(platform)).map(({ changes }) => changes.registryBefore.generation)).toEqual([0, 0]);
  await applyPlans(first, { checksum: checksumOf(first), share: 0 }, connect);
  const second = await plan(withDefault(platform, 'newyork'));
  const agreed = { checksum: checksumOf(second), share: 0.5 };
  await expect(applyPlans(second, agreed, connect)).rejects.toThrow(/--approve-share 0\.\d+ \(NeedsApproval\)/);
  const { applied } = await applyPlans(second, { ...agreed, share: 1 }, connect);
  expect(applied.map(({ generation }) => generation)).toEqual([2, 2]);
});

test('no zone to plan is bad input that says what to do', async () => {
  const { connect } = world();
  const platform = await examplePlatform();
  const empty = { ...platform, policies: new Map() };
  await expect(planZones(empty, 'all', connect, 0)).rejects.toThrow(InputError);
  await expect(planZones(empty, 'route53', connect, 0)).rejects.toThrow(
    /uses the provider route53 \(NoPolicy\)\n {4}fix: add route53 to spec\.dns\.providers/,
  );
});
